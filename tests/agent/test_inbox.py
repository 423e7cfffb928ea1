import asyncio

from tertulia.agent.inbox import Inbox
from tests.agent.patience import within


def test_mail_is_taken_in_order_of_arrival() -> None:
    async def story() -> None:
        inbox: Inbox[int] = Inbox(4)
        for number in range(3):
            await inbox.put(number)
        assert [await inbox.take(1) for _ in range(3)] == [0, 1, 2]

    asyncio.run(within(story()))


def test_nothing_comes_in_time() -> None:
    async def story() -> None:
        inbox: Inbox[int] = Inbox(1)
        assert await inbox.take(0) is None
        assert await inbox.take(0.001) is None

    asyncio.run(within(story()))


def test_a_full_inbox_makes_wait() -> None:
    async def story() -> None:
        inbox: Inbox[int] = Inbox(1)
        await inbox.put(1)
        async with asyncio.TaskGroup() as group:
            second = group.create_task(inbox.put(2))
            await asyncio.sleep(0)
            assert not second.done()
            assert await inbox.take(1) == 1
            await second
        assert await inbox.take(1) == 2

    asyncio.run(within(story()))


def test_the_taker_can_be_woken_without_mail() -> None:
    async def story() -> None:
        inbox: Inbox[int] = Inbox(1)
        async with asyncio.TaskGroup() as group:
            taking = group.create_task(inbox.take(60))
            await asyncio.sleep(0)
            inbox.wake()
            assert await taking is None

    asyncio.run(within(story()))
