"""An S3 server that fails in every way that one is known to: the store ends in the right state each
time, and never takes a failure for success."""

import hashlib
import os
import random
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import paths  # noqa: E402
from lib.service import clean_environment  # noqa: E402
from servers.s3_script import Fault, ScriptedS3, Stored, Upload  # noqa: E402

LARGE = 12_000_000  # three parts
SMALL = 100_000


class Outcome:
    def __init__(self, done):
        self.code, self.text = done.returncode, done.stdout.strip()

    def __repr__(self):
        return f"exit {self.code}: {self.text}"


def drive(s3, *words, retry=30, stall=30, **settings):
    environment = clean_environment(**s3.settings(), S3_TEST_RETRY=str(retry), S3_TEST_STALL=str(stall))
    environment.update(settings)
    done = subprocess.run([str(paths.s3_driver()), *map(str, words)], env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False)
    outcome = Outcome(done)
    for name in ("S3_ACCESS_KEY", "S3_SECRET_KEY"):
        assert environment[name] not in outcome.text, f"shows a secret: {outcome}"
    assert outcome.code in (0, 1), outcome
    return outcome


class Faults(unittest.TestCase):
    def assert_stored(self, s3, key, outcome, size):
        """Success, and the server has the very bytes."""
        self.assertEqual(outcome.code, 0, outcome)
        said_size, digest = outcome.text.splitlines()[-1].split()
        self.assertEqual(int(said_size), size)
        self.assertEqual(hashlib.sha256(s3.objects[key].body).hexdigest(), digest)
        self.assertEqual(s3.uploads, {})

    def assert_nothing(self, s3, outcome, *says, final=None):
        """An error that says so, and the server holds nothing."""
        self.assertEqual(outcome.code, 1, outcome)
        for text in says:
            self.assertIn(text, outcome.text)
        if final is not None:
            self.assertIn(" final: " if final else " retryable: ", outcome.text)
        self.assertEqual((s3.objects, s3.uploads), ({}, {}))

    def put_with(self, *faults, size=LARGE, **how):
        with ScriptedS3(faults) as s3:
            outcome = drive(s3, "put", "k/1", size, 7, **how)
            self.assertEqual(s3.unused(), [], outcome)
            return s3, outcome

    def test_what_passes_is_tried_again(self):
        for op in ("create", "part", "complete", "head"):
            for action in ("slow_down", "internal", "bad_gateway", "cut_request", "lost_answer"):
                if (op, action) == ("create", "lost_answer"):
                    continue  # see test_an_upload_begun_twice
                with self.subTest(op=op, action=action):
                    s3, outcome = self.put_with(Fault(op, action, times=2))
                    self.assert_stored(s3, "k/1", outcome, LARGE)

    def test_what_passes_is_tried_again_for_small_objects(self):
        for op, action in (("put", "slow_down"), ("put", "cut_request"), ("put", "lost_answer"),
                           ("put", "no_etag"), ("list", "internal"), ("head", "no_etag")):
            with self.subTest(op=op, action=action):
                s3, outcome = self.put_with(Fault(op, action, times=2), size=SMALL)
                self.assert_stored(s3, "k/1", outcome, SMALL)

    def test_answers_that_are_none(self):
        for op, action in (("create", "garbage"), ("create", "empty_200"), ("part", "no_etag"),
                           ("part", "empty_200"), ("complete", "error_in_200"), ("complete", "garbage"),
                           ("complete", "empty_200"), ("complete", "no_etag"), ("complete", "cut_answer"),
                           ("create", "cut_answer")):
            with self.subTest(op=op, action=action):
                s3, outcome = self.put_with(Fault(op, action))
                self.assertEqual(outcome.code, 0, outcome)
                s3.uploads = {} if op == "create" else s3.uploads  # one was begun twice
                self.assert_stored(s3, "k/1", outcome, LARGE)

    def test_an_upload_begun_twice(self):
        """The first one's id was lost with the answer; it is found by key."""
        with ScriptedS3([Fault("create", "lost_answer")]) as s3:
            self.assertEqual(drive(s3, "put", "k/1", LARGE, 7).code, 0)
            self.assertEqual(len(s3.uploads), 1)
            self.assertEqual(drive(s3, "abort", "k/1").code, 0)
            self.assertEqual(s3.uploads, {})

    def test_a_completion_whose_answer_is_lost_for_good(self):
        s3, outcome = self.put_with(Fault("complete", "lost_answer"), Fault("complete", "bad_gateway", times=2),
                                    retry=10)
        self.assert_stored(s3, "k/1", outcome, LARGE)

    def test_a_completion_that_never_works(self):
        for action in ("internal", "error_in_200", "garbage", "cut_request"):
            with self.subTest(action=action):
                with ScriptedS3([Fault("complete", action, times=10**6)]) as s3:
                    outcome = drive(s3, "put", "k/1", LARGE, 7, retry=1)
                    self.assert_nothing(s3, outcome, "s3://manman-test/k/1", "complete", "tries", final=False)

    def test_a_completion_refused(self):
        for action in ("denied", "denied_in_200"):
            with self.subTest(action=action):
                s3, outcome = self.put_with(Fault("complete", action))
                self.assert_nothing(s3, outcome, "S3_ACCESS_KEY", "AccessDenied", final=True)
                self.assertEqual(s3.count("complete"), 1)

    def test_an_upload_that_is_gone(self):
        """Nor is the object that stood there before taken for the upload's."""
        with ScriptedS3([Fault("complete", "forgotten")]) as s3:
            before = Stored(bytes(LARGE), "e", {})
            s3.objects["k/1"] = before
            outcome = drive(s3, "put", "k/1", LARGE, 7)
            self.assertEqual(outcome.code, 1, outcome)
            self.assertIn("not there any more", outcome.text)
            self.assertIs(s3.objects["k/1"], before)

    def test_a_store_that_keeps_half(self):
        for op, size in (("complete", LARGE), ("put", SMALL)):
            with self.subTest(op=op):
                _, outcome = self.put_with(Fault(op, "half_stored"), size=size)
                self.assertEqual(outcome.code, 1, outcome)
                self.assertIn("DATA_LOSS", outcome.text)
                self.assertIn(f"{size // 2} bytes where {size} were written", outcome.text)

    def test_a_part_that_never_works(self):
        with ScriptedS3([Fault("part", "internal", times=10**6, after=1)]) as s3:
            outcome = drive(s3, "put", "k/1", LARGE, 7, retry=1)
            self.assert_nothing(s3, outcome, "part ", "s3://manman-test/k/1", final=False)

    def test_refused_at_once(self):
        for op in ("create", "part"):
            with self.subTest(op=op):
                begun = time.monotonic()
                s3, outcome = self.put_with(Fault(op, "denied"))
                self.assert_nothing(s3, outcome, "S3_ACCESS_KEY", "AccessDenied", final=True)
                self.assertLess(time.monotonic() - begun, 10)

    def test_a_server_that_stops_moving(self):
        for op in ("part", "head"):
            with self.subTest(op=op):
                s3, outcome = self.put_with(Fault(op, "hang"), stall=2)
                self.assert_stored(s3, "k/1", outcome, LARGE)

    def test_an_abort_that_fails_is_left_for_later(self):
        with ScriptedS3([Fault("complete", "denied"), Fault("abort", "denied")]) as s3:
            self.assertEqual(drive(s3, "put", "k/1", LARGE, 7).code, 1)
            self.assertEqual(len(s3.uploads), 1)
            self.assertEqual(drive(s3, "sweep", "k/", -60).text.splitlines()[-1], "1")
            self.assertEqual(s3.uploads, {})

    def test_clocks_apart(self):
        for ahead in (-7200, 7200):
            with self.subTest(ahead=ahead):
                with ScriptedS3(clock_ahead=ahead) as s3:
                    outcome = drive(s3, "put", "k/1", LARGE, 7)
                    self.assert_stored(s3, "k/1", outcome, LARGE)
                    self.assertEqual(drive(s3, "head", "k/1").text.splitlines()[-1], str(LARGE))
                    self.assertIn("clock", outcome.text)

    # -- reading ---------------------------------------------------------------------------------

    def read_with(self, *faults, stall=30, retry=30):
        with ScriptedS3(faults) as s3:
            body = random.Random(1).randbytes(3_000_000)
            s3.objects["k/1"] = Stored(body, hashlib.md5(body).hexdigest(), {})
            outcome = drive(s3, "get", "k/1", 1000, 2_000_000, stall=stall, retry=retry)
            self.assertEqual(s3.unused(), [], outcome)
            return s3, outcome, hashlib.sha256(body[1000:2_001_000]).hexdigest()

    def test_reads_go_on_from_where_they_broke(self):
        for action in ("cut_answer", "short_range", "other_range", "slow_down", "bad_gateway", "lost_answer",
                       "wrong_length", "cut_request"):
            with self.subTest(action=action):
                _, outcome, digest = self.read_with(Fault("get", action, times=3))
                self.assertEqual((outcome.code, outcome.text), (0, digest))

    def test_a_read_that_drips(self):
        _, outcome, digest = self.read_with(Fault("get", "drip"), stall=2)
        self.assertEqual((outcome.code, outcome.text), (0, digest))

    def test_a_read_of_an_object_that_is_replaced(self):
        _, outcome, _ = self.read_with(Fault("get", "replaced"))
        self.assertEqual(outcome.code, 1, outcome)
        self.assertIn("replaced", outcome.text)

    def test_a_server_without_ranges(self):
        _, outcome, _ = self.read_with(Fault("get", "whole_object"))
        self.assertEqual(outcome.code, 1, outcome)
        self.assertIn("no parts of objects", outcome.text)

    def test_a_read_that_never_works(self):
        with ScriptedS3([Fault("get", "short_range", times=10**6)]) as s3:
            s3.objects["k/1"] = Stored(bytes(1000), "e", {})
            outcome = drive(s3, "get", "k/1", 0, 1000, retry=1)
            self.assertEqual(outcome.code, 1, outcome)
            self.assertIn("other bytes than asked for", outcome.text)

    # -- connections -----------------------------------------------------------------------------

    def test_connections_are_kept(self):
        with ScriptedS3() as s3:
            self.assert_stored(s3, "k/1", drive(s3, "put", "k/1", 40_000_000, 7), 40_000_000)
            self.assertEqual(s3.count("part"), 8)
            self.assertLessEqual(s3.connections, 4)

    def test_bucket_in_the_host_name(self):
        with ScriptedS3(virtual_host=True) as s3:
            outcome = drive(s3, "put", "k/1", LARGE, 7, S3_TEST_VIRTUAL_HOST="1")
            self.assert_stored(s3, "k/1", outcome, LARGE)

    def test_https(self):
        with tempfile.TemporaryDirectory() as folder:
            certificate = (f"{folder}/cert.pem", f"{folder}/key.pem")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                            "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-out", certificate[0],
                            "-keyout", certificate[1]], check=True, capture_output=True)
            with ScriptedS3(certificate=certificate) as s3:
                outcome = drive(s3, "put", "k/1", LARGE, 7, S3_CA_FILE=certificate[0])
                self.assert_stored(s3, "k/1", outcome, LARGE)
                begun = time.monotonic()
                outcome = drive(s3, "head", "k/1")
                self.assertEqual(outcome.code, 1, "trusts any certificate")
                self.assertIn("S3_CA_FILE", outcome.text)
                self.assertIn(" final: ", outcome.text)
                self.assertLess(time.monotonic() - begun, 5)

    def test_conformance(self):
        with ScriptedS3(page=100) as s3:
            done = subprocess.run([str(paths.s3_conformance())], env=clean_environment(**s3.settings()),
                                  capture_output=True, text=True, check=False, timeout=300)
            self.assertEqual(done.returncode, 0, done.stdout[-5000:] + done.stderr[-2000:])

    # -- everything else -------------------------------------------------------------------------

    def test_long_lists(self):
        with ScriptedS3([Fault("list", "garbage", after=2), Fault("list", "internal", after=3)], page=7) as s3:
            keys = [f"k/{number:03} é&+" for number in range(50)]
            s3.objects = {key: Stored(b"", "e", {}) for key in keys} | {"other": Stored(b"", "e", {})}
            self.assertEqual(drive(s3, "list", "k/").text.splitlines(), keys)
            s3.uploads = {f"id-{key}": Upload(key, {}, begun=1000) for key in keys}
            self.assertEqual(drive(s3, "sweep", "k/01", 60).text, "10")
            self.assertEqual(drive(s3, "abort", "k/020 é&+").code, 0)
            self.assertEqual(len(s3.uploads), 39)

    def test_removal(self):
        with ScriptedS3([Fault("delete", "lost_answer"), Fault("delete", "slow_down")]) as s3:
            s3.objects["k/1"] = Stored(b"x", "e", {})
            self.assertEqual(drive(s3, "remove", "k/1").code, 0)
            self.assertEqual(s3.objects, {})
            self.assertEqual(drive(s3, "remove", "k/1").code, 0)

    def test_settings_that_are_wrong_are_named(self):
        for setting, value, says in (("S3_ACCESS_KEY", "no-such-key", "S3_ACCESS_KEY"),
                                     ("S3_SECRET_KEY", "no-such-secret", "S3_SECRET_KEY"),
                                     ("S3_REGION", "us-east-1", "eu-test-1"),
                                     ("S3_REGION", "us-east-1", "S3_REGION"),
                                     ("S3_BUCKET", "other", "S3_BUCKET")):
            with self.subTest(setting=setting):
                with ScriptedS3() as s3:
                    outcome = drive(s3, "head", "k", **{setting: value})
                    self.assertEqual(outcome.code, 1)
                    self.assertIn(says, outcome.text)
                    self.assertIn(" final: ", outcome.text)

    def test_an_endpoint_that_is_no_s3(self):
        with ScriptedS3([Fault("list", "garbage")]) as s3:
            outcome = drive(s3, "head", "k")
            self.assertIn("S3_ENDPOINT", outcome.text)

    def test_at_random(self):
        """Whatever happens: success means that all is there, failure that nothing is half there."""
        seed = int(os.environ.get("MANMAN_TEST_SEED") or random.randrange(2**32))
        print(f"MANMAN_TEST_SEED={seed}", flush=True)
        actions = ["slow_down", "internal", "bad_gateway", "cut_request", "lost_answer", "garbage",
                   "cut_answer", "empty_200", "no_etag"]
        rng = random.Random(seed)
        stored = 0
        for round_number in range(12):
            with ScriptedS3(chaos=(rng.randrange(2**32), 0.3, actions)) as s3:
                size = rng.choice([SMALL, LARGE])
                outcome = drive(s3, "put", "k/1", size, round_number, retry=3)
                if outcome.code == 0:
                    stored += 1
                    s3.uploads = {}  # those whose id was lost
                    self.assert_stored(s3, "k/1", outcome, size)
                elif "k/1" in s3.objects:
                    self.assertEqual(len(s3.objects["k/1"].body), size, outcome)
        self.assertGreater(stored, 3)


if __name__ == "__main__":
    unittest.main()
