"""What a session tells its faces. Events say what changed; the vault has it already."""

from typing import Final, TypeAlias

from msgspec import Struct

from tertulia.client.views import Connection, MessageState, MessageView

# The room of news that concern all of them.
EVERYWHERE: Final = b""


class Event(Struct, frozen=True, tag=True):
    """News from a session."""


class ConnectionChanged(Event, frozen=True):
    """The relay was reached, lost, or refuses us for good (`reason`, an error code)."""

    relay: bytes
    connection: Connection
    reason: str | None = None
    retry: int | None = None


class MessageArrived(Event, frozen=True):
    """A new line of a conversation: of others, of other devices of mine, or a notice."""

    message: MessageView


class MessageMoved(Event, frozen=True):
    """An own message has another state."""

    room: bytes
    message: bytes
    state: MessageState
    place: int | None = None
    time: int | None = None
    reason: str | None = None


class CatchingUp(Event, frozen=True):
    """How far a room is: entries read of those to read; equal when it is there."""

    room: bytes
    done: int
    total: int


class RoomChanged(Event, frozen=True):
    """Name, topic, members, invites or status of a room changed."""

    room: bytes


class JoinQueued(Event, frozen=True):
    """Others enter before us."""

    room: bytes
    ahead: int


class SignSeen(Event, frozen=True):
    """The inviter was heard in the room: it is the one the link meant."""

    room: bytes


class Warned(Event, frozen=True):
    """Something that should not happen did; the session goes on as well as it can.

    `code` is stable: `head_contradicted`, `history_disputed`, `entry_void`,
    `entry_altered`, `handshake_skipped`, `out_of_step`, `cannot_return`, `vault_cloned`,
    `update_needed`. `person` is who
    is named in it, or empty.
    """

    room: bytes
    code: str
    person: str = ""
    place: int | None = None


AnyEvent: TypeAlias = (
    ConnectionChanged
    | MessageArrived
    | MessageMoved
    | CatchingUp
    | RoomChanged
    | JoinQueued
    | SignSeen
    | Warned
)
