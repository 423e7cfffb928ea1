"""The one thread that changes the database.

Changes wait in a bounded queue. The thread takes all that wait, runs them in one
transaction, commits, which waits for the disk, and only then reports to the event
loop, once for the whole batch: first what rooms got, then each caller's result. If one
change of a batch fails, the batch is rolled back and each runs alone, so that a fault
hurts nobody else.

A full queue refuses: the caller's client is asked to send again later.
"""

import asyncio
import contextlib
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from tertulia.errors import TertuliaError
from tertulia.relay import Change, StorageError
from tertulia.server.engines.sqlite.failures import as_failure

T = TypeVar("T")

MAX_WAITING: Final = 20_000
MAX_BATCH: Final = 2_000


class Transaction(Protocol):
    """What runs within a batch's transaction."""

    def finish(self) -> Sequence[Change]:
        """Write what was held back; return what rooms got."""

    def abandon(self) -> None:
        """Forget everything that was not committed."""


@dataclass(slots=True)
class _Job:
    run: Callable[[], Any]
    future: "asyncio.Future[Any] | None"


@dataclass(slots=True)
class _Result:
    future: "asyncio.Future[Any] | None"
    value: Any
    error: TertuliaError | None = None


class Writer:
    """Runs changes on a thread of its own."""

    def __init__(
        self,
        database: sqlite3.Connection,
        transaction: Transaction,
        report: Callable[[Change], None],
    ) -> None:
        self._database = database
        self._transaction = transaction
        self._report = report
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Job] = deque()
        self._wake = threading.Condition()
        self._is_closing = False
        self._thread = threading.Thread(target=self._work, name="store writer")
        self._thread.start()

    async def run(self, change: Callable[[], T]) -> T:
        """Run a change; return its result when it is durable. Raise StorageError."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._put(_Job(change, future))
        return await future

    def run_later(self, change: Callable[[], object]) -> None:
        """Run a change with the next batch, and do not wait for it."""
        self._put(_Job(change, None))

    async def close(self) -> None:
        """Run what waits, then end the thread."""
        with self._wake:
            self._is_closing = True
            self._wake.notify()
        await asyncio.to_thread(self._thread.join)

    def _put(self, job: _Job) -> None:
        with self._wake:
            if self._is_closing:
                raise StorageError("the store is closing")
            if len(self._waiting) >= MAX_WAITING:
                raise StorageError("too many changes wait for the disk")
            self._waiting.append(job)
            if len(self._waiting) == 1:
                self._wake.notify()

    def _work(self) -> None:
        while batch := self._take():
            results, changes = self._run_batch(batch)
            self._loop.call_soon_threadsafe(self._settle, results, changes)

    def _take(self) -> list[_Job]:
        """Return all that waits; an empty list at the end."""
        with self._wake:
            while not self._waiting and not self._is_closing:
                self._wake.wait()
            count = min(len(self._waiting), MAX_BATCH)
            return [self._waiting.popleft() for _ in range(count)]

    def _run_batch(
        self, batch: Sequence[_Job]
    ) -> tuple[list[_Result], Sequence[Change]]:
        try:
            self._database.execute("BEGIN IMMEDIATE")
            results = [_Result(job.future, job.run()) for job in batch]
            changes = self._transaction.finish()
            self._database.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - the thread must go on
            self._roll_back()
            if len(batch) == 1:
                return [_Result(batch[0].future, None, as_failure(error))], ()
            return self._run_each(batch)
        return results, changes

    def _run_each(
        self, batch: Sequence[_Job]
    ) -> tuple[list[_Result], Sequence[Change]]:
        results: list[_Result] = []
        changes: list[Change] = []
        for job in batch:
            result, changed = self._run_batch([job])
            results += result
            changes += changed
        return results, changes

    def _roll_back(self) -> None:
        self._transaction.abandon()
        # A failing disk may end the transaction, and refuse to say so.
        with contextlib.suppress(sqlite3.Error):
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")

    def _settle(self, results: Sequence[_Result], changes: Sequence[Change]) -> None:
        """Tell the event loop, in its own thread."""
        for change in changes:
            self._report(change)
        for result in results:
            if result.future is None or result.future.done():
                continue
            if result.error is None:
                result.future.set_result(result.value)
            else:
                result.future.set_exception(result.error)
