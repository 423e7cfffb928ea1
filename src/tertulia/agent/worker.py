"""The thread in which rules are computed and the vault is read and written.

One thread, so one call at a time: the vault has one owner. The loop stays free for
whoever types while a join is computed or a disk is slow. What was begun is finished,
also if nobody waits for it any more.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Worker:
    """A thread for one owner's work."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="session")

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `work` returns."""
        return await asyncio.wrap_future(self._thread.submit(work, *args, **kwargs))

    def close(self, last: Callable[[], None]) -> None:
        """Do one last thing after all that was begun, and wait for it."""
        self._thread.submit(last)
        self._thread.shutdown()
