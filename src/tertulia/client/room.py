"""A room as one device has it: what is kept, and what is under way.

A `Room` is a value. What must survive a crash is in `state`, `group`, `pending`,
`outbox` and `links`, and is saved whenever it differs from what was loaded; `live` is
forgotten with the connection. A room is driven by the functions of the modules around
this one; none of them keeps anything elsewhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import TYPE_CHECKING, assert_never

from msgspec import Struct
from typing_extensions import override

from tertulia import mls
from tertulia.client.room_policy import RoomPolicy, policy_of
from tertulia.client.views import RoomStatus
from tertulia.wire import frames

if TYPE_CHECKING:
    from tertulia.client.group_advice import Position
    from tertulia.client.work import Wish, Work


class Leaver(Struct, frozen=True, array_like=True):
    """A device that said it leaves and still has its leaf; its statement proves it."""

    leaf: int
    device: bytes
    signature: bytes


class RoomState(Struct, frozen=True, array_like=True):
    """Where a room stands. Fields are only added at the end, with a default.

    `place` and `hash` are of the last entry processed; the hash is unknown to a joiner
    before its first page. `handshake` is the last handshake processed, applied or not.
    """

    status: RoomStatus
    place: int = 0
    hash: bytes | None = None
    handshake: int = 0
    founded: bool = True  # False while the relay does not have the new room yet
    link: str = ""  # by which to join, until somebody was heard inside
    inviter: bytes = b""  # the account whose sign is awaited; empty: seen or not needed
    leavers: tuple[Leaver, ...] = ()
    doubt: int | None = None  # place of a handshake whose outcome is not known here
    sent: int = 0  # messages since this leaf had fresh keys
    refreshed: int = 0  # when it got them
    next_number: int = 1  # of the outbox
    head: frames.SignedHead | None = None
    name: str = ""  # as last known, for rooms one is no longer in
    topic: str = ""
    former: RoomStatus | None = None  # what the room was before it was joined anew
    unconfirmed: bool = False  # entered, and nobody was heard in that epoch yet
    owes_greeting: bool = False  # somebody came by an invite of mine
    since: int = 0  # from here on this device read the log without a gap
    newcomers: tuple[int, ...] = ()  # leaves of who came from outside since the doubt
    suspects: tuple[bytes, ...] = ()  # accounts whose handshakes are in doubt

    @override
    def __repr__(self) -> str:
        # The link has a secret, and names are people's own.
        return f"RoomState({self.status!r}, place={self.place})"


class OutboxMessage(Struct, frozen=True, array_like=True):
    """An own message that the log does not have yet, as far as this device knows.

    `blob` is empty until it is encrypted, in `epoch`. The same key stays through all
    attempts, so that the relay has it at most once.
    """

    number: int
    key: bytes
    content: bytes
    time: int
    epoch: int = 0
    blob: bytes = b""


@dataclass(frozen=True, slots=True)
class Pending:
    """A handshake of mine that may be in the log, and the group if it is.

    Once a later handshake than `handshake` is there, this one can no longer come.
    """

    key: bytes
    handshake: int
    blob_hash: bytes
    after: mls.Group
    # As long as this process lives: what it was for, and where its GroupInfo stands.
    wish: "Wish | None" = None
    position: "Position | None" = None


class Route(Enum):
    """What the relay lets this device read of a room, as it said on this connection."""

    UNKNOWN = auto()
    OPEN = auto()
    CUT = auto()  # up to some entry, and no further
    NONE = auto()


@dataclass(frozen=True, slots=True)
class Live:
    """What is under way on this connection and in this process.

    `current` once everything was read that the relay had; `expected` is the last place
    known to exist. `paused` is when to go on after the relay asked for a pause, and
    `stopped` says that this connection will not get any further with this room.
    """

    route: Route = Route.UNKNOWN
    following: bool = False
    followed: bool = False
    fetching: bool = False
    current: bool = False
    expected: int = 0
    start: int = 0  # where catching up began
    entered: bool = False  # the relay took my join: the entry is to be read
    refeeding: int | None = None  # the relay's last place, after it lost entries
    in_flight: bytes | None = None
    told: frozenset[bytes] = frozenset()
    paused: int = 0
    stopped: bool = False
    work: "Work | None" = None
    wishes: "tuple[Wish, ...]" = ()
    greet_at: int | None = None
    clean_at: int | None = None
    repair_at: int | None = None
    review_at: int | None = None  # when to ask the relay again what may be read
    refresh_at: int = 0  # not before
    warned: bool = False  # that there is no way back for now
    tree_due: bool = False  # the next handshake comes with the whole tree
    reports: int = 0  # how often in a row what the relay gave was of no use
    reported: bool = False  # somebody could not enter: give the advice anew
    mended: int = 0  # not again before

    def disconnected(self) -> "Live":
        """Return what is left of this when the connection is gone."""
        return Live(
            wishes=self.wishes,
            greet_at=self.greet_at,
            clean_at=self.clean_at,
            repair_at=self.repair_at,
            refresh_at=self.refresh_at,
            mended=self.mended,
        )


@dataclass(frozen=True, slots=True)
class Room:
    """One room of a session."""

    id: bytes
    state: RoomState
    group: mls.Group | None = None
    pending: Pending | None = None
    outbox: tuple[OutboxMessage, ...] = field(default=(), repr=False)
    links: Mapping[bytes, str] = field(default_factory=dict, repr=False)
    hashes: Mapping[int, bytes] = field(default_factory=dict)
    live: Live = field(default_factory=Live)
    # Whether the tree was saved beside the epoch: not yet in rooms of older vaults.
    tree_apart: bool = True

    @property
    def policy(self) -> RoomPolicy | None:
        """What the members agreed on; None without a group."""
        return None if self.group is None else policy_of(self.group.context)

    @property
    def is_member(self) -> bool:
        """Whether this device is in the room as far as it knows."""
        return self.state.status is RoomStatus.MEMBER

    @property
    def is_read(self) -> bool:
        """Whether the log is read: as a member, or to learn what became of that."""
        match self.state.status:
            case RoomStatus.MEMBER | RoomStatus.LOST:
                return self.state.founded
            case RoomStatus.JOINING:
                return self.live.entered
            case RoomStatus.REMOVED:
                return self.state.doubt is not None
            case RoomStatus.LEFT | RoomStatus.OUTDATED:
                return False
            case _:
                assert_never(self.state.status)

    @property
    def may_change(self) -> bool:
        """Whether what I make now will fit the log, as far as I know."""
        return (
            self.is_member
            and self.live.current
            and self.state.founded
            and self.state.doubt is None
        )

    def with_state(self, **changes: object) -> "Room":
        """Return the room with parts of its state replaced."""
        state = RoomState(**{**_fields(self.state), **changes})  # type: ignore[arg-type]
        return replace(self, state=state)

    def with_live(self, **changes: object) -> "Room":
        """Return the room with parts of what is under way replaced."""
        return replace(self, live=replace(self.live, **changes))  # type: ignore[arg-type]

    def expecting(self, place: int) -> "Room":
        """Return the room, of whose log an entry is known to exist at `place`."""
        return self.with_live(expected=max(self.live.expected, place))

    def without(self, key: bytes) -> "Room":
        """Return the room with one message less in the outbox."""
        rest = tuple(message for message in self.outbox if message.key != key)
        return replace(self, outbox=rest)

    def without_pending(self) -> "Room":
        """Return the room without a handshake that will not be in the log."""
        return replace(self, pending=None)

    def with_message(self, message: OutboxMessage) -> "Room":
        """Return the room with a message of the outbox replaced."""
        outbox = tuple(
            message if old.key == message.key else old for old in self.outbox
        )
        return replace(self, outbox=outbox)


def _fields(state: RoomState) -> dict[str, object]:
    return {name: getattr(state, name) for name in state.__struct_fields__}
