"""One connection, as the relay sees it: how far it is, and what it may.

A session belongs to one `Relay`, which alone changes it. It knows no socket.
"""

from enum import IntEnum

from tertulia.errors import BugError
from tertulia.relay.places import neighbourhood
from tertulia.wire import Device


class Phase(IntEnum):
    """How far a connection is."""

    GREETING = 1  # nothing came yet
    PROVING = 2  # the challenge is out
    OPEN = 3  # the device is authenticated
    CLOSED = 4


class Session:
    """The state of one connection."""

    __slots__ = (
        "address",
        "admissions",
        "client_nonce",
        "connected",
        "device",
        "followed",
        "is_owner",
        "overtaken",
        "phase",
        "place",
        "processed",
        "relay_nonce",
        "rests_until",
        "version",
    )

    def __init__(self, address: str, now: int) -> None:
        self.address = address
        # What rates count by.
        self.place = neighbourhood(address)
        self.connected = now
        self.phase = Phase.GREETING
        self.version = 0
        self.client_nonce = b""
        self.relay_nonce = b""
        self.device: Device | None = None
        self.is_owner = False
        # Nothing more is taken up before, since it asked for too much.
        self.rests_until = 0
        # Rooms whose entries this connection gets as they come.
        self.followed: set[bytes] = set()
        # Rooms this device may join: until when, and by which invite.
        self.admissions: dict[bytes, tuple[int, bytes]] = {}
        # Per room, the latest handshake that the device is known to have processed.
        self.processed: dict[bytes, int] = {}
        # Per room, how many of its handshakes in a row came too late.
        self.overtaken: dict[bytes, int] = {}

    @property
    def holder(self) -> Device:
        """The device at the other end, once it is authenticated."""
        if self.device is None:
            raise BugError("a session that is not open has no device")
        return self.device
