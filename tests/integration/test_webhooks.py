"""Webhooks: receivers that work, fail, hang, are away and redirect are told of each event at least once, with a
signature, and stand in no other's way; nothing is sent to this machine unless it is allowed."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import games, trees  # noqa: E402
from lib.case import ServiceCase  # noqa: E402
from lib.wait import wait_until  # noqa: E402
from servers import ports  # noqa: E402
from servers.webhook_receiver import Receiver, signed  # noqa: E402

USAGE, NOT_FOUND, REFUSED = 2, 3, 4


class WebhookCase(ServiceCase):
    def cli(self, *words):
        return self.service.cli_json(*words)

    def receiver(self, behave=200):
        receiver = Receiver(behave)
        self.addCleanup(receiver.close)
        return receiver

    def hook(self, name, url, *kinds):
        words = [word for kind in kinds for word in ("--on", kind)]
        return self.cli("webhook", "create", name, "--url", url, *words)

    def deliveries(self, hook):
        return self.cli("webhook", "deliveries", hook["webhook_id"], "--limit", "0")["items"]

    def wait_told(self, receiver, count, what="to be told"):
        wait_until(lambda: len(set(receiver.events())) >= count, 60, f"{what}: {receiver.events()}")


class Webhooks(WebhookCase):
    arguments = ("--webhook-allow-local",)

    def setUp(self):
        super().setUp()
        self.service.start()

    def backup(self):
        self.sgc = games.deploy_console(self.api)
        trees.make_world(self.service.game(self.sgc), seed=1, regions=1, region_kib=16)
        return games.backup(self.service, server_game_config_id=self.sgc).backup_id

    def test_a_receiver_is_told_with_a_signature(self):
        receiver = self.receiver()
        hook = self.hook("ops", receiver.url)
        self.assertRegex(hook["secret"], "^whsec_")
        self.assertFalse(self.cli("webhook", "get", hook["webhook_id"])["secret"])
        backup = self.backup()
        self.wait_told(receiver, 1)
        path, headers, body = receiver.requests[0]
        told = receiver.bodies()[0]
        self.assertEqual(path, "/hook")
        self.assertEqual((told["type"], told["data"]["backup_id"], told["data"]["server_game_config_id"]),
                         ("backup.completed", backup, self.sgc))
        self.assertIn("backup.completed", told["text"])
        self.assertTrue(signed(headers, body, hook["secret"]))
        self.assertFalse(signed(headers, body + b" ", hook["secret"]))
        self.assertEqual(headers["webhook-id"], f"evt_{told['data']['event_id']}")
        wait_until(lambda: [d["status"] for d in self.deliveries(hook)] == ["delivered"], 10, "the row to say so")
        self.assertEqual(len(receiver.requests), 1)  # of what else happened it is not told

    def test_a_receiver_that_fails_is_told_later_and_in_order(self):
        receiver, well = self.receiver(503), self.receiver()
        hook = self.hook("failing", receiver.url, "webhook.test", "game.created")
        self.hook("well", well.url, "game.created")
        for name in "abc":
            self.cli("game", "create", name)
        self.wait_told(well, 3)
        wait_until(lambda: len(receiver.requests) >= 2, 30, "a second try")
        self.assertEqual(len(set(receiver.events())), 1)  # the others wait behind it
        shown = self.cli("webhook", "get", hook["webhook_id"])
        self.assertIn("503", shown["last_error"])
        self.assertEqual(shown["waiting"], 3)
        receiver.behave = 200
        # What was mended is said, so that nobody waits for the next try.
        self.cli("webhook", "update", hook["webhook_id"], "--url", receiver.url)
        self.wait_told(receiver, 3)
        last = list(dict.fromkeys(receiver.events()))
        self.assertEqual(last, sorted(last))
        wait_until(lambda: not self.cli("webhook", "get", hook["webhook_id"])["last_error"], 10, "the error to go")

    def test_receivers_that_hang_or_are_away_hold_up_nobody(self):
        hanging, cutting, well = self.receiver("hang"), self.receiver("cut"), self.receiver()
        away = self.hook("away", f"http://127.0.0.1:{ports.free_ports(1)[0]}/", "game.created")
        for name, receiver in (("hanging", hanging), ("cutting", cutting), ("well", well)):
            self.hook(name, receiver.url, "game.created")
        for name in "abcde":
            self.cli("game", "create", name)
        wait_until(lambda: len(set(well.events())) == 5, 14, "all, before the hanging one's time is over")
        wait_until(lambda: "connect" in self.cli("webhook", "get", away["webhook_id"])["last_error"].lower(), 30,
                   "what is wrong with the one that is away")
        wait_until(lambda: len(cutting.requests) >= 2, 30, "another try")

    def test_what_is_refused_is_tried_behind_the_others(self):
        receiver = self.receiver(400)
        hook = self.hook("choosy", receiver.url, "game.created")
        self.cli("game", "create", "a")
        wait_until(lambda: receiver.requests, 30, "a try")
        refused = receiver.events()[0]
        self.cli("game", "create", "b")
        wait_until(lambda: len(set(receiver.events())) == 2, 30, "the other one, though the first is refused")
        receiver.behave = 200
        wait_until(lambda: {d["status"] for d in self.deliveries(hook)} == {"delivered"}, 60, "both")
        self.assertIn(refused, receiver.events())

    def test_redirects_are_not_followed(self):
        target = self.receiver()
        receiver = self.receiver(("redirect", target.url))
        hook = self.hook("moved", receiver.url, "game.created")
        self.cli("game", "create", "a")
        wait_until(lambda: "redirects are not followed" in
                   self.cli("webhook", "get", hook["webhook_id"])["last_error"], 30, "the error")
        self.assertEqual(target.requests, [])

    def test_pause_resume_test_and_delete(self):
        receiver = self.receiver()
        hook = self.hook("ops", receiver.url, "game.created")
        self.cli("webhook", "pause", hook["webhook_id"])
        self.cli("game", "create", "a")
        event = self.cli("webhook", "test", hook["webhook_id"])["event_id"]
        self.assertEqual(self.cli("webhook", "get", hook["webhook_id"])["waiting"], 2)
        self.service.restart()  # what waits is in the database
        self.assertEqual(receiver.requests, [])
        self.cli("webhook", "resume", hook["webhook_id"])
        self.wait_told(receiver, 2)
        self.assertIn(event, receiver.events())
        again = self.cli("webhook", "update", hook["webhook_id"], "--secret", "new")
        self.assertNotEqual(again["secret"], hook["secret"])
        self.service.cli("webhook", "delete", hook["webhook_id"])
        self.service.cli("webhook", "get", hook["webhook_id"], expect=NOT_FOUND)

    def test_it_is_told_at_least_once_wherever_the_service_dies(self):
        receiver = self.receiver()
        hook = self.hook("ops", receiver.url, "game.created")
        self.service.stop()
        self.service.start("api.webhook.sent@1=crash")
        self.cli("game", "create", "a")
        self.service.wait_crash()
        self.assertEqual(len(receiver.requests), 1)
        self.service.start()
        # The dead process' claim ends by itself.
        wait_until(lambda: self.deliveries(hook)[0]["status"] == "delivered", 90, "the row to say so")
        self.assertEqual(len(receiver.requests), 2)
        self.assertEqual(len(set(receiver.events())), 1)

    def test_wrong_words(self):
        for words, part in ((["--url", "ftp://example.org/"], "url"), (["--url", "https://"], "url"),
                            (["--url", "https://user:word@example.org/"], "no password"),
                            (["--url", "http://example.org/", "--on", "nothing"], "no kind of event"),
                            (["--url", "http://example.org/", "--secret", "short"], "secret")):
            with self.subTest(words=words):
                self.assertIn(part, self.service.cli("webhook", "create", "x", *words, expect=USAGE).stderr)
        self.hook("ops", "https://example.org/", "backup.failed")
        self.service.cli("webhook", "create", "ops", "--url", "https://example.org/", expect=REFUSED)


class NotToThisMachine(WebhookCase):
    def test_loopback_and_link_local_receivers_are_refused(self):
        self.service.start()
        for host in ("127.0.0.1", "localhost", "[::1]", "0.0.0.0", "169.254.169.254", "[fe80::1]",
                     "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "127.1", "LOCALHOST.", "x.localhost"):
            with self.subTest(host=host):
                done = self.service.cli("webhook", "create", "x", "--url", f"http://{host}:80/", expect=USAGE)
                self.assertIn("--webhook-allow-local", done.stderr)

    def test_a_name_that_leads_to_this_machine_is_found_out_when_it_is_connected_to(self):
        receiver = self.receiver()
        # Made while it was allowed; a name that resolves to another address later is the same.
        self.service.arguments = ("--webhook-allow-local",)
        self.service.start()
        hook = self.hook("ops", receiver.url, "game.created")
        self.service.stop()
        self.service.arguments = ()
        self.service.start()
        self.cli("game", "create", "a")
        wait_until(lambda: "--webhook-allow-local" in
                   self.cli("webhook", "get", hook["webhook_id"])["last_error"], 30, "the refusal")
        self.assertEqual(receiver.requests, [])


if __name__ == "__main__":
    unittest.main()
