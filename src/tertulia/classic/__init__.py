"""The chat this project grew from: one server, threads, a Caesar cipher.

Compatible on the wire with programs written from the report that described it; see
`docs/classic.md`. It protects nothing and is kept for teaching. Start reading at
`caesar`, then `server`, `client`, and `messages` for the one hard question.
"""

from tertulia.classic.addresses import EVERY_IPV4, EVERY_IPV6, reachable_addresses
from tertulia.classic.caesar import DEFAULT_KEY
from tertulia.classic.client import Client, connect
from tertulia.classic.errors import (
    CannotListenError,
    PortInUseError,
    ServerGoneError,
    UnreachableError,
)
from tertulia.classic.server import DEFAULT_PORT, Server, listen
from tertulia.classic.terminal import Log, open_terminal

__all__ = [
    "DEFAULT_KEY",
    "DEFAULT_PORT",
    "EVERY_IPV4",
    "EVERY_IPV6",
    "CannotListenError",
    "Client",
    "Log",
    "PortInUseError",
    "Server",
    "ServerGoneError",
    "UnreachableError",
    "connect",
    "listen",
    "open_terminal",
    "reachable_addresses",
]
