"""What is known of blobs, in SQL."""

import sqlite3
from dataclasses import dataclass

from msgspec.structs import replace

from tertulia.relay import Blob, BlobLimits, Denied
from tertulia.server.engines.sqlite import blobs
from tertulia.server.engines.sqlite.ledger import Ledger
from tertulia.wire import ErrorCode, frames
from tests.server.engines.sqlite.conftest import ALICE, ROOM

BLOB = Blob(b"x" * 16, ROOM, ALICE.account, 5, b"h" * 32, 1)
PLENTY = BlobLimits(99, 99, 99)


@dataclass(frozen=True)
class Case:
    reference: frames.BlobReference
    is_there: bool


def test_a_reference_must_fit_in_every_part(
    database: sqlite3.Connection, ledger: Ledger
) -> None:
    ledger.finish()
    reference = frames.BlobReference(BLOB.blob, 5, BLOB.hash)
    assert blobs.create(database, BLOB, PLENTY) is None
    assert not blobs.is_there(database, ROOM, reference)
    blobs.complete(database, BLOB.blob)
    for case in (
        Case(reference, is_there=True),
        Case(replace(reference, size=6), is_there=False),
        Case(replace(reference, hash=bytes(32)), is_there=False),
        Case(replace(reference, blob=bytes(16)), is_there=False),
    ):
        assert blobs.is_there(database, ROOM, case.reference) is case.is_there
    assert not blobs.is_there(database, bytes(16), reference)
    assert blobs.blobs_of(database, ROOM) == [BLOB.blob]
    assert blobs.remove(database, BLOB.blob) is not None
    assert blobs.remove(database, BLOB.blob) is None


def test_a_blob_needs_a_room_and_an_account(database: sqlite3.Connection) -> None:
    denied = blobs.create(database, BLOB, PLENTY)
    assert denied == Denied(ErrorCode.NOT_FOUND)
