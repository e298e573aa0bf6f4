"""Real Minecraft region files go into a backup and come back chunk by chunk."""

import shutil
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import anvil  # noqa: E402
from lib import games, trees  # noqa: E402
from lib.case import ServiceCase  # noqa: E402


class AnvilRegions(ServiceCase):
    def setUp(self):
        super().setUp()
        self.service.start()
        self.sgc = games.deploy(self.api, "minecraft", ["/bin/sleep", "100000"])
        self.game = self.service.game(self.sgc)
        self.region = self.game / "world/region"
        self.assertEqual(anvil.fetch(self.region), 12, "the package's regions")

    def chunks(self):
        return {path.relative_to(self.game): anvil.chunks(path)
                for path in sorted(self.region.rglob("*.mca"))}

    def test_regions_come_back(self):
        chunks = self.chunks()
        self.assertEqual(sum(map(len, chunks.values())), 2903, "real chunks in all versions")
        before = trees.snapshot(self.game)
        session = games.start(self.service, self.sgc)
        self.service.cli("backup", "create", "--session", session.session_id, "--wait")
        backup = self.api.backups()[0]
        games.stop(self.service, session.session_id)
        self.assert_archive_holds(self.service.object_path(backup.s3_url), before)

        regions = sorted(self.region.rglob("*.mca"))
        regions[0].unlink()
        with open(regions[1], "r+b") as file:
            file.seek(8192)
            file.write(b"\0" * 40_000)
        shutil.rmtree(regions[-1].parent)
        with self.assertRaises((ValueError, OSError, anvil.zlib.error)):
            self.chunks()

        self.service.cli("session", "start", self.sgc, "--restore-from", backup.backup_id, "--wait")
        trees.assert_same(before, trees.snapshot(self.game), "the restored world")
        self.assertEqual(self.chunks(), chunks)

    def test_they_are_whole_by_examination(self):
        report = self.service.cli_json("examine", self.game, "--profile", "minecraft-java")
        self.assertEqual((report["whole"], report["regions"], report["chunks"], report["unexamined_count"]),
                         (True, 12, 2903, 0), report)
        region = sorted(self.region.rglob("*.mca"))[1]
        with open(region, "r+b") as file:
            file.seek(20_000)
            file.write(bytes(4096))
        done = self.service.cli("examine", self.game, expect=7)
        self.assertIn(f"problem: world/region/{region.parent.name}/{region.name}: chunk ", done.stdout)

    def test_one_region_from_the_download(self):
        backup = games.backup(self.service, server_game_config_id=self.sgc)
        copy = self.temp_folder() / "world.tar.gz"
        self.service.cli("backup", "download", backup.backup_id, copy)
        self.assertEqual(copy.read_bytes(),
                         self.service.object_path(backup.s3_url).read_bytes())
        region = sorted(self.region.rglob("*.mca"))[3]
        name = Path("game") / region.relative_to(self.game)
        out = self.temp_folder()
        self.service.cli("archive", "extract", copy, out / "part", name)
        self.assertEqual((out / "part" / name).read_bytes(), region.read_bytes())
        self.assertEqual(len([p for p in (out / "part").rglob("*") if p.is_file()]), 1)


if __name__ == "__main__":
    unittest.main()
