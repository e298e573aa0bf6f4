"""The RabbitMQ bus while the broker dies, hangs and refuses: nothing that was confirmed is lost."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib.wait import wait_until  # noqa: E402
from rabbitmq_case import QUEUE, RabbitmqCase  # noqa: E402
from servers.proxy import Proxy  # noqa: E402

STOP_SECONDS = 3


def setUpModule():
    RabbitmqCase.share_broker()


class BrokerFaults(RabbitmqCase):
    def consumer_of_a_new_queue(self, *more, **settings):
        consumer = self.consumer(*more, **settings)
        self.broker.wait_written(QUEUE, self.vhost)
        return consumer

    def assert_all_confirmed(self, publisher, count):
        self.assertEqual(publisher.finish(120), 0, publisher.log[-5:])
        self.assertEqual(sorted(map(int, publisher.told("confirmed"))), list(range(count)))

    def test_broker_killed_while_messages_pass(self):
        count = 3000
        consumer = self.consumer_of_a_new_queue(1)
        publisher = self.client("publish", "q.a", count, 8)
        publisher.wait_told("confirmed", 300)
        self.broker.kill()
        consumer.wait_log("is lost")
        self.broker.start()
        self.assert_all_confirmed(publisher, count)
        self.assertTrue(publisher.told("error UNAVAILABLE"))
        self.assert_all_handled([consumer], count)
        consumer.wait_log("is there again")

    def test_broker_that_hangs_for_longer_than_a_heartbeat(self):
        count = 1000
        consumer = self.consumer(1, HEARTBEAT_S=1)
        publisher = self.client("publish", "q.a", count, 8, HEARTBEAT_S=1, PUBLISH_TIMEOUT_MS=1000)
        publisher.wait_told("confirmed", 100)
        self.broker.pause()
        self.addCleanup(self.broker.resume)
        consumer.wait_log("silent for too long")
        publisher.wait_log("silent for too long")
        self.broker.resume()
        self.assert_all_confirmed(publisher, count)
        self.assert_all_handled([consumer], count)

    def test_a_handler_may_take_longer_than_many_heartbeats(self):
        consumer = self.consumer(5000, HEARTBEAT_S=1)
        self.broker.put("q.a", "slow", vhost=self.vhost)
        self.assertEqual(consumer.wait_told("handled"), ["slow new"])
        self.assertFalse(any("lost" in line for line in consumer.log), consumer.log)

    def test_connections_cut_while_messages_pass(self):
        count = 2000
        with Proxy(self.broker.port) as gate:
            url = self.url(port=gate.port)
            consumer = self.consumer(1, url=url)
            publisher = self.client("publish", "q.a", count, 8, url=url)
            for confirmed in (100, 400, 700, 1000):
                publisher.wait_told("confirmed", confirmed)
                gate.cut_after(997)  # in the middle of a frame
                taken = gate.connections
                wait_until(lambda before=taken: gate.connections >= before + 2, 60,
                           "both to connect again")
            self.assert_all_confirmed(publisher, count)
            self.assert_all_handled([consumer], count)

    def test_slow_line(self):
        with Proxy(self.broker.port) as gate:
            consumer = self.consumer(url=self.url(port=gate.port))
            gate.slow(20_000)
            self.assert_all_confirmed(
                self.client("publish", "q.a", 100, 8, url=self.url(port=gate.port)), 100)
            gate.slow(0)
            self.assert_all_handled([consumer], 100)

    def test_broker_without_memory_refuses_messages_and_says_so(self):
        consumer = self.consumer()
        self.broker.ctl("set_vm_memory_high_watermark", "0.000001")
        try:
            publisher = self.client("publish", "q.a", 20, 2, PUBLISH_TIMEOUT_MS=1000)
            wait_until(lambda: any("takes no messages for now: low on memory" in line
                                   for line in list(publisher.log)), 60, "the refusal in the log")
            publisher.wait_told("error UNAVAILABLE")
        finally:
            self.broker.ctl("set_vm_memory_high_watermark", "0.4")
        self.assert_all_confirmed(publisher, 20)
        self.assert_all_handled([consumer], 20)

    def test_a_message_held_beyond_the_brokers_patience_comes_again(self):
        self.broker.ctl("eval", "application:set_env(rabbit, consumer_timeout, 1000), "
                                "application:set_env(rabbit, channel_tick_interval, 500).")
        try:
            consumer = self.consumer(5000)
            self.broker.put("q.a", "slow", vhost=self.vhost)
            self.assertEqual(consumer.wait_told("handled", 2), ["slow new", "slow again"])
            consumer.wait_log("delivery acknowledgement")
            wait_until(lambda: self.messages() == 0, 30, "the queue to be empty")
        finally:
            self.broker.ctl("eval", "application:set_env(rabbit, consumer_timeout, 1800000), "
                                    "application:set_env(rabbit, channel_tick_interval, 60000).")

    def messages(self):
        return self.broker.http("GET", f"queues/{self.vhost}/{QUEUE}").get("messages")

    def test_a_queue_that_is_deleted_is_made_again(self):
        consumer = self.consumer()
        self.broker.http("DELETE", f"queues/{self.vhost}/{QUEUE}")
        consumer.wait_log("is there again")
        self.assert_all_confirmed(self.client("publish", "q.a", 10, 1), 10)
        self.assert_all_handled([consumer], 10)

    def test_an_exchange_that_is_deleted_is_made_again(self):
        self.consumer()
        publisher = self.client("publish", "q.a", 100000, 2)
        publisher.wait_told("confirmed", 20)
        self.broker.http("DELETE", f"exchanges/{self.vhost}/manman")
        publisher.wait_log("is there again")
        publisher.wait_told("error UNAVAILABLE")
        self.consumer()  # binds the queue again
        publisher.wait_told("confirmed", len(publisher.told("confirmed")) + 20)


class Ending(RabbitmqCase):
    """An end is prompt, whatever the broker does."""

    def check_end(self, tls=False):
        port = self.broker.tls_port if tls else self.broker.port
        settings = {"RABBITMQ_CA_FILE": self.authority.file} if tls else {}
        with Proxy(port) as gate:
            url = self.url(host="localhost", port=gate.port, tls=tls)
            hung = self.client("consume", QUEUE, "q.#", url=url, **settings)
            again = self.client("consume", QUEUE, "q.#", url=url, **settings)
            for each in (hung, again):
                each.wait_told("ready")
            gate.hang()
            self.assertLess(hung.stop(), STOP_SECONDS, "while the broker hangs")
            taken = gate.connections
            gate.cut()
            wait_until(lambda: gate.connections >= taken + 2, 30, "it to connect again")
            self.assertLess(again.stop(), STOP_SECONDS, "while it connects to one that hangs")

    def test_plain(self):
        self.check_end()

    def test_tls(self):
        self.check_end(tls=True)

    def test_while_the_broker_is_away(self):
        with Proxy(self.broker.port) as gate:
            client = self.consumer(url=self.url(port=gate.port))
        client.wait_log("is lost")
        self.assertLess(client.stop(), STOP_SECONDS)

    def test_a_good_end_leaves_no_complaint_in_the_brokers_log(self):
        self.assertLess(self.consumer().stop(), STOP_SECONDS)

        def ends():
            # Clients of other tests, which are cut off on purpose, use the same broker.
            return [line for line in self.broker.log().splitlines()
                    if "closing AMQP connection" in line and f"'{self.vhost}'" in line]
        wait_until(ends, 20, "the broker to tell of the connection's end")
        self.assertEqual([line for line in ends() if "warning" in line], [])


if __name__ == "__main__":
    unittest.main()
