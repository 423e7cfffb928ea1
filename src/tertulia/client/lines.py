"""Storing and showing lines of a conversation that an entry of the log brings."""

import msgspec

from tertulia.client.events import MessageArrived, Warned
from tertulia.client.identity import Member
from tertulia.client.messages import (
    StoredMessage,
    message_id,
    put_message,
    view_of,
    void_id,
)
from tertulia.client.notices import Notice, members_of
from tertulia.client.room import Room
from tertulia.client.turn import Turn
from tertulia.client.views import MessageKind, MessageState
from tertulia.wire import frames


def keep_line(
    turn: Turn, room: Room, entry: frames.Entry, member: Member, text: str | None
) -> None:
    """Store what a member said; None is of a kind that only a newer program knows."""
    kind = MessageKind.UNKNOWN if text is None else MessageKind.TEXT
    stored = StoredMessage(
        member.account,
        member.name,
        entry.time,
        kind,
        text or "",
        MessageState.RECEIVED,
    )
    _store(turn, room, entry, message_id(entry.device, entry.key), stored)


def keep_notice(
    turn: Turn, room: Room, entry: frames.Entry, notice: Notice, index: int = 0
) -> None:
    """Store what happened in the room."""
    stored = StoredMessage(
        notice.account,
        notice.name,
        entry.time,
        notice.kind,
        notice.text,
        MessageState.RECEIVED,
    )
    _store(turn, room, entry, message_id(entry.device, entry.key, index), stored)


def keep_void(turn: Turn, room: Room, entry: frames.Entry) -> None:
    """Store that an entry does not open, with the proof, and whose device sent it."""
    member = member_of_device(room, entry.device)
    account, name = (b"", "") if member is None else (member.account, member.name)
    stored = StoredMessage(
        account, name, entry.time, MessageKind.VOID, "", MessageState.VOID
    )
    _store(turn, room, entry, void_id(room.id, entry.place), stored)
    turn.keep_evidence(room.id, "entry_void", msgspec.msgpack.encode(entry))
    turn.emit(Warned(room.id, "entry_void", name, entry.place))


def _store(
    turn: Turn, room: Room, entry: frames.Entry, name: bytes, stored: StoredMessage
) -> None:
    turn.save(put_message(room.id, name, entry.place, stored))
    view = view_of(room.id, name, entry.place, stored, turn.session.profile)
    turn.emit(MessageArrived(view))


def member_of_device(room: Room, device: bytes) -> Member | None:
    """Return the member that a device belongs to, if it is in the room."""
    if room.group is None:
        return None
    for member in members_of(room.group).values():
        if member.device == device:
            return member
    return None
