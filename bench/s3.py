"""Backups to Ceph's S3 gateway and restores from it: manman's service against tar with awscli, and restic."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from lib import games, paths
from lib.cluster import BUCKET, Cluster, Engines
from lib.service import clean_environment
from measure import Contestant, contest, run_once, warm
from results import Checks, table

MEMORY_LIMIT_MIB = 192
CEPH_GIB = 12
LOOKS = 9
CAT_LIMIT_MS = 100
AWS = 'aws --endpoint-url "$ENDPOINT"'
TAR_URL = f"s3://{BUCKET}/tar.tar.gz"


class Service:
    """API and host manager on `engines`, with the world at `source` as the save data of one game."""

    def __init__(self, engines, source):
        self.cluster = Cluster(engines, apis=1, hosts=("alpha",))
        self.source = source

    def __enter__(self):
        self.cluster.__enter__()
        self.sgc = self.cluster.deploy("alpha", self.source.name, stop_command="stop",
                                       entrypoint=["/bin/sh", "-c", games.CONSOLE_GAME])
        self.game = self.cluster.game("alpha", self.sgc)
        shutil.rmtree(self.game, ignore_errors=True)
        self.game.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-a", self.source / "game", self.game], check=True)
        warm(self.game)
        return self

    def __exit__(self, *_):
        self.cluster.__exit__()

    def backup(self):
        return Contestant("manman", f"{self._command()} backup create --sgc {self.sgc} --wait", self.source)

    def restore(self):
        """Of the newest backup."""
        newest = max(backup.backup_id for backup in self.cluster.api().backups())
        return Contestant("manman", f"{self._command()} session start {self.sgc} --restore-from {newest} --wait",
                          self.source, before=self._stop_game)

    def cat(self):
        """Of the smallest region file of the newest backup, straight from the store."""
        newest = max(self.cluster.api().backups(), key=lambda backup: backup.backup_id)
        path = min(self.game.rglob("*.mca"), key=lambda path: path.stat().st_size)
        return Contestant("archive cat", f"S3_ENDPOINT=\"$ENDPOINT\" S3_ACCESS_KEY=\"$AWS_ACCESS_KEY_ID\" "
                          f"S3_SECRET_KEY=\"$AWS_SECRET_ACCESS_KEY\" '{paths.manman()}' archive cat {newest.s3_url} "
                          f"'game/{path.relative_to(self.game)}' > /dev/null", self.source)

    def peak_mib(self):
        """Of the host manager, since its start."""
        status = Path(f"/proc/{self.cluster.hosts['alpha'].process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024

    def check_restored(self):
        subprocess.run(["diff", "-r", self.source / "game", self.game], check=True)

    def _command(self):
        return f"'{paths.manman()}' -q --api {self.cluster.apis[0].word_after('grpc')}"

    def _stop_game(self):
        api = self.cluster.api()
        for session in api.sessions():
            if session.status == "running":
                api.StopSession(session_id=session.session_id)
                api.wait_session(session.session_id, "stopped")


def measure(words, world):
    """Lines and checks for the results; `world(name)` gives a folder with game/ in it."""
    small = world("world-400mb")
    data = warm(small)
    peaks = []
    lines = [f"A world of {data / 1e6:.0f} MB, medians of {words.rounds} rounds, over HTTP to Ceph's gateway on the "
             "same machine, which keeps objects in memory. manman's times are of a whole backup and restore by its "
             "service, data synced to disk and the game started; CPU and memory are those of the commands, and "
             "its host manager's are not among them.", ""]
    with tempfile.TemporaryDirectory(prefix="bench-", dir=words.cache) as scratch, \
            Engines(gates=False, ceph_gib=CEPH_GIB) as engines:
        environment = settings(engines, scratch)
        with Service(engines, small) as service:
            backups, restores = contests(words, service, environment, Path(scratch))
            service.check_restored()
            peaks.append(("400 MB", service.peak_mib()))
        lines += ["Backup:", "", *table(backups, backups[1], data), "", "Restore:", "",
                  *table(restores, restores[1], data), ""]
        if not words.no_large:
            with Service(engines, world("world-4gb")) as service:
                backup = service.backup()
                run_once(backup, Path(scratch) / "none", environment)
                restore = service.restore()
                run_once(restore, Path(scratch) / "none", environment)
                service.check_restored()
                peaks.append(("4 GB", service.peak_mib()))
                one_file = service.cat()
                for _ in range(LOOKS):
                    run_once(one_file, Path(scratch) / "none", environment)
            lines += [f"A world of ten times that: backup {backup.median:.1f} s, restore {restore.median:.1f} s, one of its files out of "
                      f"the archive by `archive cat` {one_file.median * 1000:.0f} ms (median of {LOOKS}).", ""]
    checks = Checks()
    for name, ours, tar, restic in (("backup", *backups), ("restore", *restores)):
        checks.add(f"{name}, times as fast as {tar.name}", tar.median / ours.median,
                   {"backup": 5, "restore": 2}[name], True)
        checks.add(f"{name}, times as fast as {restic.name}", restic.median / ours.median,
                   {"backup": 1.8, "restore": 1.3}[name], True)
    if not words.no_large:
        checks.add("one file out of 4 GB", one_file.median * 1000, CAT_LIMIT_MS, False, " ms")
    for size, peak in peaks:
        checks.add(f"peak memory of the host manager at {size}", peak, MEMORY_LIMIT_MIB, False, " MiB")
    return lines, checks


def settings(engines, scratch):
    ceph = engines.ceph
    return {"ENDPOINT": ceph.endpoint, "AWS_ACCESS_KEY_ID": ceph.access_key,
            "AWS_SECRET_ACCESS_KEY": ceph.secret_key, "AWS_DEFAULT_REGION": ceph.region,
            "AWS_EC2_METADATA_DISABLED": "true", "RESTIC_PASSWORD": "bench",
            "RESTIC_CACHE_DIR": f"{scratch}/restic-cache", "RESTIC_REPOSITORY": f"s3:{ceph.endpoint}/restic"}


def contests(words, service, environment, scratch):
    """(backups, restores) of manman, tar with awscli, and restic."""
    def sh(command):
        subprocess.run(["bash", "-c", command], check=True, stdout=subprocess.DEVNULL,
                       env=clean_environment(**environment))

    def new_repository():
        sh(f"{AWS} s3 rb --force s3://restic 2>/dev/null; rm -rf \"$RESTIC_CACHE_DIR\"; restic -q init")

    # The gateway's first upload in parts makes a pool, for a second or two.
    sh(f"head -c 20M /dev/zero | {AWS} s3 cp --only-show-errors - {TAR_URL}")
    source = service.source
    backups = [service.backup(),
               Contestant("tar cz | aws s3 cp", f'tar cz -C "$IN" game | {AWS} s3 cp --only-show-errors - {TAR_URL}', source),
               Contestant("restic, first backup", 'cd "$IN" && restic -q backup game', source,
                          before=new_repository)]
    print("backup", flush=True)
    contest(backups, scratch, words.rounds, environment)
    restores = [service.restore(),
                Contestant("aws s3 cp | tar xz", f'mkdir "$OUT" && {AWS} s3 cp --only-show-errors {TAR_URL} - | tar xz -C "$OUT"', source),
                Contestant("restic restore", 'restic -q restore latest --target "$OUT"', source)]
    print("restore", flush=True)
    contest(restores, scratch, words.rounds, environment)
    return backups, restores
