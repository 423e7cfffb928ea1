"""From rows of the database to the values of the engine port."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import msgspec

from tertulia.relay import Blob, EnrolledDevice, RoomInvite, RoomState, ServerInvite
from tertulia.wire import Kind, frames

# An entry's id is its room's number times 2^40, plus its place.
PLACE_BITS: Final = 40
PLACE_MASK: Final = (1 << PLACE_BITS) - 1

ENTRY_COLUMNS: Final = "id, kind, device, time, key, handshake, blob, blob_hash"
BLOB_COLUMNS: Final = "blob, room, account, size, hash, created, is_complete"

_advice: Final = msgspec.msgpack.Decoder(frames.GroupAdvice)
_kinds: Final = {int(kind): kind for kind in Kind}


@contextmanager
def one_moment(database: sqlite3.Connection) -> Iterator[None]:
    """Let all that is read in the block be of the same moment."""
    database.execute("BEGIN")
    try:
        yield
    finally:
        database.execute("COMMIT")


def entry_id(number: int, place: int) -> int:
    """Return the id of a room's entry."""
    return (number << PLACE_BITS) | place


def entry(row: tuple[Any, ...]) -> frames.Entry:
    """Return an entry from ENTRY_COLUMNS."""
    number, kind, *rest = row
    return frames.Entry(number & PLACE_MASK, _kinds[kind], *rest)


def entries(cursor: sqlite3.Cursor) -> Iterator[frames.Entry]:
    """Yield the entries of a cursor over ENTRY_COLUMNS."""
    return map(entry, cursor)


def room_state(row: tuple[Any, ...]) -> RoomState:
    """Return a room's state from its columns of that name."""
    return RoomState(*row)


def advice(encoded: bytes | None) -> frames.GroupAdvice | None:
    """Return the advice stored for joiners."""
    return None if encoded is None else _advice.decode(encoded)


def room_invite(room: bytes, row: tuple[Any, ...]) -> RoomInvite:
    """Return an invite from its columns in order."""
    *terms, joined, accounts = row
    return RoomInvite(room, frames.Invite(*terms), joined, accounts)


def server_invite(row: tuple[Any, ...]) -> ServerInvite:
    """Return a server invite from its columns in order."""
    invite, public_key, created, expires, uses, used, makes_owner = row
    return ServerInvite(
        invite, public_key, created, expires, uses, used, bool(makes_owner)
    )


def device(row: tuple[Any, ...]) -> EnrolledDevice:
    """Return a device from its columns in order."""
    device_id, account, key, counter, is_revoked = row
    return EnrolledDevice(device_id, account, key, counter, bool(is_revoked))


def blob(row: tuple[Any, ...]) -> Blob:
    """Return a blob from BLOB_COLUMNS; all of a complete one is stored."""
    *terms, is_complete = row
    known = Blob(*terms)
    if not is_complete:
        return known
    return msgspec.structs.replace(known, stored=known.size, is_complete=True)
