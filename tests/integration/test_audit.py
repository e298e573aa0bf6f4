"""The truth between store and database: what `manman audit` finds, and what it leaves alone."""

import contextlib
import json
import os
import pty
import sqlite3
import subprocess
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import games, paths, worlds  # noqa: E402
from lib.case import ServiceCase  # noqa: E402

BUCKET = "s3://manman/"


class AuditCase(ServiceCase):
    def setUp(self):
        super().setUp()
        self.service.start()
        self.sgc = games.deploy(self.api)
        worlds.make(self.service.game(self.sgc) / "world")

    def backup(self, sgc=0):
        return games.backup(self.service, server_game_config_id=sgc or self.sgc)

    def object(self, key):
        return self.service.object_path(BUCKET + key)

    def key(self, backup):
        return backup.s3_url.removeprefix(BUCKET)

    def sql(self, statement, *values):
        with contextlib.closing(sqlite3.connect(self.service.state / "manman.db", timeout=30)) as database:
            database.execute(statement, values)
            database.commit()

    def audit(self, *words, expect=7):
        """{(kind, key): finding}"""
        done = self.service.cli("-o", "json", "audit", *words, expect=expect)
        return {(item["kind"], item["key"]): item for item in json.loads(done.stdout)["items"]}

    def lose_row(self, backup):
        self.sql("DELETE FROM backups WHERE backup_id = ?", backup.backup_id)


class Report(AuditCase):
    def test_each_kind(self):
        good, lost, gone, cut, failed, doomed = (self.backup() for _ in range(6))
        self.assertEqual(self.audit(expect=0), {})
        self.lose_row(lost)
        self.object(self.key(gone)).unlink()
        with open(self.object(self.key(cut)), "ab") as archive:
            archive.write(b"x")
        self.sql("UPDATE backups SET status = 'failed', size_bytes = 0 WHERE backup_id = ?", failed.backup_id)
        # Another's archive stands where that of a failed backup would be.
        self.object(self.key(doomed)).write_bytes(self.object(self.key(good)).read_bytes())
        self.sql("UPDATE backups SET status = 'failed', size_bytes = 0 WHERE backup_id = ?", doomed.backup_id)
        note = self.object("backups/README")
        note.write_text("ours")
        odd = self.object(f"backups/0{self.sgc}/1.tar.gz")
        odd.parent.mkdir()
        odd.write_text("no key of ours")
        found = self.audit()
        self.assertEqual(set(found), {
            ("object-without-row", self.key(lost)), ("row-without-object", self.key(gone)),
            ("wrong-size", self.key(cut)), ("leftover", self.key(failed)),
            ("object-without-row", self.key(doomed)), ("unknown-object", "backups/README"),
            ("unknown-object", f"backups/0{self.sgc}/1.tar.gz")})
        self.assertEqual(found["wrong-size", self.key(cut)]["row_bytes"], cut.size_bytes)
        self.assertEqual(found["wrong-size", self.key(cut)]["object_bytes"], cut.size_bytes + 1)
        self.assertEqual(found["object-without-row", self.key(lost)]["backup_id"], lost.backup_id)
        self.assertIn("--adopt", found["object-without-row", self.key(lost)]["advice"])
        text = self.service.cli("audit", expect=7)
        self.assertIn("5 problems, 2 unknown objects", text.stderr)

    def test_unknown_objects_alone_are_no_problem(self):
        self.backup()
        self.object("backups/README").write_text("ours")
        self.assertEqual(set(self.audit(expect=0)), {("unknown-object", "backups/README")})

    def test_rows_of_other_buckets_are_counted(self):
        backup = self.backup()
        self.sql("UPDATE backups SET s3_url = replace(s3_url, 's3://manman/', 's3://other/')")
        self.assertEqual(set(self.audit()), {("object-without-row", self.key(backup))})
        done = self.service.cli("audit", expect=7)
        self.assertIn("1 rows are of other buckets and were not looked at", done.stderr)

    def test_stale_uploads(self):
        uploads = self.service.state / "store/.uploads"
        uploads.mkdir(exist_ok=True)
        key = f"backups/{self.sgc}/77.tar.gz"
        (uploads / ("manman%2fbackups%2f" + f"{self.sgc}%2f77.tar.gz~" + "0" * 32)).write_text("part")
        self.assertEqual(self.audit(expect=0), {})
        found = self.audit("--older-than", "0s")
        self.assertEqual(set(found), {("stale-upload", key)})

    def test_many_objects_and_rows(self):
        """Over several pages, in the order of bytes: 10 before 2."""
        backup = self.backup()
        self.sql("""WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 3999)
                    INSERT INTO backups SELECT i, session_id, server_game_config_id,
                    replace(s3_url, '/1.tar', '/' || i || '.tar'), 3, description, created_at, status, error_message,
                    attempt, lease_until_ms, sha256, progress_bytes, total_bytes, started_at, finished_at, entries,
                    warnings, format, level, consistency, evidence, pause_ms, changed_files, changed_count, policy_id,
                    fingerprint, pinned, verified_at, verified_how, verify_failed_at, verify_error, looked_at,
                    verify_lease_ms, verify_failed_how, mark, adopted_at, verify_due FROM backups, n""")
        for i in range(1000, 4000):
            self.object(f"backups/{self.sgc}/{i}.tar.gz").write_text("abc")
        self.assertEqual(backup.backup_id, 1)
        self.assertEqual(self.audit(expect=0), {})
        self.object(f"backups/{self.sgc}/2345.tar.gz").unlink()
        self.sql("DELETE FROM backups WHERE backup_id = 3999")
        self.assertEqual(set(self.audit()), {("row-without-object", f"backups/{self.sgc}/2345.tar.gz"),
                                             ("object-without-row", f"backups/{self.sgc}/3999.tar.gz")})

    def test_what_is_under_way_is_no_finding(self):
        other = games.deploy(self.api, name="other")
        worlds.make(self.service.game(other) / "world")
        ended, trouble = threading.Event(), []

        def work(sgc):
            try:
                while not ended.is_set():
                    made = self.backup(sgc)
                    if made.backup_id % 3 == 0:
                        self.api.DeleteBackup(backup_id=made.backup_id)
            except Exception as error:
                trouble.append(error)

        workers = [threading.Thread(target=work, args=(sgc,)) for sgc in (self.sgc, other)]
        for worker in workers:
            worker.start()
        try:
            for _ in range(15):
                self.assertEqual(self.audit("--older-than", "0s", expect=0), {})
        finally:
            ended.set()
            for worker in workers:
                worker.join()
        self.assertEqual(trouble, [])


class LostDatabase(AuditCase):
    def lose(self):
        self.service.stop()
        for path in self.service.state.glob("manman.db*"):
            path.unlink()
        self.service.start()

    def adopt(self, *words, expect=0):
        return self.audit("--adopt", *words, expect=expect)

    def archive_of_old(self, key):
        """One without an origin."""
        path = self.object(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.service.cli("archive", "create", self.service.game(self.sgc), path)
        return path

    def test_all_is_made_again_once(self):
        first, second = self.backup(), self.backup()
        self.lose()
        done = self.adopt("--full")
        self.assertEqual({item["outcome"] for item in done.values()}, {"adopted"})
        rows = {b.backup_id: b for b in self.api.backups()}
        for made in (first, second):
            row = rows[made.backup_id]
            self.assertEqual((row.s3_url, row.size_bytes, row.sha256, row.created_at, row.verified_how),
                             (made.s3_url, made.size_bytes, made.sha256, made.created_at, "full"))
        self.assertEqual(self.adopt(), {})
        self.assertEqual(self.audit(expect=0), {})
        self.assertEqual(self.backup().backup_id, 3)

    def test_several_at_once(self):
        made = [self.backup().backup_id for _ in range(4)]
        self.lose()
        workers = [threading.Thread(target=self.service.cli, args=("audit", "--adopt")) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self.assertEqual(sorted(b.backup_id for b in self.api.backups()), made)
        self.assertEqual(self.audit(expect=0), {})

    def test_an_sgc_that_is_another_now_is_not_mixed_up(self):
        old = self.backup()
        self.lose()
        self.assertEqual(games.deploy(self.api, name="something else"), self.sgc)
        left = self.adopt(expect=7)["object-without-row", self.key(old)]
        self.assertEqual(left["outcome"], "left")
        self.assertIn("is another one in this database", left["detail"])
        self.assertIn("--sgc 1=SGC", left["detail"])
        self.assertEqual(self.api.backups(), [])
        mine = games.deploy(self.api, name="mine")
        self.adopt("--sgc", f"1={mine}")
        self.assertEqual([(b.backup_id, b.server_game_config_id) for b in self.api.backups()],
                         [(old.backup_id, mine)])

    def test_an_id_that_is_taken(self):
        old = self.backup()
        self.lose()
        self.assertEqual(games.deploy(self.api), self.sgc)
        made = self.api.CreateBackup(server_game_config_id=self.sgc).backup
        self.assertEqual(self.api.wait_backup(made.backup_id).status, "failed")
        bytes_of_old = self.object(self.key(old)).read_bytes()
        adopted = self.adopt()["object-without-row", self.key(old)]
        self.assertIn("backup 2 of SGC 1 (backup 1 is another one here)", adopted["detail"])
        self.api.DeleteBackup(backup_id=made.backup_id)
        self.assertEqual(self.object(self.key(old)).read_bytes(), bytes_of_old)
        session = games.start(self.service, self.sgc, restore_from_backup_id=2)
        self.assertGreater(session.session_id, 1_000_000_000)

    def test_archives_that_do_not_say_what_they_are_of(self):
        self.archive_of_old("backups/9/4.tar.gz")
        done = self.adopt()["object-without-row", "backups/9/4.tar.gz"]
        self.assertIn("does not say what it is of", done["detail"])
        self.assertEqual(self.api.GetBackup(backup_id=4).backup.server_game_config_id, 9)
        self.assertIn("recovered SGC 9", [g.name for g in self.api.all("ListGames", "games")])
        self.adopt("--sgc", f"9={self.sgc}")
        self.assertEqual(self.api.GetBackup(backup_id=4).backup.server_game_config_id, self.sgc)
        games.start(self.service, self.sgc, restore_from_backup_id=4)

    def test_those_with_and_without_an_origin_beside_each_other(self):
        new = self.backup()
        self.archive_of_old(f"backups/{self.sgc}/10.tar.gz")
        self.lose()
        done = self.adopt()
        self.assertEqual({item["outcome"] for item in done.values()}, {"adopted"}, done)
        self.assertEqual({(b.backup_id, b.server_game_config_id) for b in self.api.backups()},
                         {(new.backup_id, self.sgc), (10, self.sgc)})

    def test_what_is_damaged_or_moved_is_left(self):
        old = self.backup()
        data = self.object(self.key(old)).read_bytes()
        self.object(f"backups/{self.sgc}/7.tar.gz").write_bytes(data)  # a copy
        self.object(f"backups/{self.sgc}/8.tar.gz").write_bytes(data[:-50])
        self.object(f"backups/{self.sgc}/9.tar.gz").write_bytes(b"rubbish")
        done = self.adopt(expect=7)
        self.assertEqual({item["outcome"] for item in done.values()}, {"left"}, done)
        self.assertIn("copied or moved", done["object-without-row", f"backups/{self.sgc}/7.tar.gz"]["detail"])
        self.assertEqual([b.backup_id for b in self.api.backups()], [old.backup_id])


class Clean(AuditCase):
    def clean(self, *words, **options):
        return self.audit("--clean", "--yes", "--older-than", "0s", *words, **options)

    def test_each_kind(self):
        good, lost, gone, cut = (self.backup() for _ in range(4))
        self.lose_row(lost)
        self.object(self.key(gone)).unlink()
        with open(self.object(self.key(cut)), "ab") as archive:
            archive.write(b"x")
        self.object("backups/README").write_text("ours")
        self.assertIn("--yes", self.service.cli("audit", "--clean", expect=4).stderr)
        self.assertTrue(self.object(self.key(lost)).exists())
        young = self.audit("--clean", "--yes")["object-without-row", self.key(lost)]
        self.assertEqual((young["outcome"], young["detail"]), ("left", "is younger than --older-than"))
        self.clean(expect=0)
        self.assertFalse(self.object(self.key(lost)).exists())
        self.assertTrue(self.object("backups/README").exists())
        self.assertEqual({b.backup_id for b in self.api.backups()}, {good.backup_id, cut.backup_id})
        self.assertIn("bytes instead of", self.api.GetBackup(backup_id=cut.backup_id).backup.verification_error)
        self.assertEqual(set(self.audit()), {("wrong-size", self.key(cut)), ("unknown-object", "backups/README")})

    def typed(self, text):
        """What 'audit --clean' at a terminal says to somebody who types this; its exit code."""
        ours, theirs = pty.openpty()
        with os.fdopen(theirs), os.fdopen(ours, "wb", buffering=0) as keys:
            keys.write(text.encode() + b"\n")
            done = subprocess.run([str(paths.manman()), "--api", self.service.endpoints["grpc"], "audit", "--clean",
                                   "--older-than", "0s"], stdin=theirs, capture_output=True, text=True, timeout=60)
        return done.stdout + done.stderr, done.returncode

    def test_a_person_confirms_it_by_number(self):
        self.backup()
        lost = self.backup()
        self.lose_row(lost)
        for no in ("", "yes", "2"):
            said, code = self.typed(no)
            self.assertEqual(code, 1, said)
            self.assertIn("Type 1 to do away with", said)
            self.assertIn("nothing was changed", said)
            self.assertTrue(self.object(self.key(lost)).exists())
        said, code = self.typed("1")
        self.assertEqual(code, 0, said)
        self.assertFalse(self.object(self.key(lost)).exists())

    def test_a_lost_database_is_not_taken_for_rubbish(self):
        old = self.backup()
        self.lose_row(old)
        refused = self.service.cli("audit", "--clean", "--yes", "--older-than", "0s", expect=4)
        self.assertIn("audit --adopt", refused.stderr)
        self.assertTrue(self.object(self.key(old)).exists())
        self.clean("--without-any-row", expect=0)
        self.assertFalse(self.object(self.key(old)).exists())


if __name__ == "__main__":
    unittest.main()
