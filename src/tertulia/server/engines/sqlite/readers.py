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
        self._questions = _Threads(THREADS, "questions")
        self._pages = _Threads(1, "pages")

    async def page(
        self,
        question: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Return a page of `question(connection, ...)`; raise StorageError."""
        return await self._pages.run(
            lambda: question(self._connection(), *args, **kwargs)
        )

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
        return await self._questions.run(work)

    async def close(self) -> None:
        """Answer what was asked, then end."""
        await self._questions.close()
        await self._pages.close()
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


class _Threads:
    """Some threads, and a queue before them that has an end."""

    def __init__(self, count: int, work: str) -> None:
        self._work = work
        self._waiting = 0
        self._pool = ThreadPoolExecutor(count, f"store {work}")

    async def run(self, work: Callable[[], T]) -> T:
        if self._waiting >= MAX_WAITING:
            raise StorageError(f"too many {self._work} wait for the disk")
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, work)
        except (sqlite3.Error, OSError) as error:
            raise as_failure(error) from error
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        await asyncio.to_thread(self._pool.shutdown)
