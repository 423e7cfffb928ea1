"""Own messages that the log does not have yet.

A message is on the disk before anything else, and stays in the outbox until its own
entry came by: whatever happens in between, it is sent again, under the same key.
"""

from dataclasses import replace

from msgspec.structs import replace as changed

from tertulia.client.content import (
    Content,
    Leaving,
    Text,
    decode_content,
    encode_content,
)
from tertulia.client.errors import NotMemberError
from tertulia.client.events import MessageArrived, MessageMoved, RoomChanged
from tertulia.client.messages import StoredMessage, message_id, put_message, view_of
from tertulia.client.room import Live, OutboxMessage, Room
from tertulia.client.rows import DropMessage
from tertulia.client.turn import Turn
from tertulia.client.views import MessageKind, MessageState, RoomStatus
from tertulia.wire import account_id, new_message_key


def enqueue(
    turn: Turn, room: Room, content: Content, key: bytes | None = None
) -> tuple[Room, bytes]:
    """Put content into the outbox; return the room and the message's id."""
    number = room.state.next_number
    key = key or new_message_key(turn.now, turn.rng)
    message = OutboxMessage(number, key, encode_content(content), turn.now)
    name = message_id(turn.session.profile.device, message.key)
    if isinstance(content, Text):
        stored = _line(turn, message, content, MessageState.QUEUED)
        turn.save(put_message(room.id, name, None, stored))
        view = view_of(room.id, name, None, stored, turn.session.profile)
        turn.emit(MessageArrived(view))
    room = replace(room, outbox=(*room.outbox, message))
    return room.with_state(next_number=number + 1), name


def settle(
    turn: Turn, room: Room, message: OutboxMessage, place: int, time: int
) -> Room:
    """The message stands in the log: give it its place among the others."""
    content = decode_content(message.content)
    if isinstance(content, Leaving):
        return end(turn, room.without(message.key), RoomStatus.LEFT)
    if isinstance(content, Text):
        name = message_id(turn.session.profile.device, message.key)
        stored = _line(turn, message, content, MessageState.STORED)
        # Stored anew, so that lines are numbered in the order of the log.
        turn.save(DropMessage(room.id, name))
        turn.save(put_message(room.id, name, place, changed(stored, time=time)))
        if message.key not in room.live.told:
            tell_stored(turn, room, message, place, time)
    return _landed(room, message)


def _landed(room: Room, message: OutboxMessage) -> Room:
    """Return the room without a message that is no longer on its way."""
    flying = room.live.in_flight
    in_flight = None if flying == message.key else flying
    told = room.live.told - {message.key}
    return room.without(message.key).with_live(in_flight=in_flight, told=told)


def tell_stored(
    turn: Turn, room: Room, message: OutboxMessage, place: int, time: int
) -> None:
    """Tell that the relay has a message for good."""
    name = message_id(turn.session.profile.device, message.key)
    turn.emit(MessageMoved(room.id, name, MessageState.STORED, place, time))


def fail(turn: Turn, room: Room, message: OutboxMessage, reason: str) -> Room:
    """Take a message out that will not be sent, and say why."""
    content = decode_content(message.content)
    if isinstance(content, Text):
        name = message_id(turn.session.profile.device, message.key)
        stored = _line(turn, message, content, MessageState.FAILED, reason)
        turn.save(put_message(room.id, name, None, stored))
        turn.emit(MessageMoved(room.id, name, MessageState.FAILED, reason=reason))
    return _landed(room, message)


def end(turn: Turn, room: Room, status: RoomStatus) -> Room:
    """Give up a room: its keys, and what still waited to be sent there.

    Who is about to enter it again goes on with that.
    """
    for message in room.outbox:
        room = fail(turn, room, message, status.value)
    for wish in room.live.wishes:
        turn.reply(wish.number, NotMemberError(room.id))
    turn.emit(RoomChanged(room.id))
    room = replace(room, group=None, links={})
    if room.state.status is RoomStatus.JOINING:
        room = room.with_live(wishes=(), in_flight=None)
        return room.with_state(former=status, leavers=(), doubt=None)
    room = replace(room, pending=None, live=Live())
    return room.with_state(status=status, leavers=(), doubt=None, inviter=b"", link="")


def _line(
    turn: Turn,
    message: OutboxMessage,
    text: Text,
    state: MessageState,
    reason: str | None = None,
) -> StoredMessage:
    profile = turn.session.profile
    return StoredMessage(
        account_id(profile.account_public),
        profile.name,
        message.time,
        MessageKind.TEXT,
        text.text,
        state,
        reason,
    )
