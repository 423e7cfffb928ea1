"""Names and rows that several tests of the vault use."""

from tertulia.client import (
    EntryRow,
    InviteRow,
    MessageRow,
    OutboxRow,
    PutEntry,
    PutEpoch,
    PutInvite,
    PutMessage,
    PutOutbox,
    PutPending,
    PutRoom,
    PutTree,
    RoomRow,
    RowChange,
    StoredRoom,
    TreeRow,
)
from tertulia.crypto import Secret

KEY = Secret(bytes(range(32)))
ROOM = b"room" * 4
OTHER = b"door" * 4
RELAY = b"relay"


def all_of_a_room(room: bytes) -> list[RowChange]:
    """Return a row of each kind that belongs to a room."""
    return [
        PutRoom(RoomRow(room, RELAY, b"state")),
        PutEpoch(room, b"epoch", {b"a": b"1", b"b": b"2"}),
        PutTree(TreeRow(room, 7, b"tree")),
        PutTree(TreeRow(room, 8, b"patch"), follows=True),
        PutPending(room, b"pending"),
        PutOutbox(OutboxRow(room, 1, b"key", b"text")),
        PutInvite(InviteRow(room, b"invite", "link")),
        PutEntry(EntryRow(room, 3, b"hash", b"entry")),
        PutMessage(MessageRow(room, b"message", 3, b"body")),
    ]


def as_stored(room: bytes) -> StoredRoom:
    """Return those rows as they are loaded."""
    return StoredRoom(
        RoomRow(room, RELAY, b"state"),
        b"epoch",
        (TreeRow(room, 7, b"tree"), TreeRow(room, 8, b"patch")),
        {b"a": b"1", b"b": b"2"},
        b"pending",
        (OutboxRow(room, 1, b"key", b"text"),),
        (InviteRow(room, b"invite", "link"),),
        ((3, b"hash"),),
    )
