import asyncio

import pytest

from tertulia.cli.underway import Underway
from tertulia.client import MessageMoved, MessageState, SignSeen

ROOM, ONE, TWO = b"r" * 16, b"1" * 32, b"2" * 32


async def is_empty(underway: Underway) -> bool:
    waiting = asyncio.ensure_future(underway.all_gone())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    return waiting.done() and not waiting.cancelled()


@pytest.mark.parametrize("state", [MessageState.STORED, MessageState.FAILED])
def test_one_waits_until_all_are_stored_or_refused(state: MessageState) -> None:
    async def story() -> None:
        underway = Underway()
        assert await is_empty(underway)
        underway.add(ONE)
        underway.add(TWO)
        underway.note(MessageMoved(ROOM, ONE, state))
        underway.note(MessageMoved(ROOM, TWO, MessageState.QUEUED))
        underway.note(SignSeen(ROOM))
        assert not await is_empty(underway)
        underway.note(MessageMoved(ROOM, TWO, state))
        assert await is_empty(underway)

    asyncio.run(story())


def test_news_may_come_before_the_answer() -> None:
    async def story() -> None:
        underway = Underway()
        underway.note(MessageMoved(ROOM, ONE, MessageState.STORED))
        underway.add(ONE)
        assert await is_empty(underway)

    asyncio.run(story())


def test_what_was_taken_back_is_not_waited_for() -> None:
    async def story() -> None:
        underway = Underway()
        underway.add(ONE)
        underway.drop(ONE)
        assert await is_empty(underway)

    asyncio.run(story())
