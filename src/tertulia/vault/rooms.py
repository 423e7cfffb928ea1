"""Rooms with what their sessions need to go on, in SQL."""

from collections.abc import Mapping
from typing import Final

import apsw

from tertulia.client import InviteRow, OutboxRow, RoomRow, StoredRoom, TreeRow
from tertulia.vault import entries

# Where a room leaves rows that go with it.
_TABLES: Final = (
    "room",
    "epoch",
    "tree",
    "epoch_key",
    "pending",
    "outbox",
    "invite",
    "message",
    "entry",
)


def put_room(database: apsw.Connection, row: RoomRow) -> None:
    """Add or replace a room's state."""
    database.execute(
        "INSERT INTO room (room, relay, state) VALUES (?, ?, ?)"
        " ON CONFLICT (room) DO UPDATE SET relay = excluded.relay,"
        " state = excluded.state",
        (row.room, row.relay, row.state),
    )


def drop_room(database: apsw.Connection, room: bytes) -> None:
    """Delete a room with everything that belongs to it; proofs stay."""
    for table in _TABLES:
        database.execute(f"DELETE FROM {table} WHERE room = ?", (room,))  # noqa: S608


def put_epoch(
    database: apsw.Connection, room: bytes, epoch: bytes, keys: Mapping[bytes, bytes]
) -> None:
    """Replace a room's epoch and all its keys; its tree is kept apart."""
    _drop_keys(database, room)
    database.execute("INSERT INTO epoch VALUES (?, ?)", (room, epoch))
    change_keys(database, room, keys)


def change_keys(
    database: apsw.Connection, room: bytes, keys: Mapping[bytes, bytes | None]
) -> None:
    """Replace some of a room's keys; None deletes."""
    database.executemany(
        "DELETE FROM epoch_key WHERE room = ? AND name = ?",
        [(room, name) for name, key in keys.items() if key is None],
    )
    database.executemany(
        "INSERT OR REPLACE INTO epoch_key VALUES (?, ?, ?)",
        [(room, name, key) for name, key in keys.items() if key is not None],
    )


def drop_epoch(database: apsw.Connection, room: bytes) -> None:
    """Delete a room's epoch with its tree and all its keys."""
    _drop_keys(database, room)
    database.execute("DELETE FROM tree WHERE room = ?", (room,))


def _drop_keys(database: apsw.Connection, room: bytes) -> None:
    database.execute("DELETE FROM epoch WHERE room = ?", (room,))
    database.execute("DELETE FROM epoch_key WHERE room = ?", (room,))


def put_tree(database: apsw.Connection, row: TreeRow, *, follows: bool) -> None:
    """Keep what an epoch changed in a room's tree, or the whole instead of all."""
    if not follows:
        database.execute("DELETE FROM tree WHERE room = ?", (row.room,))
    database.execute(
        "INSERT INTO tree VALUES (?, ?, ?)", (row.room, row.epoch, row.tree)
    )


def put_pending(database: apsw.Connection, room: bytes, pending: bytes) -> None:
    """Keep the handshake that is being sent, instead of another."""
    database.execute("INSERT OR REPLACE INTO pending VALUES (?, ?)", (room, pending))


def drop_pending(database: apsw.Connection, room: bytes) -> None:
    """Forget the handshake that was being sent."""
    database.execute("DELETE FROM pending WHERE room = ?", (room,))


def put_outbox(database: apsw.Connection, row: OutboxRow) -> None:
    """Add or replace a message in the outbox."""
    database.execute(
        "INSERT OR REPLACE INTO outbox (room, key, number, state) VALUES (?, ?, ?, ?)",
        (row.room, row.key, row.number, row.state),
    )


def drop_outbox(database: apsw.Connection, room: bytes, key: bytes) -> None:
    """Take a message out of the outbox."""
    database.execute("DELETE FROM outbox WHERE room = ? AND key = ?", (room, key))


def put_invite(database: apsw.Connection, row: InviteRow) -> None:
    """Keep an invite's secret."""
    database.execute(
        "INSERT OR REPLACE INTO invite (room, invite, link) VALUES (?, ?, ?)",
        (row.room, row.invite, row.link),
    )


def drop_invite(database: apsw.Connection, room: bytes, invite: bytes) -> None:
    """Forget an invite's secret."""
    database.execute("DELETE FROM invite WHERE room = ? AND invite = ?", (room, invite))


def rooms(database: apsw.Connection, relay: bytes) -> list[StoredRoom]:
    """Return all rooms of a relay, in order of first use."""
    found = database.execute(
        "SELECT room, relay, state FROM room WHERE relay = ? ORDER BY number", (relay,)
    )
    return [_stored(database, row) for row in [RoomRow(*row) for row in found]]


def _stored(database: apsw.Connection, row: RoomRow) -> StoredRoom:
    room = row.room
    return StoredRoom(
        row,
        epoch=_epoch(database, room),
        tree=_tree(database, room),
        keys=_keys(database, room),
        pending=_pending(database, room),
        outbox=_outbox(database, room),
        invites=_invites(database, room),
        entries=entries.recent_hashes(database, room),
    )


def _epoch(database: apsw.Connection, room: bytes) -> bytes | None:
    epoch: bytes | None = database.execute(
        "SELECT epoch FROM epoch WHERE room = ?", (room,)
    ).get
    return epoch


def _tree(database: apsw.Connection, room: bytes) -> tuple[TreeRow, ...]:
    found = database.execute(
        "SELECT room, epoch, tree FROM tree WHERE room = ? ORDER BY epoch", (room,)
    )
    return tuple(TreeRow(*row) for row in found)


def _keys(database: apsw.Connection, room: bytes) -> dict[bytes, bytes]:
    found = database.execute("SELECT name, key FROM epoch_key WHERE room = ?", (room,))
    return dict(found)


def _pending(database: apsw.Connection, room: bytes) -> bytes | None:
    pending: bytes | None = database.execute(
        "SELECT pending FROM pending WHERE room = ?", (room,)
    ).get
    return pending


def _outbox(database: apsw.Connection, room: bytes) -> tuple[OutboxRow, ...]:
    found = database.execute(
        "SELECT room, number, key, state FROM outbox WHERE room = ? ORDER BY number",
        (room,),
    )
    return tuple(OutboxRow(*row) for row in found)


def _invites(database: apsw.Connection, room: bytes) -> tuple[InviteRow, ...]:
    found = database.execute(
        "SELECT room, invite, link FROM invite WHERE room = ? ORDER BY rowid", (room,)
    )
    return tuple(InviteRow(*row) for row in found)
