"""The relay's shell: moves bytes between sockets and `relay`, waits, and logs.

It decides who is talked to over HTTP (hosts, origins, sizes, times) and nothing about
rooms. It never sees what is inside an entry.
"""

from tertulia.server.backups import restore_relay, verify_relay
from tertulia.server.commands import Answer, AnyCommand
from tertulia.server.config import Bounds, Certificate, Config, Endpoint, WebRules
from tertulia.server.folder import DataFolder
from tertulia.server.logs import Log, write_logs_to
from tertulia.server.relay_server import Ready, Surroundings, serve
from tertulia.server.systemd import notify

__all__ = [
    "Answer",
    "AnyCommand",
    "Bounds",
    "Certificate",
    "Config",
    "DataFolder",
    "Endpoint",
    "Log",
    "Ready",
    "Surroundings",
    "WebRules",
    "notify",
    "restore_relay",
    "serve",
    "verify_relay",
    "write_logs_to",
]
