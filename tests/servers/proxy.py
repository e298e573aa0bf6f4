"""A gate between a program and a server, which a test shuts, slows and cuts.

    with Proxy(server.port) as gate:
        program(port=gate.port)
        gate.hang()    # nothing passes; connections stay
        gate.resume()
        gate.cut()     # ends the connections there are, with a reset
"""

import contextlib
import socket
import struct
import threading

_CHUNK_BYTES = 64 * 1024
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing drops what was not sent and says so


class Proxy:
    """Thread-safe. Also new connections are taken while it hangs, as a server's kernel does."""

    def __init__(self, port, host="127.0.0.1", listen="127.0.0.1"):
        self._target = (host, port)
        self._changed = threading.Condition()
        self._hanging = self._closed = False
        self._bytes_per_second = 0
        self._cut_after = None
        self._sockets = set()
        self.connections = 0  # taken so far
        self.passed_bytes = 0  # from client to server
        self._listen = listen
        self.port = 0  # the first time any free one
        self._threads = []
        self.open()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self.shut()
        for thread in list(self._threads):
            thread.join(10)

    def shut(self):
        """Refuses connections, as a machine does where no server runs, and cuts those that there are."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def open(self):
        self._listener = socket.create_server((self._listen, self.port))
        self.port = self._listener.getsockname()[1]
        self._spawn(self._accept, self._listener)

    def hang(self):
        with self._changed:
            self._hanging = True

    def resume(self):
        with self._changed:
            self._hanging = False
            self._changed.notify_all()

    def slow(self, bytes_per_second):
        """In each direction of each connection; 0 is as fast as it goes."""
        with self._changed:
            self._bytes_per_second = bytes_per_second
            self._changed.notify_all()

    def cut(self):
        with self._changed:
            sockets, self._sockets = self._sockets, set()
        for each in sockets:
            with contextlib.suppress(OSError):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def cut_after(self, count):
        """Cuts all connections, once, when the clients have sent `count` bytes more."""
        with self._changed:
            self._cut_after = self.passed_bytes + count

    # -- its threads -----------------------------------------------------------------------------

    def _spawn(self, work, *arguments):
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            try:
                server = socket.create_connection(self._target, 10)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._changed:
                self._sockets |= {client, server}
            self._spawn(self._pump, client, server, True)
            self._spawn(self._pump, server, client, False)

    def _pump(self, source, target, to_server):
        try:
            while data := source.recv(_CHUNK_BYTES):
                self._wait_for_leave(len(data))
                target.sendall(data)
                if to_server and self._is_last(len(data)):
                    self.cut()
            target.shutdown(socket.SHUT_WR)
        except OSError:
            for each in (source, target):
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def _wait_for_leave(self, count):
        with self._changed:
            if self._bytes_per_second:
                self._changed.wait_for(lambda: self._closed, count / self._bytes_per_second)
            self._changed.wait_for(lambda: self._closed or not self._hanging)

    def _is_last(self, count):
        with self._changed:
            self.passed_bytes += count
            if self._cut_after is None or self.passed_bytes < self._cut_after:
                return False
            self._cut_after = None
            return True
