"""Every part of a service on many machines fails at every step of a backup, a restore and a delete:

    {API, host, PostgreSQL, RabbitMQ, S3} x {killed and started, hangs and goes on, and for the last
    three: connections cut, slow line, away} x steps

A step is a failpoint at which the flow rests for a moment, in which the fault is made. After each
case: every command that was accepted has come to a true end, once; a completed backup has its whole
object, another has none; no upload is left; game/ is wholly the old or wholly the new data.

A run tries MANMAN_TEST_CASES of them (10; "all" for every one, "2/4" for the second of four parts of all),
picked by MANMAN_TEST_SEED (1).
"""

import contextlib
import os
import random
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import grpc  # noqa: E402
from lib import audit, games, trees  # noqa: E402
from lib.cluster import BUCKET, Cluster, Engines  # noqa: E402
from lib.wait import wait_until  # noqa: E402

API_STEPS = ["api.relay.claimed", "api.relay.published"]
HOST_STEPS = ["host.command.received", "host.command.journaled"]
STEPS = {
    "backup": ["api.create_backup.committed", *API_STEPS, *HOST_STEPS, "backup.running_reported",
               "backup.upload_started", "backup.archived", "backup.uploaded", "backup.upload_journaled",
               "backup.reported", "api.status.applied"],
    "restore": ["api.start_session.committed", *API_STEPS, *HOST_STEPS, "restore.staging_created",
                "restore.extracted", "restore.swap_journaled", "restore.swapped", "session.starting",
                "session.launched", "session.reported", "api.status.applied"],
    "delete": ["api.delete.marked", "api.delete.object_removed"],
}
PROGRAMS = ("api", "host")
ENGINES = ("database", "bus", "store")
FAULTS = {**dict.fromkeys(PROGRAMS, ("kill", "hang")),
          **dict.fromkeys(ENGINES, ("kill", "hang", "cut", "slow", "away"))}
REST_MS = 1500  # how long a flow rests at its step
HANG_SECONDS = 5
AWAY_SECONDS = 60
LEASE_SECONDS = 20
END_SECONDS = 240  # within which every command must have come to its end

ALL = [(flow, step, part, fault) for flow, steps in STEPS.items() for step in steps
       for part, faults in FAULTS.items() for fault in faults]


def picked():
    count = os.environ.get("MANMAN_TEST_CASES") or "10"
    seed = int(os.environ.get("MANMAN_TEST_SEED") or "1")
    print(f"MANMAN_TEST_SEED={seed} MANMAN_TEST_CASES={count}, of {len(ALL)}", flush=True)
    if count == "all":
        return ALL
    if "/" in count:
        part, parts = map(int, count.split("/"))
        return random.Random(seed).sample(ALL, len(ALL))[part - 1::parts]
    return random.Random(seed).sample(ALL, int(count))


class Matrix(unittest.TestCase):
    def begin(self, parts):
        """Everything anew, until `parts` is closed."""
        self.engines = parts.enter_context(Engines())
        self.cluster = parts.enter_context(Cluster(self.engines, apis=1, hosts=("alpha",),
                                                   lease_seconds=LEASE_SECONDS))
        self.sgc = self.cluster.deploy("alpha", "console", stop_command="stop",
                                       entrypoint=["/bin/sh", "-c", games.CONSOLE_GAME])
        self.game = self.cluster.game("alpha", self.sgc)
        trees.make_world(self.game, seed=5, regions=6, region_kib=4096)  # several parts of an upload
        self.old = trees.snapshot(self.game)
        self.first = self.new_backup()
        self.assertEqual(self.wait_backup(self.first).status, "completed")

    @property
    def api(self):
        return self.cluster.api()

    def new_backup(self):
        return self.api.CreateBackup(server_game_config_id=self.sgc).backup.backup_id

    def test_matrix(self):
        cases = picked()
        failed, left = [], list(cases)
        while left:  # after a failure the next ones begin anew: what they found would be its doing
            with contextlib.ExitStack() as parts:
                self.begin(parts)
                failed += self.run_until_failure(left)
        print(f"{len(cases)} cases, {len(failed)} failed", flush=True)
        self.assertEqual(failed, [])

    def run_until_failure(self, left):
        """Takes cases from the front of `left`; [the one that failed], or []."""
        while left:
            case = left.pop(0)
            start = time.monotonic()
            try:
                self.run_case(*case)
            except Exception as error:
                print(f"{' '.join(case)}: FAILED: {error!r}\n{self.cluster.logs()}", flush=True)
                return [(case, repr(error))]
            print(f"{' '.join(case)}: ok ({time.monotonic() - start:.1f} s)", flush=True)
        return []

    def run_case(self, flow, step, part, fault):
        rests = "api" if step.startswith("api.") else "host"
        self.program(rests).stop()
        self.program(rests).start(failpoints=f"{step}=delay:{REST_MS}")
        log_size = self.program(rests).log.stat().st_size
        act, check = getattr(self, f"begin_{flow}"), getattr(self, f"check_{flow}")
        handle = act(lambda: self.reached(rests, step, log_size), lambda: self.fault(part, fault))
        self.settle()
        check(handle)
        self.assertEqual(self.engines.uploads(), [])
        audit.wait_nothing_found(self.cluster)

    # -- parts and faults --------------------------------------------------------------------------

    def program(self, part):
        return self.cluster.apis[0] if part == "api" else self.cluster.hosts["alpha"]

    def reached(self, part, step, log_size):
        def passed():
            with open(self.program(part).log, "rb") as log:
                log.seek(log_size)
                return f"failpoint {step}:".encode() in log.read()
        wait_until(passed, 30, f"{step} to be passed", 0.01)

    def fault(self, part, fault):
        if part == "api" and fault == "kill":
            self.cluster.kill_api(0)
            self.program(part).start()
        elif part in PROGRAMS:
            self.restartable(self.program(part), fault, lambda program: program.start())
        elif fault in ("kill", "hang"):
            server = {"database": self.engines.postgres, "bus": self.engines.rabbitmq,
                      "store": self.engines.ceph}[part]
            self.restartable(server, fault, lambda engine: engine.start())
        else:
            self.line_fault({"database": self.engines.database_gate, "bus": self.engines.bus_gate,
                             "store": self.engines.store_gate}[part], fault)

    @staticmethod
    def restartable(what, fault, start):
        if fault == "kill":
            what.kill()
            start(what)
        else:
            what.pause()
            time.sleep(HANG_SECONDS)  # the fault itself
            what.resume()

    @staticmethod
    def line_fault(gate, fault):
        if fault == "cut":
            gate.cut()
        elif fault == "slow":
            gate.slow(50_000)
            time.sleep(HANG_SECONDS)
            gate.slow(0)
        else:
            gate.hang()
            gate.cut()
            time.sleep(AWAY_SECONDS)
            gate.cut()  # connections that were taken while it hung
            gate.resume()

    # -- the flows: begin, make the fault at the step, and what must hold at the end ---------------

    def call(self, reached, fault, method, **fields):
        """Makes the call, and the fault while the flow rests; None when the call got no answer."""
        call = getattr(self.api.stub, method).future(
            getattr(self.api.pb, method + "Request")(**fields), timeout=120)
        reached()
        fault()
        try:
            return call.result()
        except grpc.RpcError as error:
            lost = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN)
            self.assertIn(error.code(), lost, error.details())
        except grpc.FutureCancelledError:
            pass
        return None

    def begin_backup(self, reached, fault):
        before = {b.backup_id for b in self.api.backups()}
        self.call(reached, fault, "CreateBackup", server_game_config_id=self.sgc)
        return before

    def check_backup(self, before):
        made = [b for b in self.api.backups() if b.backup_id not in before]
        self.assertLessEqual(len(made), 1)  # a call without an answer may have done nothing
        for backup in made:
            ended = self.wait_backup(backup.backup_id)
            key = ended.s3_url.removeprefix(f"s3://{BUCKET}/")
            if ended.status == "completed":
                self.assertEqual(self.stored_bytes(key), ended.size_bytes)
            else:
                self.assertTrue(ended.error_message)
                wait_until(lambda: key not in self.engines.objects(), 60, f"the object of {ended} to be gone")
            self.api.DeleteBackup(backup_id=ended.backup_id)
            wait_until(lambda: key not in self.engines.objects(), 60, f"{key} to be deleted")

    def begin_restore(self, reached, fault):
        trees.spoil(self.game, seed=7)
        spoilt = trees.snapshot(self.game)
        before = {s.session_id for s in self.api.sessions()}
        self.call(reached, fault, "StartSession", server_game_config_id=self.sgc,
                  restore_from_backup_id=self.first)
        return before, spoilt

    def check_restore(self, handle):
        before, spoilt = handle
        made = [s for s in self.api.sessions() if s.session_id not in before]
        self.assertLessEqual(len(made), 1)
        now = trees.snapshot(self.game)
        for session in made:
            if session.status == "running":
                trees.assert_same(self.old, now, "the restored world")
                self.api.StopSession(session_id=session.session_id)
                self.api.wait_session(session.session_id, "stopped")
            else:
                self.assertEqual(session.status, "crashed")
                self.assertTrue(session.error_message)
        if trees.diff(self.old, now):
            trees.assert_same(spoilt, now, "game/ is neither the old nor the new")
            self.bring_back()
        self.assertEqual([p.name for p in self.game.parent.glob("restore-*")], [])

    def bring_back(self):
        """The world as it was, for the next case."""
        session = self.api.StartSession(server_game_config_id=self.sgc,
                                        restore_from_backup_id=self.first).session.session_id
        self.api.wait_session(session, "running")
        self.api.StopSession(session_id=session)
        self.api.wait_session(session, "stopped")

    def begin_delete(self, reached, fault):
        backup = self.new_backup()
        ended = self.wait_backup(backup)
        self.assertEqual(ended.status, "completed", ended.error_message)
        answered = self.call(reached, fault, "DeleteBackup", backup_id=backup)
        return ended, answered

    def check_delete(self, handle):
        backup, _ = handle  # the flow rested at its step: it was marked
        wait_until(lambda: backup.backup_id not in {b.backup_id for b in self.api.backups()}, END_SECONDS,
                   "the row to be deleted")
        self.assertNotIn(backup.s3_url.removeprefix(f"s3://{BUCKET}/"), self.engines.objects())

    # -- the end -----------------------------------------------------------------------------------

    def settle(self):
        """Until nothing is under way: the API answers, rows are at an end, the journal is empty."""
        def settled():
            with contextlib.suppress(grpc.RpcError):
                busy = [b for b in self.api.backups() if b.status in ("pending", "running", "deleting")]
                sessions = self.api.sessions()
                busy += [s for s in sessions if s.status in ("pending", "starting", "stopping")]
                journal = self.cluster.data_dir("alpha") / "journal"
                at_work = {path.name for path in journal.glob("*-*")}
                # What counts as lost while its host has it at work is not at its end.
                busy += [s for s in sessions if s.error_message.startswith("host lost")
                         and f"session-{s.session_id}-1.json" in at_work]
                return not busy and not any(name.startswith("backup-") for name in at_work)
            return False
        wait_until(settled, END_SECONDS, "every command to come to its end", 0.1)

    def wait_backup(self, backup_id):
        return self.api.wait_backup(backup_id, timeout=END_SECONDS)

    def stored_bytes(self, key):
        return int(self.engines.aws("s3api", "head-object", "--bucket", BUCKET, "--key", key, "--query",
                                    "ContentLength", "--output", "text"))


if __name__ == "__main__":
    unittest.main()
