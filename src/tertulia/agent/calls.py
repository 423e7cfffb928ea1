"""What faces and the holder of a profile say to each other over the local socket.

Each side first says which version it speaks, in a form that never changes. Then come
calls, each with a number, and one outcome for each; events come in between. A frame is
its length, four bytes, and a MessagePack value. Both ends are programs of one person,
so the limits guard against faults and not against malice.
"""

import asyncio
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import Struct

from tertulia.agent.agent import ProfileView
from tertulia.agent.errors import BadCallError
from tertulia.client import (
    AnyAnswer,
    AnyCommand,
    AnyEvent,
    InviteView,
    MemberView,
    MessageView,
    RelayView,
    RoomView,
)

VERSION: Final = 1
MAX_CALL: Final = 1024 * 1024
MAX_OUTCOME: Final = 64 * 1024 * 1024
_LENGTH: Final = 4


class Greeting(Struct, frozen=True, array_like=True):
    """The first frame of either side; fields are only added at its end.

    `profile`, which the holder sends, is a ProfileView of that version.
    """

    version: int
    profile: msgspec.Raw = msgspec.Raw(b"\xc0")  # nil


# Calls


class Call(Struct, frozen=True, tag=True):
    """What a face wants; the outcome repeats the number."""

    number: int


class Ask(Call, frozen=True):
    """Have a command carried out. → Answered"""

    command: AnyCommand
    relay: bytes | None


class AddRelay(Call, frozen=True):
    """Know a relay. → RelayAdded"""

    link: str


class GetProfile(Call, frozen=True):
    """Who am I? → ProfileIs"""


class GetRelays(Call, frozen=True):
    """All relays. → RelayList"""


class GetRooms(Call, frozen=True):
    """All rooms. → RoomList"""


class GetMembers(Call, frozen=True):
    """Who is in a room. → MemberList"""

    room: bytes


class GetInvites(Call, frozen=True):
    """The invites of a room. → InviteList"""

    room: bytes


class GetMessages(Call, frozen=True):
    """Lines of a room or of all. → MessageList"""

    room: bytes | None
    after: bytes | int | None
    limit: int
    newest: bool


class Settle(Call, frozen=True):
    """Wait for what was given before. → Settled"""


AnyCall: TypeAlias = (
    Ask
    | AddRelay
    | GetProfile
    | GetRelays
    | GetRooms
    | GetMembers
    | GetInvites
    | GetMessages
    | Settle
)


# Outcomes


class Outcome(Struct, frozen=True, tag=True):
    """What a call led to."""

    number: int


class Answered(Outcome, frozen=True):
    """A command was carried out."""

    answer: AnyAnswer


class RelayAdded(Outcome, frozen=True):
    """The relay is known."""

    relay: bytes


class ProfileIs(Outcome, frozen=True):
    """Who you are."""

    profile: ProfileView


class RelayList(Outcome, frozen=True):
    """All relays."""

    relays: list[RelayView]


class RoomList(Outcome, frozen=True):
    """All rooms."""

    rooms: list[RoomView]


class MemberList(Outcome, frozen=True):
    """Who is in the room."""

    members: list[MemberView]


class InviteList(Outcome, frozen=True):
    """The invites of the room."""

    invites: list[InviteView]


class MessageList(Outcome, frozen=True):
    """Lines, oldest first."""

    messages: list[MessageView]


class Settled(Outcome, frozen=True):
    """It has been carried out."""


class Failed(Outcome, frozen=True):
    """An error, so that the other side can raise the same (`errors_in_transit`)."""

    family: str
    code: str
    facts: dict[str, Any]
    sentence: str


# News


class Happened(Struct, frozen=True, tag=True):
    """An event."""

    event: AnyEvent


class FellBehind(Struct, frozen=True, tag=True):
    """Events were missed."""


AnyOutcome: TypeAlias = (
    Answered
    | RelayAdded
    | ProfileIs
    | RelayList
    | RoomList
    | MemberList
    | InviteList
    | MessageList
    | Settled
    | Failed
)
FromHolder: TypeAlias = AnyOutcome | Happened | FellBehind

_encoder: Final = msgspec.msgpack.Encoder()
_greetings: Final = msgspec.msgpack.Decoder(Greeting)
_calls: Final = msgspec.msgpack.Decoder(AnyCall)
_profiles: Final = msgspec.msgpack.Decoder(ProfileView)
_outcomes: Final = msgspec.msgpack.Decoder(FromHolder)


def as_frame(value: Greeting | AnyCall | FromHolder) -> bytes:
    """Return the bytes of a frame."""
    try:
        data = _encoder.encode(value)
    except UnicodeEncodeError:
        raise BadCallError("a text holds half a character") from None
    return len(data).to_bytes(_LENGTH, "big") + data


def greeting_of(profile: ProfileView) -> Greeting:
    """Return what the holder says first."""
    return Greeting(VERSION, msgspec.Raw(_encoder.encode(profile)))


def profile_in(greeting: Greeting) -> ProfileView:
    """Return the profile that the holder named; raise BadCallError."""
    try:
        return _profiles.decode(greeting.profile)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadCallError(str(error)) from None


async def read_greeting(reader: asyncio.StreamReader) -> Greeting:
    """Read the first frame; raise BadCallError, EOFError or OSError."""
    greeting: Greeting = await _read(reader, _greetings, MAX_CALL)
    return greeting


async def read_call(reader: asyncio.StreamReader) -> AnyCall:
    """Read a call; raise BadCallError, EOFError or OSError."""
    call: AnyCall = await _read(reader, _calls, MAX_CALL)
    return call


async def read_outcome(reader: asyncio.StreamReader) -> FromHolder:
    """Read what a holder says; raise BadCallError, EOFError or OSError."""
    outcome: FromHolder = await _read(reader, _outcomes, MAX_OUTCOME)
    return outcome


async def _read(
    reader: asyncio.StreamReader, decoder: msgspec.msgpack.Decoder[Any], most: int
) -> Any:
    length = int.from_bytes(await reader.readexactly(_LENGTH), "big")
    if length > most:
        raise BadCallError(f"{length} bytes")
    try:
        return decoder.decode(await reader.readexactly(length))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadCallError(str(error)) from None
