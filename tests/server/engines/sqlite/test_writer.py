"""The writer: batches, faults that hurt nobody else, a queue with an end."""

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from tertulia.errors import BugError
from tertulia.relay import (
    Change,
    Outcome,
    Placed,
    Proposal,
    StorageError,
    empty_room,
)
from tertulia.server.engines.sqlite import store, writer
from tertulia.server.engines.sqlite.checkpoints import Checkpoints
from tertulia.server.engines.sqlite.pace import Pace
from tertulia.server.engines.sqlite.writer import Writer
from tertulia.wire import Kind

CHANGE = Change(empty_room(bytes(16), 0), bytes(32))


class Tally:
    """A transaction that reports one change per batch."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def append(self, proposals: Sequence[Proposal]) -> Sequence[Outcome]:
        self.events.append(f"append {len(proposals)}")
        if any(proposal.blob == b"bad" for proposal in proposals):
            raise sqlite3.IntegrityError
        return [Placed(proposal.now, 1) for proposal in proposals]

    def finish(self) -> Sequence[Change]:
        self.events.append("finish")
        return (CHANGE,)

    def abandon(self) -> None:
        self.events.append("abandon")


class Desk:
    def __init__(self, path: Path) -> None:
        self.database = store.connect(path)
        self.database.execute("CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY)")
        self.tally = Tally()
        self.checkpoints = Checkpoints(path)
        self.writer = Writer(
            self.database,
            self.tally,
            lambda _: self.tally.events.append("report"),
            self.checkpoints,
        )

    def insert(self, number: int) -> Callable[[], int]:
        def run() -> int:
            self.database.execute("INSERT INTO t VALUES (?)", (number,))
            return number

        return run

    def numbers(self) -> list[int]:
        return [n for (n,) in self.database.execute("SELECT n FROM t ORDER BY n")]


def proposal(number: int, blob: bytes = b"good") -> Proposal:
    return Proposal(bytes(16), bytes(16), bytes(16), Kind.APPLICATION, 0, blob, number)


def text(number: int, room: bytes, size: int = 1) -> Proposal:
    return Proposal(
        room * 16, bytes(16), bytes(16), Kind.APPLICATION, 0, bytes(size), number
    )


def noted_order(desk: "Desk", monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the list that will have the numbers of texts as they were stored."""
    order: list[int] = []
    append = desk.tally.append

    def noted(proposals: Sequence[Proposal]) -> Sequence[Outcome]:
        order.extend(proposal.now for proposal in proposals)
        return append(proposals)

    monkeypatch.setattr(desk.tally, "append", noted)
    return order


def play(folder: Path, story: Callable[[Desk], Coroutine[Any, Any, None]]) -> list[int]:
    async def played() -> list[int]:
        desk = Desk(folder / "t.db")
        try:
            await story(desk)
        finally:
            await desk.writer.close()
            desk.checkpoints.close()
        numbers = desk.numbers()
        desk.database.close()
        return numbers

    return asyncio.run(played())


def test_what_waits_together_is_one_transaction(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        results = await asyncio.gather(
            *[desk.writer.run(desk.insert(number)) for number in range(50)]
        )
        assert results == list(range(50))
        assert desk.tally.events.count("finish") < 50
        desk.tally.events.append("returned")
        assert desk.tally.events[-2] == "report"

    assert play(tmp_path, story) == list(range(50))


def test_appends_that_come_together_are_decided_together(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        results = await asyncio.gather(
            desk.writer.append([proposal(1), proposal(2)]),
            desk.writer.append([proposal(3)]),
            desk.writer.run(desk.insert(1)),
            desk.writer.append([]),
            desk.writer.append([proposal(4)]),
        )
        assert list[object](results) == [
            [Placed(1, 1), Placed(2, 1)],
            [Placed(3, 1)],
            1,
            [],
            [Placed(4, 1)],
        ]
        assert desk.tally.events == ["append 3", "append 1", "finish", "report"]

    play(tmp_path, story)


def test_what_is_large_waits_and_who_is_elsewhere_goes_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MAX_BATCH", 3_000)

    async def story(desk: Desk) -> None:
        order = noted_order(desk, monkeypatch)
        await asyncio.gather(
            desk.writer.append([text(1, b"a", 9_000)]),  # the oldest goes always
            desk.writer.append([text(2, b"b", 2_000)]),
            desk.writer.append([text(3, b"c"), text(4, b"d")]),
            desk.writer.append([text(5, b"b", 2_000)]),
            desk.writer.append([text(6, b"b")]),  # not before its room's fifth
            desk.writer.append([text(7, b"e")]),
            desk.writer.run(desk.insert(1)),  # may be for any room
            desk.writer.append([text(8, b"e")]),
        )
        assert sorted(order) == list(range(1, 9))
        assert order[0] == 1
        for before, after in ((2, 5), (5, 6), (7, 8), (3, 4)):
            assert order.index(before) < order.index(after)
        assert order.index(7) < order.index(5)

    assert play(tmp_path, story) == [1]


def test_after_a_long_batch_comes_a_short_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MAX_BATCH", 3_000)
    monkeypatch.setattr(writer, "LIGHT", 1_000)

    async def story(desk: Desk) -> None:
        order = noted_order(desk, monkeypatch)
        await asyncio.gather(
            desk.writer.append([text(1, b"a", 9_000)]),
            desk.writer.append([text(2, b"b", 9_000)]),
            desk.writer.append([text(3, b"b")]),  # not before its room's second
            desk.writer.append([text(4, b"c", 9_000)]),
            desk.writer.append([text(5, b"d")]),
        )
        assert order == [1, 5, 2, 3, 4]

    play(tmp_path, story)


class Restful(Pace):
    """A pace that rests after each batch, and tells."""

    def __init__(self, events: list[str]) -> None:
        super().__init__()
        self.events = events

    @override
    def note(self, entries: int) -> bool:
        return True

    @override
    def rest(self) -> None:
        self.events.append("rest")


def test_what_comes_while_the_loop_rests_waits_for_what_is_read_after(
    tmp_path: Path,
) -> None:
    async def story(desk: Desk) -> None:
        loop, events = asyncio.get_running_loop(), desk.tally.events
        desk.writer._pace = Restful(events)
        first = asyncio.create_task(desk.writer.run(desk.insert(1)))
        while "report" not in events:  # noqa: ASYNC110 -- the turn it comes in counts
            await asyncio.sleep(0)
        loop.call_soon(events.append, "written")
        early = asyncio.create_task(desk.writer.append([proposal(2)]))
        while "rest" not in events:  # noqa: ASYNC110
            await asyncio.sleep(0)
        late = asyncio.create_task(desk.writer.append([proposal(3)]))
        assert await first == 1
        await asyncio.gather(early, late)
        told = ["finish", "report", "written", "rest", "append 2", "finish", "report"]
        assert events[: len(told)] == told

    assert play(tmp_path, story) == [1]


def test_an_append_that_fails_hurts_nobody_else(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        results = await asyncio.gather(
            desk.writer.append([proposal(1)]),
            desk.writer.append([proposal(2, b"bad")]),
            desk.writer.append([proposal(3)]),
            return_exceptions=True,
        )
        assert (results[0], results[2]) == ([Placed(1, 1)], [Placed(3, 1)])
        assert isinstance(results[1], StorageError)

    play(tmp_path, story)


def test_a_fault_hurts_nobody_else(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        jobs = [desk.insert(1), desk.insert(1), desk.insert(2)]
        results = await asyncio.gather(
            *[desk.writer.run(job) for job in jobs], return_exceptions=True
        )
        assert (results[0], results[2]) == (1, 2)
        assert isinstance(results[1], StorageError)
        assert "abandon" in desk.tally.events

    assert play(tmp_path, story) == [1, 2]


def test_a_bug_is_told_as_one(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        with pytest.raises(BugError, match="KeyError"):
            await desk.writer.run(lambda: {"something": 1}["nothing"])

    assert play(tmp_path, story) == []


def test_a_failing_commit_acknowledges_nothing(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        await desk.writer.run(desk.insert(1))
        desk.database.execute("PRAGMA query_only = 1")
        with pytest.raises(StorageError):
            await desk.writer.run(desk.insert(2))
        desk.database.execute("PRAGMA query_only = 0")
        await desk.writer.run(desk.insert(3))

    assert play(tmp_path, story) == [1, 3]


def test_a_full_disk_is_told_as_such(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        pages = desk.database.execute("PRAGMA page_count").fetchone()[0]
        desk.database.execute(f"PRAGMA max_page_count = {pages}")

        def fill() -> None:
            desk.database.execute("CREATE TABLE large (b BLOB)")
            desk.database.execute("INSERT INTO large VALUES (zeroblob(100000))")

        with pytest.raises(StorageError) as caught:
            await desk.writer.run(fill)
        assert caught.value.is_full
        desk.database.execute("PRAGMA max_page_count = 100000")
        await desk.writer.run(desk.insert(1))

    assert play(tmp_path, story) == [1]


def test_the_queue_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MAX_WAITING", 2)

    async def story(desk: Desk) -> None:
        results = await asyncio.gather(
            *[desk.writer.run(desk.insert(number)) for number in range(500)],
            return_exceptions=True,
        )
        done = [each for each in results if isinstance(each, int)]
        assert len(done) >= 2
        refused = [each for each in results if isinstance(each, StorageError)]
        assert len(done) + len(refused) == 500
        assert desk.numbers() == done

    play(tmp_path, story)


def test_what_waits_is_done_before_closing(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        for number in range(20):
            desk.writer.run_later(desk.insert(number))
        await desk.writer.close()
        with pytest.raises(StorageError, match="closing"):
            desk.writer.run_later(desk.insert(99))

    assert play(tmp_path, story) == list(range(20))


def test_who_no_longer_waits_does_not_stop_the_others(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        async with asyncio.TaskGroup() as group:
            gone = group.create_task(desk.writer.run(desk.insert(1)))
            kept = group.create_task(desk.writer.run(desk.insert(2)))
            await asyncio.sleep(0)
            gone.cancel()
        assert kept.result() == 2

    assert play(tmp_path, story) == [1, 2]
    assert isinstance(sqlite3.sqlite_version, str)
