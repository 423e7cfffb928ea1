import asyncio
from collections.abc import Callable

import pytest

from tertulia.agent.suspension import Watch, watch_for_sleep
from tests.agent.patience import within

WATCH = Watch(interval=0.001, allowance=10)


async def told(readings: int, clock: Callable[[float], float]) -> int:
    """Return how often a watch told of a jump until the clock was read so often."""
    loop = asyncio.get_running_loop()
    enough = asyncio.Event()
    count = reads = 0

    def read() -> int:
        nonlocal reads
        reads += 1
        if reads > readings:
            enough.set()
        return int((loop.time() + clock(reads)) * 1000)

    async def tell() -> None:
        nonlocal count
        count += 1

    async with asyncio.TaskGroup() as group:
        watch = group.create_task(watch_for_sleep(read, tell, WATCH))
        await enough.wait()
        watch.cancel()
    return count


def test_time_that_passes_evenly_is_no_news() -> None:
    assert asyncio.run(within(told(5, lambda _reads: 1_000_000))) == 0


@pytest.mark.parametrize("jump", [3600, -3600])
def test_a_jump_of_the_clock_is_told_once(jump: int) -> None:
    def clock(reads: float) -> float:
        return jump if reads > 2 else 0

    assert asyncio.run(within(told(5, clock))) == 1
