"""Sending the outbox: in order, one message at a time.

A message is encrypted when it is about to go, and anew when a handshake that changed
the epoch came first; its key stays the same, so what is sent twice is in the log once.
"""

from dataclasses import replace
from typing import Final

import msgspec
from msgspec.structs import replace as changed

from tertulia import mls
from tertulia.client import following, heads, leaving, limits, outbox
from tertulia.client.annotation import Annotation
from tertulia.client.content import Leaving, decode_content, encode_content
from tertulia.client.padding import padding_for
from tertulia.client.requests import ToAppend
from tertulia.client.room import OutboxMessage, Room
from tertulia.client.turn import Turn
from tertulia.client.views import RoomStatus
from tertulia.client.work import Sent
from tertulia.wire import ErrorCode, first_hash, frames

# The relay will take it later.
LATER: Final = frozenset(
    {ErrorCode.RATE_LIMITED, ErrorCode.UNAVAILABLE, ErrorCode.WAIT_TURN}
)


def begin(turn: Turn, room: Room) -> Room:
    """Send the first message of the outbox, if now is the time."""
    live = room.live
    waits = live.in_flight is not None or isinstance(live.work, Sent)
    if not room.outbox or waits or room.group is None:
        return room
    message = room.outbox[0]
    if not message.blob or message.epoch != room.group.context.epoch:
        room, message = _encrypt(turn, room, room.group, message)
    frame = frames.Leave if _is_leaving(message) else frames.Append
    handshake = room.state.handshake
    turn.request(
        lambda number: frame(number, room.id, message.key, handshake, message.blob),
        ToAppend(room.id, message.key, handshake),
    )
    return room.with_live(in_flight=message.key)


def goodbye(room: Room) -> OutboxMessage | None:
    """Return the goodbye of who does not know whether the log has it, if there is one.

    Nothing else of a lost room matters before this device is back in it.
    """
    sent = (message for message in room.outbox if message.blob)
    return next((message for message in sent if _is_leaving(message)), None)


def ask_whether_left(turn: Turn, room: Room, message: OutboxMessage) -> Room:
    """Ask the relay whether it has a goodbye, and give it none that it has not.

    Who left may have been routed anew, by a commit of somebody who had not heard it;
    then the part of the log in which it left can no longer be read. A handshake that
    nobody names makes the relay take nothing new.
    """
    turn.request(
        lambda number: frames.Leave(number, room.id, message.key, 0, message.blob),
        ToAppend(room.id, message.key, 0),
    )
    return room.with_live(in_flight=message.key)


def _is_leaving(message: OutboxMessage) -> bool:
    return isinstance(decode_content(message.content), Leaving)


def _encrypt(
    turn: Turn, room: Room, group: mls.Group, message: OutboxMessage
) -> tuple[Room, OutboxMessage]:
    content = message.content
    if _is_leaving(message):
        content = encode_content(leaving.statement(turn, group))
    annotation = Annotation(
        message.key, room.state.place, room.state.hash or first_hash(room.id)
    )
    framing = mls.Framing(authenticated_data=annotation.encode(), padding=padding_for)
    group, private = mls.protect(group, content, turn.rng, framing)
    message = changed(
        message,
        content=content,
        epoch=group.context.epoch,
        blob=mls.encode_message(private),
    )
    room = replace(room, group=group).with_message(message)
    return room.with_state(sent=room.state.sent + 1), message


def answered(turn: Turn, purpose: ToAppend, frame: frames.Answer) -> None:
    """Take the relay's answer to a message."""
    room = turn.room(purpose.room)
    if room is None:
        return
    message = next((kept for kept in room.outbox if kept.key == purpose.key), None)
    if message is None:
        return  # its entry came by before the answer
    match frame:
        case frames.Accepted():
            turn.put(_accepted(turn, room, message, frame))
        case frames.Refused(code=code) if code in LATER:
            turn.put(_put_off(turn, room, frame))
        case frames.Stale() | frames.Refused() if room.state.status is RoomStatus.LOST:
            # It did not leave: it comes back first, and says goodbye anew.
            unsent = changed(message, epoch=0, blob=b"")
            turn.put(room.with_message(unsent).with_live(in_flight=None))
        case frames.Stale():
            turn.put(_overtaken(turn, room, purpose, frame))
        case frames.Refused():
            room = room.with_live(in_flight=None)
            turn.put(_refused(turn, room, message, frame))
        case _:
            pass


def _put_off(turn: Turn, room: Room, frame: frames.Refused) -> Room:
    pause = frame.facts.retry_after or limits.STORAGE_PAUSE
    paused = turn.now + max(pause, limits.SHORTEST_PAUSE)
    return room.with_live(in_flight=None, paused=paused)


def _overtaken(turn: Turn, room: Room, purpose: ToAppend, frame: frames.Stale) -> Room:
    """Read on, and send again then; but not at once if there is nothing newer."""
    room = room.expecting(frame.handshake).with_live(in_flight=None, current=False)
    if frame.handshake > purpose.handshake:
        return room
    return room.with_live(paused=turn.now + limits.STORAGE_PAUSE)


def _accepted(
    turn: Turn, room: Room, message: OutboxMessage, frame: frames.Accepted
) -> Room:
    """The relay has it for good. The next one waits until the entry itself came by."""
    room = heads.keep(turn, room, frame.head)
    if _is_leaving(message):
        return outbox.end(turn, room.without(message.key), RoomStatus.LEFT)
    if frame.place <= room.state.since:
        # Stored before, in a part of the log that was not for this device to read.
        return outbox.settle(turn, room, message, frame.place, frame.time)
    if frame.place <= room.state.place:
        # It would have been there when this device read that far.
        proof = msgspec.msgpack.encode(frame)
        room = heads.report(turn, room, "entry_altered", proof)
        paused = turn.now + limits.CHORE_PAUSE
        return room.with_live(in_flight=None, paused=paused)
    if message.key not in room.live.told:
        outbox.tell_stored(turn, room, message, frame.place, frame.time)
    told = room.live.told | {message.key}
    return room.expecting(frame.place).with_live(told=told)


def _refused(
    turn: Turn, room: Room, message: OutboxMessage, frame: frames.Refused
) -> Room:
    if frame.code is ErrorCode.BEHIND:
        return room.with_live(refeeding=frame.facts.place or 0, current=False)
    if frame.code is ErrorCode.NOT_FOUND:
        return following.doubt_route(turn, room)
    return outbox.fail(turn, room, message, frame.code.value)
