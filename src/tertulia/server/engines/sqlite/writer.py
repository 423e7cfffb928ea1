"""The one thread that changes the database.

What comes within one turn of the event loop goes to the thread as one batch; what comes
while a batch is under way waits for the next one. The thread runs a batch in one
transaction, commits, which waits for the disk, and then reports to the event loop, once
for the whole batch: first what rooms got, then each caller's result. If one change of a
batch fails, the batch is rolled back and each runs alone, so that a fault hurts nobody
else.

A batch has an end, in bytes. What does not fit waits, and with it all that is for the
same rooms; others go before it, so that who sends much keeps nobody else waiting for
long. The oldest goes always, but a batch that takes long is followed by a short one.

A full queue refuses: the caller's client is asked to send again later.
"""

import asyncio
import contextlib
import queue
import sqlite3
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from tertulia.errors import TertuliaError
from tertulia.relay import ENTRY_COST, Change, Outcome, Proposal, StorageError
from tertulia.server.engines.sqlite.checkpoints import Checkpoints
from tertulia.server.engines.sqlite.failures import as_failure
from tertulia.server.engines.sqlite.pace import Pace

T = TypeVar("T")

MAX_WAITING: Final = 20_000  # calls, each with what one client has under way at most
MAX_BATCH: Final = 1024 * 1024  # bytes; a longer transaction keeps everybody waiting
LIGHT: Final = 64 * 1024  # bytes of a job, or of a batch; storing more takes long


class Transaction(Protocol):
    """What runs within a batch's transaction."""

    def append(self, proposals: Sequence[Proposal]) -> Sequence[Outcome]:
        """Decide on proposals, and give them places."""

    def finish(self) -> Sequence[Change]:
        """Write what was held back; return what rooms got."""

    def abandon(self) -> None:
        """Forget everything that was not committed."""


@dataclass(slots=True)
class _Job:
    """A change to run, or proposals to append together with those around them."""

    run: Callable[[], Any] | None
    proposals: Sequence[Proposal]
    future: "asyncio.Future[Any] | None"
    # What it counts against MAX_BATCH.
    size: int = ENTRY_COST

    @property
    def rooms(self) -> set[bytes]:
        """The rooms it is for; unknown for what is no append."""
        return {proposal.room for proposal in self.proposals}


class _Batch(NamedTuple):
    """Jobs for one transaction, and their size together."""

    jobs: Sequence[_Job]
    size: int


_NOTHING: Final = _Batch((), 0)


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
        report: Callable[[Sequence[Change]], None],
        checkpoints: Checkpoints,
    ) -> None:
        self._database = database
        self._checkpoints = checkpoints
        self._transaction = transaction
        self._report = report
        self._loop = asyncio.get_running_loop()
        self._waiting: list[_Job] = []
        # From the event loop to the thread; an empty batch ends it.
        self._batches: queue.SimpleQueue[_Batch] = queue.SimpleQueue()
        self._pace = Pace()
        self._was_long = False
        self._is_under_way = False
        self._is_resting = False
        self._is_closing = False
        self._thread = threading.Thread(target=self._work, name="store writer")
        self._thread.start()

    async def run(self, change: Callable[[], T]) -> T:
        """Run a change; return its result when it is durable. Raise StorageError."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._put(_Job(change, (), future))
        return await future

    def run_later(self, change: Callable[[], object]) -> None:
        """Run a change with the next batch, and do not wait for it."""
        self._put(_Job(change, (), None))

    async def append(self, proposals: Sequence[Proposal]) -> Sequence[Outcome]:
        """Let the transaction decide; return its outcomes when they are durable.

        Raises StorageError.
        """
        future: asyncio.Future[Sequence[Outcome]] = self._loop.create_future()
        size = sum(ENTRY_COST + len(proposal.blob) for proposal in proposals)
        self._put(_Job(None, proposals, future, ENTRY_COST + size))
        return await future

    async def close(self) -> None:
        """Run what waits, then end the thread."""
        self._is_closing = True
        while self._waiting:
            self._batches.put(self._take_batch())
        self._batches.put(_NOTHING)
        await asyncio.to_thread(self._thread.join)

    # On the event loop

    def _put(self, job: _Job) -> None:
        if self._is_closing:
            raise StorageError("the store is closing")
        if len(self._waiting) >= MAX_WAITING:
            raise StorageError("too many changes wait for the disk")
        self._waiting.append(job)
        self._begin()

    def _begin(self) -> None:
        """See to it that what waits is handed over, with what comes in this turn."""
        if self._waiting and not (self._is_under_way or self._is_resting):
            self._is_under_way = True
            self._loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        if self._is_closing:
            return
        self._batches.put(self._take_batch())

    def _take_batch(self) -> _Batch:
        """Take what waits, or what fits of it, with its order kept in each room."""
        batch = self._take(LIGHT) if self._was_long else _NOTHING
        if not batch.jobs:
            batch = self._take(sys.maxsize)
        self._was_long = batch.size > LIGHT
        return batch

    def _take(self, largest: int) -> _Batch:
        """Take jobs up to a size each."""
        batch: list[_Job] = []
        left: list[_Job] = []
        rooms: set[bytes] = set()
        size = 0
        for job in self._waiting:
            fits = job.size <= largest and (not batch or size + job.size <= MAX_BATCH)
            # What is no append may be for any room.
            must_wait = left and (
                job.run is not None or not rooms.isdisjoint(job.rooms)
            )
            if fits and not must_wait:
                batch.append(job)
                size += job.size
            else:
                left.append(job)
                rooms |= job.rooms
        self._waiting = left
        return _Batch(batch, size)

    def _settle(self, results: Sequence[_Result], changes: Sequence[Change]) -> None:
        """Tell everybody, and let the next batch begin."""
        self._is_under_way = False
        # Callers go on when this turn is over, after the listener was told. So what
        # they write to a connection goes out together with what their room got.
        for result in results:
            if result.future is None or result.future.done():
                continue
            if result.error is None:
                result.future.set_result(result.value)
            else:
                result.future.set_exception(result.error)
        if changes:
            self._report(changes)
        if self._pace.note(sum(len(change.entries) for change in changes)):
            self._is_resting = True
            # What was reported is flushed in the next turn, and written at its end.
            self._after(2, self._rest)
        else:
            self._begin()

    def _rest(self) -> None:
        self._pace.rest()
        # What came meanwhile is read after this turn, and answered in the next.
        self._after(2, self._go_on)

    def _go_on(self) -> None:
        self._is_resting = False
        self._begin()

    def _after(self, turns: int, call: Callable[[], None]) -> None:
        """Call when the event loop has made this many turns."""
        if turns == 0:
            call()
        else:
            self._loop.call_soon(self._after, turns - 1, call)

    # On the thread

    def _work(self) -> None:
        while (batch := self._batches.get()).jobs:
            results, changes = self._run_batch(batch.jobs)
            self._loop.call_soon_threadsafe(self._settle, results, changes)
            self._checkpoints.note(self._database, len(batch.jobs), batch.size)

    def _run_batch(
        self, batch: Sequence[_Job]
    ) -> tuple[list[_Result], Sequence[Change]]:
        try:
            self._database.execute("BEGIN IMMEDIATE")
            results = self._run_jobs(batch)
            changes = self._transaction.finish()
            self._database.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - the thread must go on
            self._roll_back()
            if len(batch) == 1:
                return [_Result(batch[0].future, None, as_failure(error))], ()
            return self._run_each(batch)
        return results, changes

    def _run_jobs(self, batch: Sequence[_Job]) -> list[_Result]:
        """Run a batch in its order; appends that follow one another run as one."""
        results: list[_Result] = []
        appends: list[_Job] = []
        for job in batch:
            if job.run is None:
                appends.append(job)
                continue
            results += self._append(appends)
            appends = []
            results.append(_Result(job.future, job.run()))
        return results + self._append(appends)

    def _append(self, jobs: Sequence[_Job]) -> list[_Result]:
        if not jobs:
            return []
        outcomes = self._transaction.append(
            [proposal for job in jobs for proposal in job.proposals]
        )
        results: list[_Result] = []
        start = 0
        for job in jobs:
            stop = start + len(job.proposals)
            results.append(_Result(job.future, outcomes[start:stop]))
            start = stop
        return results

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
