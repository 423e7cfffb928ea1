"""The running hash of a room: what makes its order and its content one value.

    H(0) = SHA-256("Tertulia 1 room" || room)
    H(n) = SHA-256("Tertulia 1 entry" || room || place || H(before) || kind || device
                   || time || key || handshake || SHA-256(blob))

All fields have a fixed length: room, device and key 16 bytes, hashes 32, kind 1, and
place, time and handshake 8 bytes, most significant first. `before` is the entry
before, whose place may be any lower one.
"""

import struct
from hashlib import sha256
from typing import Final

from tertulia.wire.frames import Entry

_START: Final = b"Tertulia 1 room"
_LABEL: Final = b"Tertulia 1 entry"
_header: Final = struct.Struct(">16sQ32sB16sQ16sQ32s").pack


def first_hash(room: bytes) -> bytes:
    """Return the hash before a room's first entry."""
    return sha256(_START + room).digest()


def blob_hash(entry: Entry) -> bytes:
    """Return the hash of an entry's blob, whether or not the blob is still there."""
    if entry.blob is None:
        return entry.blob_hash or bytes(32)
    return sha256(entry.blob).digest()


def next_hash(room: bytes, previous: bytes, entry: Entry) -> bytes:
    """Return the running hash after `entry`, given the one before it."""
    header = _header(
        room,
        entry.place,
        previous,
        entry.kind,
        entry.device,
        entry.time,
        entry.key,
        entry.handshake,
        blob_hash(entry),
    )
    return sha256(_LABEL + header).digest()
