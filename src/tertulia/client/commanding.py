"""Commands of faces: what is done at once, and what is left to be done."""

from dataclasses import replace
from typing import Final, assert_never

from tertulia.client import (
    enrolment,
    entering,
    founding,
    joining,
    leaving,
    outbox,
    wishes,
)
from tertulia.client.commands import (
    AnyCommand,
    CancelMessage,
    Carried,
    ChangeName,
    ChangeRoom,
    CreateInvite,
    CreateRoom,
    JoinRoom,
    LeaveRoom,
    MessageKept,
    RemoveMember,
    RevokeInvite,
    SendText,
)
from tertulia.client.content import Leaving, Text, check_text
from tertulia.client.effects import Asked
from tertulia.client.errors import (
    BadInviteError,
    BadKeyError,
    NoSuchMessageError,
    NotMemberError,
    NotPermittedError,
)
from tertulia.client.identity import check_name
from tertulia.client.invites import InviteTerms, new_invite
from tertulia.client.messages import message_id
from tertulia.client.notices import accounts_of
from tertulia.client.room import Room
from tertulia.client.room_policy import check_room_name, check_topic
from tertulia.client.rows import DropMessage
from tertulia.client.turn import Turn
from tertulia.client.views import RoomStatus
from tertulia.client.work import (
    AddInvite,
    Aim,
    DropInvite,
    Expel,
    HandOver,
    Rename,
)
from tertulia.errors import UsageError
from tertulia.wire import MAX_INTEGER, limits

KEY_SIZE: Final = 16


def asked(turn: Turn, item: Asked) -> None:
    """Carry a command out, or leave it to be; answer what cannot be."""
    try:
        _carry_out(turn, item.number, item.command)
    except UsageError as error:
        turn.reply(item.number, error)


def _carry_out(turn: Turn, number: int, command: AnyCommand) -> None:
    match command:
        case CreateRoom():
            founding.create(turn, number, command)
        case JoinRoom():
            joining.join(turn, number, command)
        case SendText():
            _send(turn, number, command)
        case CancelMessage(room, message):
            _cancel(turn, number, _known(turn, room), message)
        case CreateInvite():
            _invite(turn, number, command)
        case RevokeInvite(room, invite):
            _wish(turn, number, room, DropInvite(invite))
        case RemoveMember(room, account):
            _wish(turn, number, room, Expel(account))
        case ChangeRoom(room, name, topic):
            if name is not None:
                check_room_name(name)
            if topic is not None:
                check_topic(topic)
            _wish(turn, number, room, Rename(name, topic))
        case LeaveRoom(room):
            _leave(turn, number, _known(turn, room))
        case ChangeName(name):
            _change_name(turn, number, name)
        case _:
            assert_never(command)


def _known(turn: Turn, name: bytes) -> Room:
    room = turn.room(name)
    if room is None:
        raise NotMemberError(name)
    return room


def _member(turn: Turn, name: bytes) -> Room:
    room = _known(turn, name)
    if room.state.status not in {RoomStatus.MEMBER, RoomStatus.LOST}:
        raise NotMemberError(name)
    return room


def _wish(turn: Turn, number: int, room: bytes, aim: Aim) -> None:
    turn.put(wishes.wish(turn, _member(turn, room), aim, number))


def _send(turn: Turn, number: int, command: SendText) -> None:
    room = _member(turn, command.room)
    if any(kept.key == command.key for kept in room.outbox):
        kept_as = message_id(turn.session.profile.device, command.key or b"")
        turn.reply(number, MessageKept(kept_as))
        return
    if command.key is not None and len(command.key) != KEY_SIZE:
        raise BadKeyError(len(command.key))
    policy, mine = room.policy, turn.session.profile.account_public
    if policy is not None and policy.role_of(mine) < policy.permissions.post:
        raise NotPermittedError("only admins post here")
    content = Text(check_text(command.text))
    room, message = outbox.enqueue(turn, room, content, command.key)
    turn.put(room)
    turn.reply(number, MessageKept(message))


def _cancel(turn: Turn, number: int, room: Room, message: bytes) -> None:
    """Take a message back that never left; one that may be on its way stays."""
    device = turn.session.profile.device
    for kept in room.outbox:
        if message_id(device, kept.key) == message:
            if kept.blob:
                raise NoSuchMessageError(message)
            turn.put(room.without(kept.key))
            turn.save(DropMessage(room.id, message))
            turn.reply(number, Carried())
            return
    raise NoSuchMessageError(message)


def _invite(turn: Turn, number: int, command: CreateInvite) -> None:
    _check_terms(turn, command)
    terms = InviteTerms(expires=command.expires, uses=command.uses)
    secret, listed = new_invite(turn.session.profile.account_public, terms, turn.rng)
    _wish(turn, number, command.room, AddInvite(listed, secret.reveal()))


def _check_terms(turn: Turn, command: CreateInvite) -> None:
    """Raise BadInviteError for an invite that nobody could come by."""
    if command.expires is not None and not turn.now < command.expires <= MAX_INTEGER:
        raise BadInviteError("expires")
    if command.uses is not None and not 1 <= command.uses <= limits.INVITE_USES:
        raise BadInviteError("uses")


def _leave(turn: Turn, number: int, room: Room) -> None:
    """Say goodbye; an owner names who follows first, unless nobody is left."""
    match room.state.status:
        case RoomStatus.MEMBER if room.state.founded and room.group is not None:
            policy = room.policy
            alone = len(accounts_of(leaving.staying(room))) == 1
            mine = turn.session.profile.account_public
            if policy is not None and policy.owner == mine and not alone:
                turn.put(wishes.wish(turn, room, HandOver(), number))
                return
            # The statement itself is signed when it goes, for the leaf of that time.
            room, _ = outbox.enqueue(turn, room, Leaving(bytes(64)))
            turn.put(room)
        case RoomStatus.MEMBER | RoomStatus.LOST:
            entering.answer(turn, room.id, NotMemberError(room.id))
            turn.put(outbox.end(turn, room, RoomStatus.LEFT))
        case RoomStatus.JOINING:
            entering.fail(turn, room, NotMemberError(room.id))
        case _:
            raise NotMemberError(room.id)
    turn.reply(number, Carried())


def _change_name(turn: Turn, number: int, text: str) -> None:
    profile = replace(turn.session.profile, name=check_name(text))
    enrolment.change_profile(turn, profile)
    turn.reply(number, Carried())
