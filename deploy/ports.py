"""Ports for the local stack: free now, the same ones as last time when they still are."""

import json
import secrets
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"
LOWEST, HIGHEST = 15_000, 29_999
"""Below the range that Linux takes for outgoing connections (32768 and up): a client that keeps trying a stopped broker
on a port of that range can be given the very port as its own source, connect to itself and keep the broker out."""


def is_free(port: int) -> bool:
    """Whether nobody listens on the port of the loopback address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def choose_ports(file: Path, names: list[str]) -> dict[str, int]:
    """A free port for every name; `file` remembers them so that addresses survive a restart of the stack.

    Drawn from the system: two stacks whose processes were seeded alike would meet at every port.
    """
    try:
        remembered = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        remembered = {}
    chosen: dict[str, int] = {}
    for name in names:
        port = remembered.get(name, 0)
        while not port or port in chosen.values() or not is_free(port):
            port = LOWEST + secrets.randbelow(HIGHEST - LOWEST + 1)
        chosen[name] = port
    file.write_text(json.dumps(chosen))
    return chosen
