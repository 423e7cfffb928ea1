"""Work that goes on side by side, and how long one waits for it."""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Coroutine, Sequence
from typing import Any, TypeVar

from tertulia.cli.errors import NoAnswerError

T = TypeVar("T")


def run(
    work: Coroutine[Any, Any, int],
    *,
    stops: Sequence[signal.Signals] = (signal.SIGTERM,),
    stopped: int = 128 + signal.SIGTERM,
) -> int:
    """Run `work` to its end and return its exit code.

    A signal of `stops` lets it tidy up; the exit code is then `stopped`.
    """

    async def stoppable() -> int:
        told = _cancel_on(stops)
        try:
            return await work
        except asyncio.CancelledError:
            if not told.is_set():
                raise
            return stopped

    with asyncio.Runner() as runner:
        return runner.run(stoppable())


def _cancel_on(stops: Sequence[signal.Signals]) -> asyncio.Event:
    loop, task, told = (
        asyncio.get_running_loop(),
        asyncio.current_task(),
        asyncio.Event(),
    )

    def stop() -> None:
        told.set()
        if task is not None:
            task.cancel()

    for number in stops:
        with contextlib.suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(number, stop)
    return told


async def until_first_ends(*works: Coroutine[Any, Any, None]) -> None:
    """Run all side by side; when one ends, stop the others. Raises what one raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in works]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
    except BaseExceptionGroup as errors:
        raise first_of(errors) from None


def first_of(errors: BaseExceptionGroup[Any]) -> BaseException:
    """Return the first error of a group that is none itself."""
    first: BaseException = errors
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first


async def within(seconds: float | None, work: Awaitable[T]) -> T:
    """Return what `work` comes to; raise NoAnswerError if that takes too long."""
    scope = asyncio.timeout(seconds)
    try:
        async with scope:
            return await work
    except TimeoutError:
        if seconds is None or not scope.expired():
            raise
        raise NoAnswerError(seconds) from None
