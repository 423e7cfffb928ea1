"""Notices that the machine slept, or that its clock was set: time went by unseen.

The loop's clock stands still while a machine sleeps, the wall clock does not. Whatever
makes them disagree, links are to be opened anew and times to be planned anew.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tertulia.agent.clock import Clock


@dataclass(frozen=True, slots=True)
class Watch:
    """How often is looked, and how far the clocks may part meanwhile, in seconds."""

    interval: float = 5
    allowance: float = 10


async def watch_for_sleep(
    clock: Clock, tell: Callable[[], Awaitable[None]], watch: Watch
) -> None:
    """Call `tell` each time that time went by unseen."""
    loop = asyncio.get_running_loop()
    apart = clock() / 1000 - loop.time()
    while True:
        await asyncio.sleep(watch.interval)
        now_apart = clock() / 1000 - loop.time()
        if abs(now_apart - apart) > watch.allowance:
            await tell()
        apart = now_apart
