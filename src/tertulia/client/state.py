"""A session as a value: one relay, one account there, and its rooms."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from tertulia.client.requests import Purpose, Transfer
from tertulia.client.room import Room
from tertulia.client.rows import ProfileRow, RelayRow
from tertulia.crypto import Rng
from tertulia.wire import DeviceList, account_id


class Phase(Enum):
    """How far the connection is. Frames count only in the phase they belong to."""

    IDLE = auto()  # not connected, will be
    CONNECTING = auto()
    GREETED = auto()  # hello is sent
    PROVING = auto()  # authenticate is sent
    OPEN = auto()
    STOPPED = auto()  # the relay does not want us; only a person can change that


@dataclass(frozen=True, slots=True)
class Link:
    """The connection to the relay, with what both sides said of themselves."""

    phase: Phase = Phase.IDLE
    trusted: bool = False
    base: str = ""
    certificate: bytes = b""
    nonce: bytes = b""
    relay_nonce: bytes = b""
    identity: bytes = b""
    incarnation: bytes = b""
    failures: int = 0
    retry_at: int | None = 0
    # This device's keys are in use elsewhere: nothing more is to be said with them.
    is_copied: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """Everything that the rules of one relay's client know."""

    profile: ProfileRow
    relay: RelayRow
    rng: Rng
    rooms: Mapping[bytes, Room] = field(default_factory=dict)
    link: Link = field(default_factory=Link)
    requests: Mapping[int, Purpose] = field(default_factory=dict)
    next_request: int = 1
    transfers: Mapping[int, Transfer] = field(default_factory=dict)
    next_transfer: int = 1
    # Commands that wait for a room to be joined or made: room to command number.
    entering: Mapping[bytes, int] = field(default_factory=dict)
    # The account's device list as the relay has it, until it was acted upon.
    devices: DeviceList | None = None
    wake_at: int | None = None

    @property
    def account(self) -> bytes:
        """The id of my account."""
        return account_id(self.profile.account_public)
