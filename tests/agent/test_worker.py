import asyncio
import threading

import pytest

from tertulia.agent.worker import Worker
from tests.agent.patience import within


def test_work_is_done_in_order_in_one_other_thread() -> None:
    async def story() -> None:
        worker = Worker()
        threads = [await worker.run(threading.get_ident) for _ in range(2)]
        assert threads[0] == threads[1] != threading.get_ident()
        worker.close(lambda: None)

    asyncio.run(within(story()))


def test_what_work_raises_reaches_who_waits() -> None:
    async def story() -> None:
        worker = Worker()
        with pytest.raises(ValueError, match="no"):
            await worker.run(int, "no number")
        worker.close(lambda: None)

    asyncio.run(within(story()))


def test_the_last_thing_is_done_after_all_that_was_begun() -> None:
    async def story() -> list[str]:
        worker = Worker()
        done: list[str] = []
        go_on = threading.Event()

        def slow() -> None:
            go_on.wait(10)
            done.append("slow")

        async with asyncio.TaskGroup() as group:
            work = group.create_task(worker.run(slow))
            await asyncio.sleep(0)
            work.cancel()
        go_on.set()
        worker.close(lambda: done.append("last"))
        return done

    assert asyncio.run(within(story())) == ["slow", "last"]
