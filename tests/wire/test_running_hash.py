"""The running hash, recomputed from its description."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pytest
from msgspec.structs import replace

from tertulia.wire import Kind, blob_hash, first_hash, frames, next_hash

ROOM = b"r" * 16
ENTRY = frames.Entry(258, Kind.APPLICATION, b"d" * 16, 1_000, b"k" * 16, 7, b"hello")


def test_the_hash_is_as_the_page_says() -> None:
    assert first_hash(ROOM) == sha256(b"Tertulia 1 room" + ROOM).digest()
    assert (
        next_hash(ROOM, first_hash(ROOM), ENTRY)
        == sha256(
            b"Tertulia 1 entry"
            + ROOM
            + (258).to_bytes(8)
            + first_hash(ROOM)
            + b"\x02"
            + b"d" * 16
            + (1_000).to_bytes(8)
            + b"k" * 16
            + (7).to_bytes(8)
            + sha256(b"hello").digest()
        ).digest()
    )


@dataclass(frozen=True)
class Change:
    field: str
    value: Any


@pytest.mark.parametrize(
    "change",
    [
        Change("place", 259),
        Change("kind", Kind.HANDSHAKE),
        Change("device", bytes(16)),
        Change("time", 1_001),
        Change("key", bytes(16)),
        Change("handshake", 8),
        Change("blob", b"hullo"),
    ],
)
def test_every_field_counts(change: Change) -> None:
    changed = replace(ENTRY, **{change.field: change.value})
    assert next_hash(ROOM, bytes(32), changed) != next_hash(ROOM, bytes(32), ENTRY)
    assert next_hash(bytes(16), bytes(32), ENTRY) != next_hash(ROOM, bytes(32), ENTRY)


def test_the_hash_outlives_the_blob() -> None:
    bare = replace(ENTRY, blob=None, blob_hash=blob_hash(ENTRY))
    assert next_hash(ROOM, bytes(32), bare) == next_hash(ROOM, bytes(32), ENTRY)
    assert blob_hash(replace(bare, blob_hash=None)) == bytes(32)
