"""Reading: a few threads, each with a connection of its own that cannot write.

In WAL mode a reader sees the last commit and waits for nobody. More than MAX_WAITING
questions at once are refused, like changes. Pages have a thread of their own: who
reads long logs must not keep those waiting who only want to come in.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, TypeVar

from tertulia.relay import StorageError
from tertulia.server.engines.sqlite.failures import as_failure

P = ParamSpec("P")
T = TypeVar("T")

THREADS: Final = 4
MAX_WAITING: Final = 10_000


class Readers:
    """Runs questions on threads of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._waiting = 0
        self._pool = ThreadPoolExecutor(THREADS, "store reader")
        self._pages_waiting = 0
        self._pages = ThreadPoolExecutor(1, "store pages")

    async def page(
        self,
        question: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Return a page of `question(connection, ...)`; raise StorageError."""
        if self._pages_waiting >= MAX_WAITING:
            raise StorageError("too many pages wait for the disk")
        self._pages_waiting += 1
        try:
            return await _carry_out(
                self._pages, lambda: question(self._connection(), *args, **kwargs)
            )
        finally:
            self._pages_waiting -= 1

    async def ask(
        self,
        question: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Return the answer of `question(connection, ...)`; raise StorageError."""
        return await self.run(lambda: question(self._connection(), *args, **kwargs))

    async def run(self, work: Callable[[], T]) -> T:
        """Run work that has to do with files on a reader's thread."""
        if self._waiting >= MAX_WAITING:
            raise StorageError("too many questions wait for the disk")
        self._waiting += 1
        try:
            return await _carry_out(self._pool, work)
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        """Answer what was asked, then end."""
        await asyncio.to_thread(self._pool.shutdown)
        await asyncio.to_thread(self._pages.shutdown)
        for connection in self._open:
            connection.close()

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(
                f"{self._path.absolute().as_uri()}?mode=ro",
                uri=True,
                isolation_level=None,
                check_same_thread=False,
            )
            self._local.connection = connection
            self._open.append(connection)
        return connection


async def _carry_out(pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
    try:
        return await asyncio.get_running_loop().run_in_executor(pool, work)
    except (sqlite3.Error, OSError) as error:
        raise as_failure(error) from error
