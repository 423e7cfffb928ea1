"""Readers: cannot write, do not wait for the writer, have a queue with an end."""

import asyncio
import sqlite3
import threading
from pathlib import Path
from random import Random

import pytest

from tertulia.relay import StorageError
from tertulia.server.engines.sqlite import readers as module
from tertulia.server.engines.sqlite import store
from tertulia.server.engines.sqlite.readers import Readers


def count(database: sqlite3.Connection, table: str) -> int:
    number: int = database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    return number


def test_readers_read_and_cannot_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        store.prepare(tmp_path, Random(1).randbytes)
        writing = store.connect(tmp_path / store.DATABASE)
        readers = Readers(tmp_path / store.DATABASE)
        writing.execute("BEGIN IMMEDIATE")
        writing.execute("INSERT INTO ban VALUES ('x', 1, NULL)")
        assert await readers.ask(count, "ban") == 0
        writing.execute("COMMIT")
        assert await readers.ask(count, table="ban") == 1
        with pytest.raises(StorageError):
            await readers.ask(lambda database: database.execute("DELETE FROM ban"))
        monkeypatch.setattr(module, "MAX_WAITING", 0)
        with pytest.raises(StorageError, match="too many"):
            await readers.ask(count, "ban")
        with pytest.raises(StorageError, match="too many"):
            await readers.page(count, "ban")
        await readers.close()
        writing.close()

    asyncio.run(story())


def test_a_question_does_not_wait_for_pages(tmp_path: Path) -> None:
    async def story() -> None:
        store.prepare(tmp_path, Random(1).randbytes)
        readers = Readers(tmp_path / store.DATABASE)
        may_end = threading.Event()

        def long_page(database: sqlite3.Connection) -> int:
            assert may_end.wait(20)
            return count(database, "ban")

        pages = [asyncio.ensure_future(readers.page(long_page)) for _ in range(9)]
        assert await readers.ask(count, "ban") == 0
        assert not any(page.done() for page in pages)
        may_end.set()
        assert await asyncio.gather(*pages) == [0] * 9
        await readers.close()

    asyncio.run(story())
