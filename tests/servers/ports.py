"""Ports of loopback for servers that must be told theirs."""

import random
import socket
from pathlib import Path

LOWEST = 10000


def free_ports(count):
    """Different ports that were free a moment ago, and that no connection gets for its own end: those of another
    test would take one away between its choice and its use."""
    first_of_connections = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    apart = first_of_connections - LOWEST > 1000
    ports = set()
    while len(ports) < count:
        port = _held(random.randrange(LOWEST, first_of_connections) if apart else 0)
        if port:
            ports.add(port)
    return list(ports)


def _held(port):
    """The port (any free one for 0), or 0 when somebody else has it."""
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return 0
        return listener.getsockname()[1]
