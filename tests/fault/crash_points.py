"""Where the service is killed in each flow, and how such a test runs.

The tables name every failpoint of the program (test_failpoints_covered.py sees to that), and a
test fails when the service is not killed by its point while the flow is under way.
"""

import os

import grpc
from lib import audit, trees
from lib.case import ServiceCase
from lib.wait import wait_until

COMMAND = ["api.relay.claimed", "api.relay.published",
           "host.command.received", "host.command.journaled"]
BACKUP = ["api.create_backup.committed", *COMMAND, "backup.running_reported", "backup.upload_started",
          "backup.prepared", "backup.guarded", "backup.quiesce_step", "backup.quiesced", "backup.archived", "store.folder.synced",
          "store.folder.renamed", "backup.uploaded", "backup.upload_journaled", "backup.reported",
          "api.status.applied"]
# Where the file system can share blocks: tests/e2e/test_live_snapshots.py.
SNAPSHOT = ["backup.snapshot_taken", "backup.resumed"]
CANCEL = ["api.cancel_backup.committed", *COMMAND, "backup.cancelled", "backup.cancel_cleaned"]
DELETE = ["api.delete.marked", "api.delete.object_removed"]
# One that no rule of its policy keeps.
RETENTION = ["api.retention.marked", "api.delete.object_removed"]
START = ["api.start_session.committed", *COMMAND, "session.starting", "session.launched",
         "session.reported", "api.status.applied"]
RESTORE = [*START, "restore.staging_created", "restore.extracted", "restore.swap_journaled",
           "restore.swapped", "restore.replaced_kept"]
RESTORE_PATHS = [*RESTORE, "restore.rest_copied"]
# With no data there is none to keep.
RESTORE_EMPTY = [point for point in RESTORE if point != "restore.replaced_kept"]
STOP = [*COMMAND, "session.stopped", "api.status.applied"]
UNDO = [*COMMAND, "undo.journaled", "undo.swapped", "api.status.applied"]
DRILL = ["api.drill.committed", *COMMAND, "drill.running_reported", "drill.unpacked", "drill.examined",
         "drill.scratch_removed", "drill.outcome_journaled", "drill.reported", "api.status.applied"]
# On a world that is whole.
DRILL_GAME = ["drill.unpacked", "drill.examined", "drill.game_started", "drill.game_ready", "drill.scratch_removed",
              "drill.outcome_journaled", "drill.reported"]
# What orders a backup without a call.
POLICY = ["api.scheduler.committed", *COMMAND]
SESSION_END = ["session.stopped", "api.status.applied", "api.scheduler.attempted"]
# tests/integration/test_webhooks.py
WEBHOOK = ["api.webhook.sent"]
# What a service does when it starts.
START_UP = ["host.registered", "api.uploads_swept", "host.session_forgotten"]
FLOWS = (BACKUP, SNAPSHOT, CANCEL, DELETE, RETENTION, START, RESTORE, RESTORE_PATHS, RESTORE_EMPTY, STOP, UNDO, DRILL, DRILL_GAME, POLICY,
         SESSION_END, WEBHOOK, START_UP)

# Points that one flow passes more than once: how many of those passes are tried.
ROUNDS = {"api.status.applied": 2}
LIVE = ("pending", "starting", "running", "stopping")


def with_points(points):
    """Gives a scenario one test for each point."""
    def decorate(scenario):
        for point in points:
            def test(self, point=point):
                self.run_point(point)
            setattr(scenario, "test_" + point.replace(".", "_"), test)
        return scenario
    return decorate


class CrashScenario(ServiceCase):
    """One flow; a scenario says how it is prepared, begun and judged.

    Some points are passed by other work too (the report on an adopted game while the service
    starts): then the flow has not begun, and the test tries the next pass of the point.
    """

    def build(self):
        """Once, on a running service."""

    def prepare(self):
        """Before each crash, on a running service."""

    def act(self):
        """The call that begins the flow."""
        raise NotImplementedError

    def began(self):
        """After the crash and a start: did the call leave its mark?"""
        raise NotImplementedError

    def finished(self):
        """Is the flow at its end, as the API shows it?"""
        raise NotImplementedError

    def check_crashed(self):
        """What must hold on disk at the moment of the crash."""

    def check(self):
        """What must hold once the service has come back."""
        raise NotImplementedError

    def run_point(self, point):
        self.service.start()
        self.build()
        hits = 0
        for number in range(1, 13):
            self.prepare()
            self.service.stop()
            self.service.launch(f"{point}@{number}=crash")
            if not self._crash():
                self.assertGreater(hits, 0, f"the flow never passed {point}")
                return
            self.check_crashed()
            self.service.start()
            if not self.began():
                continue
            self.check()
            self.check_nothing_is_stuck()
            hits += 1
            if hits == ROUNDS.get(point, 1):
                return
        self.assertGreater(hits, 0, f"{point} was passed, but never by the flow")

    def _crash(self):
        """Begins the flow and waits until the point kills the service; False if it never does."""
        if self.service.wait_ready():
            try:
                self.act()
            except grpc.RpcError as error:
                lost = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
                self.assertIn(error.code(), lost, error.details())
            if not self._wait_end():
                return False
        self.service.wait_crash()
        return True

    def _wait_end(self):
        """True when the service has died; False when the flow ended and it still lives."""
        def died():
            return self.service.process.poll() is not None

        def died_or_finished():
            try:
                return died() or self.finished()
            except grpc.RpcError:
                return died()
        wait_until(died_or_finished, 60, "the service to die at its failpoint")
        try:
            # Some points come after the last status, which is when the flow shows as finished.
            return wait_until(died, 3, "the service to die")
        except AssertionError:
            return False

    def check_nothing_is_stuck(self):
        wait_until(lambda: not self.service.leftovers(), 30,
                   f"leftovers to be cleared: {self.service.leftovers()}")
        for backup in self.api.backups():
            self.assertIn(backup.status, ("completed", "failed", "cancelled"), backup)
        for session in self.api.sessions():
            self.assertNotIn(session.status, ("pending", "starting", "stopping"), session)
        # One object for each completed backup, and none beside them.
        urls = [b.s3_url for b in self.api.backups() if b.status == "completed"]
        self.assertEqual(self.service.objects(), sorted(map(self.service.object_path, urls)))
        audit.wait_nothing_found(self.service)

    # -- for several scenarios -------------------------------------------------------------------

    def snapshot(self):
        """game/ as it is; None when it is not there."""
        game = self.service.game(self.sgc)
        return trees.snapshot(game) if os.path.lexists(game) else None

    def assert_wholly_one_of(self, **versions):
        now = self.snapshot()
        differences = {}
        for name, version in versions.items():
            if now is None or version is None:
                if now is version:
                    return
                differences[name] = "there is no game/" if now is None else "game/ should be away"
                continue
            differences[name] = trees.diff(version, now)
            if not differences[name]:
                return
        self.fail(f"game/ is neither of its versions: {differences}")

    def game_pids(self):
        """Processes that work in game/: the game's own, not its wrapper."""
        game = os.path.realpath(self.service.game(self.sgc))
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink(f"/proc/{pid}/cwd").startswith(game):
                    found.append(int(pid))
            except OSError:
                continue
        return found
