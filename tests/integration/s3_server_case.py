"""What is tested on every real S3 server: the store's conformance, and `manman archive` with clients
that no one here wrote on the other side."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import paths, trees  # noqa: E402
from lib.service import clean_environment  # noqa: E402

BUCKET = "manman-test"
AWS = "/usr/bin/aws"


class S3ServerCase(unittest.TestCase):
    """A subclass names its server (server_class); one for all its tests."""

    server_class = None
    left_out = ""  # conformance tests that this server can't run

    @classmethod
    def setUpClass(cls):
        cls.server = cls.server_class()
        cls.enterClassContext(cls.server)
        aws(cls.server, "s3api", "create-bucket", "--bucket", BUCKET)

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="manman-s3-"))
        self.addCleanup(shutil.rmtree, self.folder, True)

    def manman(self, *words, expect=0, **settings):
        environment = clean_environment(**self.server.settings())
        environment.update(settings)
        done = subprocess.run([str(paths.manman()), "archive", *map(str, words)], env=environment,
                              capture_output=True, text=True, check=False, timeout=120)
        self.assertEqual(done.returncode, expect, f"{done.args}: {done.stdout}{done.stderr}")
        if environment["S3_SECRET_KEY"]:
            self.assertNotIn(environment["S3_SECRET_KEY"], done.stdout + done.stderr)
        return done

    def conformance(self):
        environment = clean_environment(**self.server.settings(), S3_BUCKET=BUCKET)
        done = subprocess.run([str(paths.s3_conformance()), f"--gtest_filter=-{self.left_out}"],
                              env=environment, capture_output=True, text=True, check=False, timeout=300)
        self.assertEqual(done.returncode, 0, f"{done.stdout[-5000:]}{done.stderr[-2000:]}\n{self.server.log()}")

    def archives(self):
        world = self.folder / "world"
        trees.make_world(world, 3, regions=6, region_kib=4096)
        before = trees.snapshot(world)
        url = f"s3://{BUCKET}/worlds/3 é.tar.gz"
        made = json.loads(self.manman("create", world, url, "-o", "json").stdout)
        self.assertGreater(made["archive_size_bytes"], 10 << 20, "one part only")
        self.assertIn("there already", self.manman("create", world, url, expect=4).stderr)
        self._others_read_it(url, before, made)
        self._manman_reads_it(url, world, before, made)
        again = self.manman("create", world, url, "--force", "-o", "json")
        self.assertEqual(json.loads(again.stdout)["sha256"], made["sha256"])
        uploads = json.loads(aws(self.server, "s3api", "list-multipart-uploads", "--bucket", BUCKET) or "{}")
        self.assertEqual(uploads.get("Uploads", []), [])

    def _others_read_it(self, url, before, made):
        local = self.folder / "downloaded.tar.gz"
        aws(self.server, "s3", "cp", "--quiet", url, local)
        self.assertEqual(local.stat().st_size, made["archive_size_bytes"])
        out = self.folder / "by-tar"
        out.mkdir()
        subprocess.run(["tar", "--numeric-owner", "-xpzSf", local, "-C", out], check=True)
        trees.assert_same(before, trees.snapshot(out / "game"), "restored by GNU tar", ignore=("holes",))
        # And the other way round.
        theirs = f"s3://{BUCKET}/theirs.tar.gz"
        aws(self.server, "s3", "cp", "--quiet", local, theirs)
        self.manman("verify", theirs)

    def _manman_reads_it(self, url, world, before, made):
        verified = json.loads(self.manman("verify", url, "-o", "json").stdout)
        self.assertEqual(verified["sha256"], made["sha256"])
        listed = self.manman("list", url, "-q").stdout
        self.assertIn("game/world/level.dat\n", listed)
        content = subprocess.run([str(paths.manman()), "archive", "cat", url, "game/world/level.dat"],
                                 env=clean_environment(**self.server.settings()), capture_output=True,
                                 check=True).stdout
        self.assertEqual(content, (world / "world/level.dat").read_bytes())
        out = self.folder / "by-manman"
        self.manman("extract", url, out, "--strip", "game")
        trees.assert_same(before, trees.snapshot(out), "restored by manman")

    def wrong_settings(self):
        url = f"s3://{BUCKET}/nothing.tar.gz"
        self.assertIn("no such object", self.manman("list", url, expect=3).stderr)
        self.assertIn("S3_SECRET_KEY", self.manman("list", url, expect=1, S3_SECRET_KEY="no-such").stderr)
        self.assertIn("S3_ACCESS_KEY", self.manman("list", url, expect=1, S3_ACCESS_KEY="no-such").stderr)
        self.assertIn("S3_BUCKET", self.manman("list", "s3://no-such-bucket/k", expect=4).stderr)
        self.assertIn("S3_ENDPOINT", self.manman("list", url, expect=5,
                                                 S3_ENDPOINT="http://127.0.0.1:1").stderr)
        self.assertIn("S3_SECRET_KEY", self.manman("list", url, expect=2, S3_SECRET_KEY="").stderr)


def aws(server, *words):
    """Debian's awscli, as the server's user."""
    if not Path(AWS).exists():
        raise SystemExit("awscli is not installed: scripts/install-packages test")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {"AWS_ACCESS_KEY_ID": server.access_key, "AWS_SECRET_ACCESS_KEY": server.secret_key,
                    "AWS_DEFAULT_REGION": server.region, "AWS_CONFIG_FILE": "/dev/null",
                    "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": ""}
    command = [AWS, "--endpoint-url", server.endpoint, "--output", "json", *map(str, words)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {done.stderr}\n{server.log()}")
    return done.stdout
