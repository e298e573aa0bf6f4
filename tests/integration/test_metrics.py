"""What Prometheus is told: by the rules of its own linter, scraped by a real one, and what alerts and dashboard ask
for is there."""

import json
import re
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import games, paths, trees  # noqa: E402
from lib.case import ServiceCase  # noqa: E402
from lib.wait import wait_until  # noqa: E402
from servers.prometheus import Prometheus  # noqa: E402

PACKAGING = paths.ROOT / "packaging"
ALERTS = PACKAGING / "prometheus/alerts.yml"
DASHBOARD = PACKAGING / "grafana/manman.json"
METRIC = re.compile(r"\bmanman_[a-z_]+")


def promtool(*words, given=""):
    return subprocess.run(["promtool", *map(str, words)], input=given, capture_output=True, text=True, check=False)


class Metrics(ServiceCase):
    def setUp(self):
        super().setUp()
        self.service.start()
        self.sgc = games.deploy_console(self.api)
        trees.make_world(self.service.game(self.sgc), seed=1, regions=1, region_kib=64)

    def text(self):
        status, body = self.service.http("/metrics")
        self.assertEqual(status, 200)
        return body.decode()

    def value(self, series):
        for line in self.text().splitlines():
            name, _, value = line.rpartition(" ")
            if name == series:
                return float(value)
        return None

    def fresh(self, series, value):
        """The database is asked every few seconds."""
        wait_until(lambda: self.value(series) == value, 20, f"{series} to be {value}: {self.value(series)}")

    def test_a_linter_has_nothing_to_say(self):
        games.backup(self.service, server_game_config_id=self.sgc)
        checked = promtool("check", "metrics", given=self.text())
        self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, "", ""))

    def test_they_tell_what_is_so(self):
        age = f'manman_sgc_last_good_backup_timestamp_seconds{{sgc_id="{self.sgc}",server_id="1"}}'
        self.assertEqual(self.value('manman_backups_ended_total{status="completed"}'), 0)
        self.assertEqual(self.value('manman_backups_ended_total{status="failed"}'), 0)
        self.fresh(age, 0)
        before = int(time.time())
        backup = games.backup(self.service, server_game_config_id=self.sgc)
        self.assertEqual(self.value('manman_backups_ended_total{status="completed"}'), 1)
        self.assertEqual(self.value(f'manman_backups_completed_total{{consistency="{backup.consistency}"}}'), 1)
        self.assertEqual(self.value("manman_backup_size_bytes_sum"), backup.size_bytes)
        self.assertEqual(self.value("manman_backup_duration_seconds_count"), 1)
        self.assertEqual(self.value("manman_database_up"), 1)
        self.fresh('manman_hosts{status="online"}', 1)
        wait_until(lambda: self.value(age) >= before, 20, "the age of the last good backup")
        self.fresh("manman_outbox_commands", 0)
        # The host manager of this process tells its own beside them.
        self.assertEqual(self.value('manman_host_backups_ended_total{result="completed"}'), 1)
        self.assertEqual(self.value("manman_host_archive_bytes_total"), backup.size_bytes)
        self.assertEqual(self.value("manman_host_read_bytes_total"), backup.total_bytes)
        self.assertEqual(self.value("manman_host_games"), 0)
        self.assertGreater(self.value("manman_host_data_free_bytes"), 0)
        session = games.start(self.service, self.sgc).session_id
        self.assertEqual(self.value("manman_host_games"), 1)
        self.fresh('manman_sessions{status="running"}', 1)
        games.stop(self.service, session)
        self.fresh('manman_sessions{status="running"}', 0)

    def test_a_real_prometheus_scrapes_them(self):
        with Prometheus([self.service.endpoints["http"]], rules=[ALERTS]) as prometheus:
            wait_until(lambda: prometheus.value('up{job="manman"}') == 1, 30, "a scrape")
            games.backup(self.service, server_game_config_id=self.sgc)
            wait_until(lambda: prometheus.value('manman_backups_ended_total{status="completed"}') == 1, 30,
                       "the backup to be scraped")
            groups = prometheus.get("rules")["groups"]
            rules = [rule for group in groups for rule in group["rules"]]
            self.assertGreater(len(rules), 5)
            wait_until(lambda: all(rule["health"] == "ok" for group in prometheus.get("rules")["groups"]
                                   for rule in group["rules"]), 30, "all rules to be evaluated")
            self.service.stop()
            wait_until(lambda: prometheus.value('ALERTS{alertname="ManmanDown"}') == 1, 30, "an alert to be pending")


class Packaging(ServiceCase):
    def test_the_rules_are_right_by_their_own_tests(self):
        for words in (("check", "rules", ALERTS), ("test", "rules", ALERTS.with_name("alerts_test.yml"))):
            done = promtool(*words)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_rules_and_dashboard_ask_for_what_there_is(self):
        self.service.start()
        sgc = games.deploy_console(self.api)
        trees.make_world(self.service.game(sgc), seed=1, regions=1, region_kib=64)
        games.backup(self.service, server_game_config_id=sgc)
        wait_until(lambda: "manman_outbox_lag_seconds" in self.service.http("/metrics")[1].decode(), 20, "the state")
        told = set(METRIC.findall(self.service.http("/metrics")[1].decode()))
        dashboard = json.loads(DASHBOARD.read_text())
        queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
        self.assertGreater(len(queries), 8)
        for text in (*queries, *re.findall(r"expr: (?:>-\n)?((?:.|\n        )+)", ALERTS.read_text())):
            asked = set(METRIC.findall(text))
            self.assertLessEqual(asked, told, text)
            self.assertTrue(asked or "up{" in text, text)
        documented = set(METRIC.findall((paths.ROOT / "docs/metrics.md").read_text()))
        names = {re.sub(r"_(bucket|sum|count)$", "", name) if f"# TYPE {name} " not in self.service.http(
            "/metrics")[1].decode() else name for name in told}
        self.assertEqual(names - documented, set(), "told, but not in docs/metrics.md")
        self.assertEqual(documented - names, set(), "in docs/metrics.md, but not told")


if __name__ == "__main__":
    unittest.main()
