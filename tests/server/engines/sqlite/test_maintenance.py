"""Backup, verification, restore."""

import asyncio
import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest

from tertulia.relay import Blob, BlobLimits, Enrolment, Placed, Proposal
from tertulia.server.engines import (
    DamagedStoreError,
    SqliteEngine,
    StoreExistsError,
    restore,
    verify,
)
from tertulia.wire import Kind
from tests.server.engines.sqlite.conftest import ALICE, ROOM

PLENTY = BlobLimits(1 << 40, 1 << 40, 1 << 40)
CONTENT = b"content of a blob"


def proposal(text: bytes) -> Proposal:
    key = sha256(text).digest()[:16]
    return Proposal(
        ROOM, ALICE.device, key, Kind.APPLICATION, 0, text, 5, room_limit=1 << 40
    )


async def fill(folder: Path) -> SqliteEngine:
    """Return an open store with a room, two entries and a blob."""
    engine = await SqliteEngine.open(folder)
    await engine.enrol(Enrolment(ALICE, 1, None, may_create_account=True))
    await engine.create_room(ROOM, ALICE.device, 1)
    for text in (b"one", b"two"):
        await engine.append([proposal(text)])
    digest = sha256(CONTENT).digest()
    blob = Blob(b"x" * 16, ROOM, ALICE.account, len(CONTENT), digest, 1)
    await engine.create_blob(blob, PLENTY)
    await engine.write_blob(blob.blob, 0, CONTENT)
    await engine.finish_blob(blob.blob)
    return engine


def test_a_backup_of_a_store_in_use_is_restored_elsewhere(tmp_path: Path) -> None:
    async def story() -> None:
        engine = await fill(tmp_path / "store")
        await engine.backup(tmp_path / "backup")
        await engine.append([proposal(b"after the backup")])
        await engine.close()
        assert verify(tmp_path / "store") == verify(tmp_path / "backup") == []
        restore(tmp_path / "backup", tmp_path / "restored", Random(2).randbytes)
        restored = await SqliteEngine.open(tmp_path / "restored")
        assert restored.incarnation != engine.incarnation
        again = await restored.append([proposal(b"two")])
        assert again == [Placed(2, 5, again=True)]
        assert await restored.read_blob(b"x" * 16, 0, 99) == CONTENT
        await restored.close()

    asyncio.run(story())


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    async def story() -> None:
        engine = await fill(tmp_path / "store")
        with pytest.raises(StoreExistsError):
            await engine.backup(tmp_path / "store")
        await engine.backup(tmp_path / "backup")
        await engine.close()
        with pytest.raises(StoreExistsError, match="empty folder"):
            restore(tmp_path / "backup", tmp_path / "store", Random(2).randbytes)

    asyncio.run(story())


def test_what_is_damaged_is_found_and_not_restored(tmp_path: Path) -> None:
    async def story() -> None:
        engine = await fill(tmp_path)
        await engine.close()

    asyncio.run(story())
    blob = tmp_path / "blobs" / "78" / ("78" * 16)
    blob.write_bytes(b"altered")
    with closing(sqlite3.connect(tmp_path / "relay.db")) as database, database:
        database.execute(
            "UPDATE entry SET blob = CAST('ONE' AS BLOB) WHERE blob = CAST('one' AS BLOB)"
        )
    problems = verify(tmp_path)
    assert [problem.split(":")[0] for problem in problems] == [
        f"room {ROOM.hex()}",
        f"blob {'78' * 16} is missing or altered",
    ]
    with pytest.raises(DamagedStoreError):
        restore(tmp_path, tmp_path / "elsewhere", Random(2).randbytes)


def test_what_is_no_store_is_told(tmp_path: Path) -> None:
    assert verify(tmp_path) == [f"{tmp_path / 'relay.db'} is missing"]
    (tmp_path / "relay.db").write_bytes(b"nonsense" * 100)
    assert verify(tmp_path) == ["file is not a database"]
