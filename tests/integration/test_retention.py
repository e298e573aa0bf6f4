"""How long backups of a policy are kept, through the real service and its command line: what would go and why,
what goes, and what never does."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import games, trees  # noqa: E402
from lib.case import ServiceCase  # noqa: E402
from lib.wait import wait_until  # noqa: E402

USAGE, NOT_FOUND, REFUSED = 2, 3, 4


class Retention(ServiceCase):
    def setUp(self):
        super().setUp()
        self.service.start()
        self.sgc = games.deploy_console(self.api)
        trees.make_world(self.service.game(self.sgc), seed=1, regions=1, region_kib=64)
        self.policy = self.cli("policy", "create", "--sgc", self.sgc, "--name", "often", "--every", "1d")["policy_id"]

    def cli(self, *words):
        return self.service.cli_json(*words)

    def run_policy(self):
        return self.api.wait_backup(self.cli("policy", "run-now", self.policy)["backup_id"]).backup_id

    def preview(self, *words):
        return {item["backup_id"]: item for item in self.cli("policy", "preview", self.policy, *words)["items"]}

    def left(self):
        return sorted(backup.backup_id for backup in self.api.backups(server_game_config_id=self.sgc))

    def wait_left(self, *backups):
        wait_until(lambda: self.left() == sorted(backups), 30, f"{backups} to be left: {self.left()}")

    def objects(self):
        return len(self.service.objects())

    def test_a_preview_tells_what_the_rules_then_do(self):
        manual = games.backup(self.service, server_game_config_id=self.sgc).backup_id
        first, second, third = (self.run_policy() for _ in range(3))
        shown = self.preview()
        self.assertEqual(list(shown), [third, second, first])
        self.assertEqual({item["keep"] for item in shown.values()}, {True})
        self.assertEqual(shown[second]["reasons"], ["no rule says that any goes"])
        self.cli("backup", "pin", first)
        shown = self.preview("--keep-last", "1")
        self.assertEqual([(item["keep"], item["reasons"]) for item in shown.values()],
                         [(True, ["last", "last good one"]), (False, ["no rule keeps it"]), (True, ["pinned"])])
        text = self.service.cli("policy", "preview", self.policy, "--keep-last", "1")
        self.assertRegex(text.stdout, rf"delete +{second} .*no rule keeps it")
        self.assertIn("kept: 2 (", text.stderr)
        self.assertEqual(self.left(), [manual, first, second, third])  # nothing is changed
        self.cli("policy", "update", self.policy, "--keep-last", "1")
        self.wait_left(manual, first, third)
        wait_until(lambda: self.objects() == 3, 10, "its object to go")
        self.cli("backup", "unpin", first)
        self.wait_left(manual, third)

    def test_a_pinned_one_is_not_deleted_by_mistake(self):
        backup = self.run_policy()
        self.assertTrue(self.cli("backup", "pin", backup)["pinned"])
        refused = self.service.cli("backup", "delete", backup, expect=REFUSED)
        self.assertIn(f"backup {backup} is pinned", refused.stderr)
        self.assertIn(f"manman backup unpin {backup}", refused.stderr)
        self.assertFalse(self.cli("backup", "unpin", backup)["pinned"])
        self.service.cli("backup", "delete", backup)
        self.service.cli("backup", "pin", backup, expect=NOT_FOUND)

    def test_wrong_words(self):
        for words, part in ((["preview", self.policy, "--keep-within", "3x"], "keep.within"),
                            (["preview", self.policy, "--keep-last", "-2"], "--keep-last"),
                            (["update", self.policy, "--keep-within", "1d1d"], "keep.within")):
            with self.subTest(words=words):
                self.assertIn(part, self.service.cli("policy", *words, expect=USAGE).stderr)
        self.service.cli("policy", "preview", 99, expect=NOT_FOUND)


if __name__ == "__main__":
    unittest.main()
