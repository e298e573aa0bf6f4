"""What the tests of the RabbitMQ bus share: a broker, and processes that use the bus."""

import contextlib
import subprocess
import threading
import time
import unittest

from lib import paths
from lib.service import clean_environment
from lib.wait import wait_until
from servers.certificates import Authority
from servers.rabbitmq import PASSWORD, RabbitMQ

QUEUE = "q"


class Client:
    """A running rabbitmq_client; `lines` is what it has printed so far."""

    def __init__(self, url, *words, **settings):
        environment = clean_environment(RABBITMQ_URL=url, **{k: str(v) for k, v in settings.items()})
        command = ["setpriv", "--pdeathsig", "KILL", str(paths.conformance("rabbitmq_client"))]
        self._process = subprocess.Popen([*command, *map(str, words)], env=environment, text=True,
                                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE)
        self.lines, self.log = [], []
        self._readers = [self._read(self._process.stdout, self.lines),
                         self._read(self._process.stderr, self.log)]

    @staticmethod
    def _read(stream, lines):
        def run():
            for line in stream:
                lines.append(line.rstrip("\n"))
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def told(self, word):
        """What followed the word in each line that begins with it."""
        return [line[len(word) + 1:] for line in list(self.lines) if line.startswith(word)]

    def wait_told(self, word, count=1, timeout=60):
        wait_until(lambda: len(self.told(word)) >= count or self._process.poll() is not None,
                   timeout, f"{count} times '{word}' of {self.log[-5:]}")
        if len(self.told(word)) < count:
            raise AssertionError(f"it ended before {count} times '{word}': {self.lines} {self.log}")
        return self.told(word)

    def wait_log(self, text, timeout=60):
        wait_until(lambda: any(text in line for line in list(self.log)), timeout,
                   f"'{text}' in the log")

    def finish(self, timeout=60):
        """Waits for its end; its exit code."""
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it did not end: {self.lines[-3:]} {self.log[-5:]}") from None
        for reader in self._readers:
            reader.join(10)
        return code

    def stop(self):
        """SIGTERM; how long it took to end."""
        began = time.monotonic()
        self._process.terminate()
        self.finish()
        return time.monotonic() - began

    def close(self):
        self._process.kill()
        self._process.wait()
        for reader in self._readers:
            reader.join(10)
        self._process.stdout.close()
        self._process.stderr.close()


class RabbitmqCase(unittest.TestCase):
    """One broker for the file, a virtual host for each test."""

    authority = broker = None

    @classmethod
    def share_broker(cls):
        """For setUpModule(): starts it; it ends with the module."""
        with contextlib.ExitStack() as stack:
            RabbitmqCase.authority = stack.enter_context(Authority())
            RabbitmqCase.broker = stack.enter_context(RabbitMQ(tls=RabbitmqCase.authority))
            unittest.addModuleCleanup(stack.pop_all().close)

    def setUp(self):
        self.vhost = self.broker.add_vhost(self.id().rpartition(".")[2])

    def url(self, **options):
        return self.broker.url(self.vhost, **options)

    def client(self, *words, url=None, **settings):
        client = Client(url or self.url(), *words, **settings)
        self.addCleanup(client.close)
        return client

    def consumer(self, *more, queue=QUEUE, **settings):
        client = self.client("consume", queue, f"{queue}.#", *more, **settings)
        client.wait_told("ready")
        return client

    def assert_fails(self, client, code, *texts):
        """It ends with one error line of the code that holds the texts, and no password."""
        self.assertEqual(client.finish(), 1, client.lines)
        self.assertEqual(len(client.lines), 1, client.lines)
        for text in (f"error {code} ", *texts):
            self.assertIn(text, client.lines[0])
        self.assertNotIn(PASSWORD, "\n".join(client.lines + client.log))

    def assert_all_handled(self, consumers, count):
        """Every one of 0 … count-1 was handled at least once."""
        expected = {str(n) for n in range(count)}

        def handled():
            return {line.split()[0] for each in consumers for line in each.told("handled")}
        wait_until(lambda: handled() >= expected, 60, "all messages to be handled")
        self.assertEqual(handled(), expected)
