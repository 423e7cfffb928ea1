"""The SQLite engine over time; what it promises is in test_contract.py."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from tertulia.relay import (
    Blob,
    BlobLimits,
    Denied,
    Enrolment,
    Placed,
    Proposal,
    StorageError,
)
from tertulia.server.engines import SqliteEngine, StoreInUseError
from tertulia.wire import ErrorCode, Kind
from tests.server.engines.sqlite.conftest import ALICE, ROOM

TEXT = Proposal(
    ROOM, ALICE.device, b"k" * 16, Kind.APPLICATION, 0, b"hello", 5, room_limit=1 << 40
)
BLOB = Blob(b"x" * 16, ROOM, ALICE.account, 5, bytes(32), 1)


async def begun(folder: Path) -> SqliteEngine:
    engine = await SqliteEngine.open(folder)
    await engine.enrol(Enrolment(ALICE, 1, None, may_create_account=True))
    await engine.create_room(ROOM, ALICE.device, 1)
    return engine


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    async def story() -> None:
        engine = await begun(tmp_path)
        first = await engine.append([TEXT])
        state = await engine.room(ROOM)
        await engine.close()
        again = await SqliteEngine.open(tmp_path)
        assert again.incarnation == engine.incarnation
        assert await again.room(ROOM) == state
        assert first == [Placed(1, 5)]
        assert await again.append([TEXT]) == [Placed(1, 5, again=True)]
        await again.close()

    asyncio.run(story())


def test_a_second_engine_is_kept_out(tmp_path: Path) -> None:
    async def story() -> None:
        engine = await begun(tmp_path)
        with pytest.raises(StoreInUseError):
            await SqliteEngine.open(tmp_path)
        await engine.close()

    asyncio.run(story())


def test_two_pieces_at_once_do_not_mix(tmp_path: Path) -> None:
    async def story() -> None:
        engine = await begun(tmp_path)
        await engine.create_blob(BLOB, BlobLimits(99, 99, 99))
        stored = await asyncio.gather(
            engine.write_blob(BLOB.blob, 0, b"ab"),
            engine.write_blob(BLOB.blob, 0, b"ab"),
        )
        assert sorted(stored, key=str) == [2, None]
        assert not await engine.finish_blob(b"?" * 16)
        await engine.close()

    asyncio.run(story())


def test_a_room_that_goes_takes_a_blob_announced_meanwhile_along(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        engine = await begun(tmp_path)
        limits = BlobLimits(99, 99, 99)
        late = replace(BLOB, blob=b"y" * 16)
        await engine.create_blob(BLOB, limits)
        await engine.write_blob(BLOB.blob, 0, b"ab")
        announced, removed = await asyncio.gather(
            engine.create_blob(late, limits), engine.remove_room(ROOM)
        )
        assert announced is None
        assert removed
        assert await engine.create_blob(late, limits) == Denied(ErrorCode.NOT_FOUND)
        assert not [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
        await engine.close()

    asyncio.run(story())


def test_a_closed_engine_takes_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        engine = await begun(tmp_path)
        await engine.close()
        with pytest.raises(StorageError):
            await engine.append([TEXT])

    asyncio.run(story())
