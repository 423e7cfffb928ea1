"""The relay's shell: moves bytes between sockets and `relay`, waits, and logs.

It decides who is talked to over HTTP (hosts, origins, sizes, times) and nothing about
rooms. It never sees what is inside an entry.
"""

from tertulia.server.backups import restore_relay, verify_relay
from tertulia.server.checkup import (
    Checked,
    Finding,
    Verdict,
    check_relay,
)
from tertulia.server.commands import (
    Answer,
    AnyCommand,
    Backup,
    CreateInvite,
    LiftBan,
    ListAccounts,
    ListBans,
    ListInvites,
    ListRooms,
    PutBan,
    RemoveInvite,
    RemoveRoom,
    ShowStorage,
)
from tertulia.server.config import Bounds, Certificate, Config, Endpoint, WebRules
from tertulia.server.folder import DataFolder
from tertulia.server.logs import Log, write_logs_to
from tertulia.server.offline import ask_relay
from tertulia.server.relay_server import Ready, serve
from tertulia.server.surroundings import Surroundings
from tertulia.server.systemd import notify

__all__ = [
    "Answer",
    "AnyCommand",
    "Backup",
    "Bounds",
    "Certificate",
    "Checked",
    "Config",
    "CreateInvite",
    "DataFolder",
    "Endpoint",
    "Finding",
    "LiftBan",
    "ListAccounts",
    "ListBans",
    "ListInvites",
    "ListRooms",
    "Log",
    "PutBan",
    "Ready",
    "RemoveInvite",
    "RemoveRoom",
    "ShowStorage",
    "Surroundings",
    "Verdict",
    "WebRules",
    "ask_relay",
    "check_relay",
    "notify",
    "restore_relay",
    "serve",
    "verify_relay",
    "write_logs_to",
]
