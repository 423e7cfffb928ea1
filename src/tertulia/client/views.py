"""What a face shows: values without secrets, made from a session and the vault.

Texts here are as received; a face neutralises them before it draws them (`display`).
Times are milliseconds since 1970. A message's id is its device id and key, 32 bytes.
"""

from enum import StrEnum

from msgspec import Struct


class RoomStatus(StrEnum):
    """How a room and this device stand to each other."""

    JOINING = "joining"  # asked to enter, not in yet
    MEMBER = "member"
    LEFT = "left"
    REMOVED = "removed"
    LOST = "lost"  # out of step with the others; the client is coming back by itself
    OUTDATED = "outdated"  # its rules are newer, or a library here is too old


class MessageState(StrEnum):
    """Where a message is."""

    QUEUED = "queued"  # on this machine's disk
    STORED = "stored"  # the relay has it for good
    FAILED = "failed"  # the relay will not take it; `reason` says why
    RECEIVED = "received"  # of somebody else
    VOID = "void"  # stands in the log but cannot be opened by anybody honest


class MessageKind(StrEnum):
    """What a message is about."""

    TEXT = "text"
    JOINED = "joined"
    LEFT = "left"
    REMOVED = "removed"
    RENAMED_ROOM = "renamed_room"
    CHANGED_TOPIC = "changed_topic"
    RENAMED_MEMBER = "renamed_member"
    VOID = "void"
    UNKNOWN = "unknown"  # made by a newer program


class Connection(StrEnum):
    """How this device and the relay stand to each other."""

    OFFLINE = "offline"
    CONNECTING = "connecting"
    ONLINE = "online"
    STOPPED = "stopped"  # the client does not try again by itself; `reason` says why


class Person(Struct, frozen=True):
    """Who said or did something. `name` is what the person chose: anything at all."""

    account: bytes
    name: str
    is_me: bool = False


class MessageView(Struct, frozen=True):
    """One line of a conversation. `place` is None while the relay does not have it."""

    room: bytes
    message: bytes
    sender: Person
    time: int
    kind: MessageKind
    text: str
    state: MessageState
    place: int | None = None
    reason: str | None = None  # an error code


class MemberView(Struct, frozen=True):
    """An account in a room, with how many devices. `tag` tells equal names apart."""

    person: Person
    devices: int
    is_owner: bool
    is_admin: bool
    tag: str


class InviteView(Struct, frozen=True):
    """An invite of a room. `link` is there if this device made it."""

    invite: bytes
    creator: Person
    expires: int | None
    uses: int | None
    link: str | None = None


class RoomView(Struct, frozen=True):
    """A room in a list."""

    room: bytes
    relay: bytes
    name: str
    topic: str
    status: RoomStatus
    members: int
    waiting: int  # own messages that the relay does not have yet
    sign_awaited: str | None = None  # joined, and no word of this inviter seen yet
    hybrid: bool | None = None  # whether its keys are post-quantum; None if not known


class RelayView(Struct, frozen=True):
    """A relay this profile has an account at. `relay` is its fingerprint."""

    relay: bytes
    addresses: tuple[str, ...]
    connection: Connection
    reason: str | None = None  # an error code
    retry: int | None = None  # when the client tries again
