import asyncio
import os
import signal

import pytest

from tertulia.cli import tasks
from tertulia.cli.errors import NoAnswerError
from tertulia.errors import OfflineError


async def forever() -> None:
    await asyncio.Event().wait()


async def fail() -> None:
    raise OfflineError("x")


def test_work_runs_to_its_end() -> None:
    async def work() -> int:
        return 7

    assert tasks.run(work()) == 7


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize(
    ("number", "stops", "stopped"),
    [
        (signal.SIGTERM, (signal.SIGTERM,), 143),
        (signal.SIGINT, (signal.SIGINT, signal.SIGTERM), 0),
    ],
)
def test_a_signal_lets_work_tidy_up(
    number: signal.Signals, stops: tuple[signal.Signals, ...], stopped: int
) -> None:
    tidied = []

    async def work() -> int:
        try:
            signal.raise_signal(number)
            await forever()
        finally:
            tidied.append(True)
        return 0

    assert tasks.run(work(), stops=stops, stopped=stopped) == stopped
    assert tidied == [True]


def test_being_cancelled_for_another_reason_is_no_signal() -> None:
    async def work() -> int:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        tasks.run(work())


def test_the_first_to_end_ends_the_others() -> None:
    async def story() -> None:
        await tasks.until_first_ends(forever(), asyncio.sleep(0))

    asyncio.run(story())


def test_what_one_raises_is_raised_bare() -> None:
    async def story() -> None:
        await tasks.until_first_ends(forever(), fail())

    with pytest.raises(OfflineError):
        asyncio.run(story())


def test_of_nested_groups_the_first_error_counts() -> None:
    inner = ExceptionGroup("", [ValueError("a"), ValueError("b")])
    assert str(tasks.first_of(ExceptionGroup("", [inner]))) == "a"


def test_waiting_has_an_end() -> None:
    async def story() -> None:
        await tasks.within(0.01, forever())

    with pytest.raises(NoAnswerError):
        asyncio.run(story())


def test_a_timeout_of_the_work_itself_is_not_ours() -> None:
    async def work() -> None:
        raise TimeoutError("its own")

    async def story() -> None:
        await tasks.within(60, work())

    with pytest.raises(TimeoutError, match="its own"):
        asyncio.run(story())
