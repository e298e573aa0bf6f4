"""Pages are by key, newest first: none is missing or twice, whatever is added or removed between
two pages."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import games  # noqa: E402
from lib.case import ServiceCase  # noqa: E402


class Paging(ServiceCase):
    def setUp(self):
        super().setUp()
        self.service.start()

    def pages(self, method, field, key, between=lambda: None, **fields):
        """The ids of each page."""
        found, token = [], ""
        while True:
            page = getattr(self.api, method)(page_token=token, **fields)
            found.append([getattr(row, key) for row in getattr(page, field)])
            token = page.next_page_token
            if not token:
                return found
            between()

    def test_games_in_pages_of_every_size(self):
        made = [self.api.CreateGame(name=f"game {n}").game.game_id for n in range(230)]
        newest_first = made[::-1]
        for size, first in ((0, 50), (7, 7), (100, 100), (5000, 100), (1, 1)):
            pages = self.pages("ListGames", "games", "game_id", page_size=size)
            self.assertEqual(len(pages[0]), first, f"page_size={size}")
            self.assertEqual(sum(pages, []), newest_first, f"page_size={size}")
        self.assertEqual(self.pages("ListGames", "games", "game_id", page_size=46)[-1][-1], made[0],
                         "230 is five times 46: the last page is full, and no empty one follows")

    def test_rows_added_and_removed_between_pages(self):
        made = [self.api.CreateGame(name=f"game {n}").game.game_id for n in range(120)]
        doomed, added = iter(made), iter(range(100))

        def between():
            self.api.CreateGame(name=f"added {next(added)}")
            self.api.DeleteGame(game_id=next(doomed))
        pages = self.pages("ListGames", "games", "game_id", between, page_size=25)
        # The oldest were removed before their page came; all others are there, once.
        self.assertEqual(sum(pages, []), made[::-1][:120 - (len(pages) - 1)])

    def test_backups_and_sessions(self):
        one = games.deploy(self.api, "one", ["/bin/true"])
        two = games.deploy(self.api, "two", ["/bin/true"])
        backups, sessions = {one: [], two: []}, {one: [], two: []}
        for number in range(110):
            sgc = (one, two)[number % 10 == 0]
            session = self.api.StartSession(server_game_config_id=sgc).session.session_id
            self.api.wait_session(session, "completed")
            sessions[sgc].insert(0, session)
            backups[sgc].insert(0, games.backup(self.service, session_id=session).backup_id)
        every = sorted(backups[one] + backups[two], reverse=True)
        self.assertEqual(sum(self.pages("ListBackups", "backups", "backup_id"), []), every)
        for sgc in (one, two):
            listed = self.pages("ListBackups", "backups", "backup_id", page_size=9,
                                server_game_config_id=sgc)
            self.assertEqual(sum(listed, []), backups[sgc])
            listed = self.pages("ListSessions", "sessions", "session_id", page_size=9,
                                server_game_config_id=sgc)
            self.assertEqual(sum(listed, []), sessions[sgc])
        of_one = self.api.ListBackups(session_id=sessions[one][3]).backups
        self.assertEqual([b.backup_id for b in of_one], [backups[one][3]])
        completed = self.pages("ListSessions", "sessions", "session_id", page_size=40,
                               status_filter=["completed", "crashed"])
        self.assertEqual(sum(completed, []), sorted(sessions[one] + sessions[two], reverse=True))
        self.assertFalse(self.api.ListSessions(live_only=True).sessions)


if __name__ == "__main__":
    unittest.main()
