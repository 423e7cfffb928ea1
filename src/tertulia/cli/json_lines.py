"""The lines of JSON that programs read: a contract, each line a declared struct.

Every line has `event`, which kind it is, and `v`, the version of its words. A field
keeps its meaning; new fields and new events may come, and readers ignore what they do
not know. Ids are in lower-case hexadecimal, times in milliseconds since 1970. Texts are
as their senders wrote them, so what shows them has to make them harmless; here every
character that could command a terminal or break a line is escaped.
"""

import re
import unicodedata
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta, Struct

from tertulia.client import (
    AnyEvent,
    CatchingUp,
    ConnectionChanged,
    InviteView,
    JoinQueued,
    MemberView,
    MessageArrived,
    MessageMoved,
    MessageView,
    Person,
    RoomChanged,
    RoomView,
    SignSeen,
    Warned,
)

VERSION: Final = 1


def _told(description: str) -> Meta:
    return Meta(description=description)


Version: TypeAlias = Annotated[int, _told("version of these words, 1 today")]
RoomId: TypeAlias = Annotated[str, _told("id of the room")]
MessageId: TypeAlias = Annotated[str, _told("id of the message")]
RelayId: TypeAlias = Annotated[str, _told("fingerprint of the relay's identity")]
Time: TypeAlias = Annotated[int, _told("milliseconds since 1970")]
Place: TypeAlias = Annotated[
    int | None, _told("place in the room's log; null while the relay does not have it")
]
State: TypeAlias = Annotated[
    str, _told("`queued`, `stored`, `failed`, `received` or `void`")
]
Reason: TypeAlias = Annotated[str | None, _told("code that says why, or null")]


class Line(Struct, frozen=True, kw_only=True, tag_field="event"):
    """A line."""

    v: Version = VERSION


class Sender(Struct, frozen=True, kw_only=True):
    """Who said or did something."""

    name: Annotated[str, _told("the name this person chose, anything at all")]
    account: Annotated[str, _told("id of the account, which nobody else can have")]
    me: Annotated[bool, _told("whether it is the account of this profile")]


class HostingLine(Line, frozen=True, kw_only=True, tag="hosting"):
    """The first line of `host`: the relay runs, the room is there, others may come."""

    invite: Annotated[str, _told("the link that leads into the room")]
    url: Annotated[str, _told("where the relay is reached")]
    room: RoomId
    name: Annotated[str, _told("the room's name")]
    reachable: Annotated[
        bool, _told("whether other machines can reach that address at all")
    ]


class JoinedLine(Line, frozen=True, kw_only=True, tag="joined"):
    """The first line of `join`: this device is a member."""

    room: RoomId
    name: Annotated[str, _told("the room's name")]
    already: Annotated[bool, _told("whether it was a member before")]


class MessageLine(Line, frozen=True, kw_only=True, tag="message"):
    """A message, or a notice about the room."""

    room: RoomId
    id: MessageId
    sender: Sender
    time: Time
    kind: Annotated[
        str,
        _told(
            "`text`, `joined`, `left`, `removed`, `renamed_room`, `changed_topic`, "
            "`renamed_member`, `void` or `unknown`"
        ),
    ]
    text: Annotated[
        str,
        _told("what was said; of a notice, the new name or topic, or who was removed"),
    ]
    state: State
    place: Place
    reason: Reason


class MovedLine(Line, frozen=True, kw_only=True, tag="moved"):
    """An own message has another state."""

    room: RoomId
    id: MessageId
    state: State
    place: Place
    time: Annotated[int | None, _told("the relay's time, once it has the message")]
    reason: Reason


class ConnectionLine(Line, frozen=True, kw_only=True, tag="connection"):
    """The relay was reached or lost."""

    relay: RelayId
    connection: Annotated[str, _told("`offline`, `connecting`, `online` or `stopped`")]
    reason: Reason
    retry: Annotated[int | None, _told("when it is tried again")]


class CatchingUpLine(Line, frozen=True, kw_only=True, tag="catching_up"):
    """How far this device is in reading what it missed."""

    room: RoomId
    done: Annotated[int, _told("entries read")]
    total: Annotated[int, _told("entries to read")]


class RoomLine(Line, frozen=True, kw_only=True, tag="room"):
    """A room, when it is listed or when something about it changed."""

    room: RoomId
    relay: RelayId
    name: Annotated[str, _told("the room's name")]
    topic: Annotated[str, _told("what it is about")]
    status: Annotated[
        str,
        _told("`joining`, `member`, `left`, `removed`, `lost` or `outdated`"),
    ]
    members: Annotated[int, _told("how many accounts are in it")]
    waiting: Annotated[int, _told("own messages that the relay does not have yet")]
    sign_awaited: Annotated[
        str | None, _told("name of the inviter of whom nothing was heard yet, or null")
    ]
    hybrid: Annotated[
        bool | None,
        _told("whether its keys keep quantum computers out, too; null if not known"),
    ]


class MemberLine(Line, frozen=True, kw_only=True, tag="member"):
    """Somebody in a room."""

    room: RoomId
    account: Annotated[str, _told("id of the account")]
    name: Annotated[str, _told("the name this person chose")]
    tag: Annotated[str, _told("beginning of the id, if the name alone could mislead")]
    me: Annotated[bool, _told("whether it is the account of this profile")]
    devices: Annotated[int, _told("with how many devices")]
    owner: Annotated[bool, _told("whether the room is this person's")]
    admin: Annotated[bool, _told("whether this person is an admin")]


class InviteLine(Line, frozen=True, kw_only=True, tag="invite"):
    """An invite of a room."""

    room: RoomId
    id: Annotated[str, _told("id of the invite, to revoke it by")]
    link: Annotated[str | None, _told("the link, if it was made on this device")]
    creator: Annotated[str | None, _told("id of the account that made it")]
    expires: Annotated[int | None, _told("until when it counts, or null")]
    uses: Annotated[int | None, _told("how often it may be used, or null")]


class JoinQueuedLine(Line, frozen=True, kw_only=True, tag="join_queued"):
    """Others enter the room before us."""

    room: RoomId
    ahead: Annotated[int, _told("how many")]


class SignSeenLine(Line, frozen=True, kw_only=True, tag="sign_seen"):
    """The inviter was heard: it is the room that the link meant."""

    room: RoomId


class WarningLine(Line, frozen=True, kw_only=True, tag="warning"):
    """Something happened that should not; the client goes on as well as it can."""

    room: RoomId
    code: Annotated[str, _told("what it was, stable")]
    person: Annotated[str, _told("who is named in it, or empty")]
    place: Place


class ErrorLine(Line, frozen=True, kw_only=True, tag="error"):
    """A line of standard input could not be sent."""

    code: Annotated[str, _told("what was wrong, stable")]
    words: Annotated[str, _told("the same for people, in the language in use")]
    text: Annotated[str, _told("the line, or its beginning")]


AnyLine: TypeAlias = (
    HostingLine
    | JoinedLine
    | MessageLine
    | MovedLine
    | ConnectionLine
    | CatchingUpLine
    | RoomLine
    | MemberLine
    | InviteLine
    | JoinQueuedLine
    | SignSeenLine
    | WarningLine
    | ErrorLine
)


# From what the client shows


def _sender(person: Person) -> Sender:
    return Sender(name=person.name, account=person.account.hex(), me=person.is_me)


def message_line(message: MessageView) -> MessageLine:
    """Return the line of a message."""
    return MessageLine(
        room=message.room.hex(),
        id=message.message.hex(),
        sender=_sender(message.sender),
        time=message.time,
        kind=message.kind.value,
        text=message.text,
        state=message.state.value,
        place=message.place,
        reason=message.reason,
    )


def room_line(room: RoomView) -> RoomLine:
    """Return the line of a room."""
    return RoomLine(
        room=room.room.hex(),
        relay=room.relay.hex(),
        name=room.name,
        topic=room.topic,
        status=room.status.value,
        members=room.members,
        waiting=room.waiting,
        sign_awaited=room.sign_awaited,
        hybrid=room.hybrid,
    )


def member_line(room: bytes, member: MemberView) -> MemberLine:
    """Return the line of a member."""
    return MemberLine(
        room=room.hex(),
        account=member.person.account.hex(),
        name=member.person.name,
        tag=member.tag,
        me=member.person.is_me,
        devices=member.devices,
        owner=member.is_owner,
        admin=member.is_admin,
    )


def invite_line(room: bytes, invite: InviteView) -> InviteLine:
    """Return the line of an invite."""
    return InviteLine(
        room=room.hex(),
        id=invite.invite.hex(),
        link=invite.link,
        creator=invite.creator.account.hex(),
        expires=invite.expires,
        uses=invite.uses,
    )


def event_line(event: AnyEvent) -> AnyLine | None:
    """Return the line of an event; None of one that only says where to look anew."""
    match event:
        case MessageArrived(message):
            return message_line(message)
        case MessageMoved():
            return MovedLine(
                room=event.room.hex(),
                id=event.message.hex(),
                state=event.state.value,
                place=event.place,
                time=event.time,
                reason=event.reason,
            )
        case ConnectionChanged():
            return ConnectionLine(
                relay=event.relay.hex(),
                connection=event.connection.value,
                reason=event.reason,
                retry=event.retry,
            )
        case CatchingUp(room, done, total):
            return CatchingUpLine(room=room.hex(), done=done, total=total)
        case JoinQueued(room, ahead):
            return JoinQueuedLine(room=room.hex(), ahead=ahead)
        case SignSeen(room):
            return SignSeenLine(room=room.hex())
        case Warned(room, code, person, place):
            return WarningLine(room=room.hex(), code=code, person=person, place=place)
        case RoomChanged():
            return None


# Bytes

# In JSON whatever is not ASCII stands inside of strings, so it can be escaped anywhere.
_NOT_ASCII: Final = re.compile(r"[\x7f-\U0010ffff]")
_HARMFUL: Final = frozenset({"Cc", "Cf", "Zl", "Zp"})


def encode_line(line: AnyLine) -> bytes:
    """Return a line's bytes, with the end of the line."""
    text = msgspec.json.encode(line).decode()
    return _NOT_ASCII.sub(_escaped, text).encode() + b"\n"


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    if unicodedata.category(character) not in _HARMFUL:
        return character
    units = character.encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def decode_line(data: bytes) -> Any:
    """Return the struct of a line, as a reader would; raise msgspec.DecodeError."""
    return msgspec.json.decode(data, type=AnyLine)
