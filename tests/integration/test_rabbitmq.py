"""The RabbitMQ bus on a real broker: what it promises, and what it says of bad settings."""

import socket
import subprocess
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib import paths  # noqa: E402
from lib.service import clean_environment  # noqa: E402
from lib.wait import wait_until  # noqa: E402
from rabbitmq_case import QUEUE, RabbitmqCase  # noqa: E402
from servers.certificates import Authority  # noqa: E402
from servers.proxy import Proxy  # noqa: E402


def setUpModule():
    RabbitmqCase.share_broker()


class Promises(RabbitmqCase):
    def test_conformance(self):
        done = subprocess.run([str(paths.conformance("rabbitmq_conformance")), "--gtest_brief=1"],
                              env=clean_environment(RABBITMQ_URL=self.url()), check=False,
                              capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_processes_that_start_at_once_share_a_queue(self):
        clients = [self.client("consume", QUEUE, "q.#", 2) for _ in range(5)]
        for client in clients:
            client.wait_told("ready")
        self.assertEqual(self.client("publish", "q.a", 300, 8).finish(), 0)
        self.assert_all_handled(clients, 300)
        shares = [len(client.told("handled")) for client in clients]
        self.assertEqual(sum(shares), 300, "each is handled once")
        self.assertGreater(min(shares), 0)

    def test_a_message_without_a_queue_is_unavailable(self):
        self.assert_fails(self.client("publish-once", "nobody.listens", "x"), "UNAVAILABLE",
                          "no queue is bound for nobody.listens")

    def test_a_declared_queue_keeps_messages_over_a_restart_of_the_broker(self):
        self.assertEqual(self.client("declare", QUEUE, "q.#").finish(), 0)
        self.broker.wait_written(QUEUE, self.vhost)
        self.assertEqual(self.client("publish", "q.a", 20, 4).finish(), 0)
        self.broker.kill()
        self.broker.start()
        self.assert_all_handled([self.consumer()], 20)

    def test_rejected_messages_are_dead_letters_with_their_reason(self):
        consumer = self.consumer()
        self.broker.put("q.a.b", "bad \u00e4", vhost=self.vhost)
        self.broker.put("q.a.b", "good", vhost=self.vhost)
        consumer.wait_told("handled")
        letters = self.broker.take("manman.dead-letters", self.vhost)
        self.assertEqual([(m["payload"], m["routing_key"]) for m in letters],
                         [("bad \u00e4", "q.a.b")])
        headers = letters[0]["properties"]["headers"]
        self.assertEqual([headers[name] for name in ("x-reason", "x-queue", "x-routing-key")],
                         ["it is bad", QUEUE, "q.a.b"])
        self.assertEqual(letters[0]["properties"]["delivery_mode"], 2)
        consumer.stop()
        self.assertEqual(self.broker.take(QUEUE, self.vhost), [])

    def test_a_body_above_the_limit_is_a_dead_letter(self):
        consumer = self.consumer()
        limit = 1 << 20
        self.broker.put("q.a", "x" * (limit + 1), vhost=self.vhost)
        self.broker.put("q.a", "good", vhost=self.vhost)
        self.assertEqual(consumer.wait_told("handled"), ["good new"])
        letter, = self.broker.take("manman.dead-letters", self.vhost)
        self.assertEqual(letter["payload_bytes"], limit)
        headers = letter["properties"]["headers"]
        self.assertEqual(headers["x-body-size"], str(limit + 1))
        self.assertIn(f"{limit + 1} bytes is above the limit", headers["x-reason"])

    def test_the_broker_knows_the_connections_by_name(self):
        self.consumer()

        def names():
            return {c["client_properties"].get("connection_name")
                    for c in self.broker.http("GET", "connections")}
        wait_until(lambda: {"test publish", "test consume q"} <= names(), 30, "the names")


class BadSettings(RabbitmqCase):
    def refused(self, code, *texts, **options):
        self.assert_fails(self.client("open", url=self.url(**options)), code, "RABBITMQ_URL: ",
                          *texts)

    def test_wrong_password(self):
        self.refused("UNAUTHENTICATED", "user 'manman' or its password is refused",
                     password="secret")

    def test_unknown_user(self):
        self.refused("UNAUTHENTICATED", "user 'nobody'", user="nobody")

    def test_virtual_host(self):
        url = self.broker.url("absent")
        self.assert_fails(self.client("open", url=url), "NOT_FOUND", "virtual host 'absent'")

    def test_virtual_host_of_others(self):
        self.broker.http("PUT", "users/stranger", {"password": "secret", "tags": ""})
        self.refused("PERMISSION_DENIED", self.vhost, "stranger", user="stranger", password="secret")

    def test_no_right_to_declare(self):
        self.broker.http("PUT", "users/reader", {"password": "secret", "tags": ""})
        self.broker.allow("reader", self.vhost, configure="^$")
        self.refused("PERMISSION_DENIED", "exchange manman", user="reader", password="secret")

    def test_nobody_listens(self):
        with Proxy(self.broker.port) as gate:
            port = gate.port
        self.refused("UNAVAILABLE", f"127.0.0.1:{port}", "Connection refused", port=port)

    def test_unknown_host(self):
        self.refused("UNAVAILABLE", "host broker.invalid is not found", host="broker.invalid")

    def test_no_broker_listens_there(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            def answer():
                connection, _ = listener.accept()
                with connection:
                    connection.recv(1000)
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            threading.Thread(target=answer, daemon=True).start()
            self.refused("UNAVAILABLE", "broke the login off", "RabbitMQ's port",
                         port=listener.getsockname()[1])

    def test_a_broker_that_does_not_answer(self):
        with Proxy(self.broker.port) as gate:
            gate.hang()
            client = self.client("open", url=self.url(port=gate.port), CONNECT_TIMEOUT_MS=300)
            self.assert_fails(client, "UNAVAILABLE", "did not answer the login")

    def test_form_of_the_url(self):
        self.assert_fails(self.client("open", url="http://u:p@h"), "INVALID_ARGUMENT", "amqp://")

    def test_a_queue_of_another_type(self):
        self.broker.http("PUT", f"queues/{self.vhost}/{QUEUE}", {"durable": True})
        for words in (("consume", QUEUE, "q.#"), ("declare", QUEUE, "q.#")):
            self.assert_fails(self.client(*words), "FAILED_PRECONDITION", f"queue {QUEUE}: ",
                              "inequivalent arg", "delete it")

    def test_an_exchange_of_another_type(self):
        self.broker.http("PUT", f"exchanges/{self.vhost}/manman",
                         {"type": "direct", "durable": True})
        self.refused("FAILED_PRECONDITION", "exchange manman: ", "delete it")


class Tls(RabbitmqCase):
    def open(self, ca_file, **options):
        return self.client("declare", QUEUE, "q.#", url=self.url(tls=True, **options),
                           RABBITMQ_CA_FILE=ca_file)

    def test_right_authority(self):
        client = self.open(self.authority.file, host="localhost")
        self.assertEqual(client.finish(), 0, client.lines)

    def test_messages_go_through(self):
        settings = {"url": self.url(tls=True, host="localhost"),
                    "RABBITMQ_CA_FILE": self.authority.file}
        consumer = self.client("consume", QUEUE, "q.#", **settings)
        consumer.wait_told("ready")
        self.assertEqual(self.client("publish", "q.a", 300, 8, **settings).finish(), 0)
        self.assert_all_handled([consumer], 300)
        self.assertLess(consumer.stop(), 3)

    def test_wrong_authority(self):
        with Authority("another authority") as other:
            self.assert_fails(self.open(other.file, host="localhost"), "UNAUTHENTICATED",
                              "RABBITMQ_URL: ", "certificate of localhost", "is not trusted")

    def test_authorities_of_the_system(self):
        self.assert_fails(self.open("", host="localhost"), "UNAUTHENTICATED", "is not trusted")

    def test_wrong_host(self):
        self.assert_fails(self.open(self.authority.file, host="127.0.0.1"), "UNAUTHENTICATED",
                          "certificate of 127.0.0.1", "mismatch")

    def test_missing_authority_file(self):
        self.assert_fails(self.open("/nonexistent/ca.pem", host="localhost"), "INVALID_ARGUMENT",
                          "CA file /nonexistent/ca.pem")

    def test_port_without_tls(self):
        client = self.open(self.authority.file, host="localhost", port=self.broker.port)
        self.assert_fails(client, "UNAVAILABLE", "no TLS connection")

    def test_plain_on_the_port_of_tls(self):
        self.assert_fails(self.client("open", url=self.url(port=self.broker.tls_port)),
                          "UNAVAILABLE", "without TLS?")


if __name__ == "__main__":
    unittest.main()
