"""What a face asks of a session.

A command is a value that also travels over the profile's local socket. Each is answered
once: with the answer named after → or with an error. A command that changes a room for
all waits until the relay has taken the change; a text is answered as soon as it is safe
on this machine's disk.
"""

from typing import TypeAlias

from msgspec import Struct


class Command(Struct, frozen=True, tag=True):
    """A wish of a person, to one session."""


class CreateRoom(Command, frozen=True):
    """Make a room with a first invite. → RoomMade

    A `large` one is for more than `limits.HYBRID_DEVICES`, with smaller keys that keep
    no quantum computer out.
    """

    name: str
    topic: str = ""
    large: bool = False


class JoinRoom(Command, frozen=True):
    """Enter the room that a link leads to. → RoomJoined"""

    link: str


class SendText(Command, frozen=True):
    """Say something. → MessageKept; its states follow as `MessageMoved`.

    `key`, 16 bytes, is for who may have to ask twice: it stays one message.
    """

    room: bytes
    text: str
    key: bytes | None = None


class CancelMessage(Command, frozen=True):
    """Take back a message that still waits on this machine. → Carried"""

    room: bytes
    message: bytes


class CreateInvite(Command, frozen=True):
    """Make a link; `expires` in milliseconds since 1970, `uses` from 1. → InviteMade"""

    room: bytes
    expires: int | None = None
    uses: int | None = None


class RevokeInvite(Command, frozen=True):
    """Make a link lead nowhere. → Carried"""

    room: bytes
    invite: bytes


class RemoveMember(Command, frozen=True):
    """Expel an account, with all its devices, and change all keys. → Carried"""

    room: bytes
    account: bytes


class ChangeRoom(Command, frozen=True):
    """Give a room another name or topic; None keeps what is. → Carried"""

    room: bytes
    name: str | None = None
    topic: str | None = None


class LeaveRoom(Command, frozen=True):
    """Leave for good; what was said stays in the vault. → Carried"""

    room: bytes


class ChangeName(Command, frozen=True):
    """Be called otherwise, in all rooms. → Carried"""

    name: str


AnyCommand: TypeAlias = (
    CreateRoom
    | JoinRoom
    | SendText
    | CancelMessage
    | CreateInvite
    | RevokeInvite
    | RemoveMember
    | ChangeRoom
    | LeaveRoom
    | ChangeName
)


class Answer(Struct, frozen=True, tag=True):
    """What a command led to."""


class Carried(Answer, frozen=True):
    """It is done."""


class RoomMade(Answer, frozen=True):
    """The room is there, and `link` leads to it."""

    room: bytes
    link: str


class RoomJoined(Answer, frozen=True):
    """This device is a member; `already` if it was one before."""

    room: bytes
    already: bool = False


class MessageKept(Answer, frozen=True):
    """The message is on this machine's disk and goes out as soon as it can."""

    message: bytes


class InviteMade(Answer, frozen=True):
    """The invite counts, and `link` carries its secret."""

    invite: bytes
    link: str


AnyAnswer: TypeAlias = Carried | RoomMade | RoomJoined | MessageKept | InviteMade
