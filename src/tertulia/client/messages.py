"""Lines of a conversation: as they are stored, and as a face sees them."""

import hashlib

import msgspec
from msgspec import Struct

from tertulia.client.rows import MessageRow, ProfileRow, PutMessage
from tertulia.client.views import MessageKind, MessageState, MessageView, Person
from tertulia.wire import account_id


class StoredMessage(Struct, frozen=True, array_like=True):
    """A line as stored. `name` is the sender's at that time."""

    account: bytes
    name: str
    time: int
    kind: MessageKind
    text: str
    state: MessageState
    reason: str | None = None


def message_id(device: bytes, key: bytes, index: int = 0) -> bytes:
    """Return the id of the message in an entry, or of a further notice about it."""
    first = device + key
    if index == 0:
        return first
    return hashlib.sha256(first + index.to_bytes(8, "big")).digest()


def void_id(room: bytes, place: int) -> bytes:
    """Return the id of the line that stands for an entry which does not open.

    Not the id that the entry claims: a message of that id may be there already.
    """
    return hashlib.sha256(room + place.to_bytes(8, "big")).digest()


def put_message(
    room: bytes, message: bytes, place: int | None, stored: StoredMessage
) -> PutMessage:
    """Return the change that stores a line."""
    return PutMessage(MessageRow(room, message, place, msgspec.msgpack.encode(stored)))


def message_view(row: MessageRow, profile: ProfileRow) -> MessageView:
    """Return a stored line as a face sees it."""
    stored = msgspec.msgpack.decode(row.body, type=StoredMessage)
    return view_of(row.room, row.message, row.place, stored, profile)


def view_of(
    room: bytes,
    message: bytes,
    place: int | None,
    stored: StoredMessage,
    profile: ProfileRow,
) -> MessageView:
    """Return a line as a face sees it."""
    is_me = stored.account == account_id(profile.account_public)
    return MessageView(
        room,
        message,
        Person(stored.account, stored.name, is_me=is_me),
        stored.time,
        stored.kind,
        stored.text,
        stored.state,
        place,
        stored.reason,
    )
