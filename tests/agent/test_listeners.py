import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tertulia.agent.errors import AgentClosedError, ListenerBehindError
from tertulia.agent.listeners import Listeners
from tertulia.client import RoomChanged
from tests.agent.patience import within

FIRST, SECOND, THIRD = (RoomChanged(bytes([number]) * 16) for number in range(3))


def play(story: Callable[[Listeners], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        await within(story(Listeners()))

    asyncio.run(whole())


def test_everyone_hears_everything_in_order() -> None:
    async def story(listeners: Listeners) -> None:
        with listeners.listen() as ana, listeners.listen() as ben:
            listeners.publish(FIRST)
            listeners.publish(SECOND)
            for listener in (ana, ben):
                assert [await anext(listener), await anext(listener)] == [FIRST, SECOND]

    play(story)


def test_a_listener_waits_for_news() -> None:
    async def story(listeners: Listeners) -> None:
        with listeners.listen() as ana:
            async with asyncio.TaskGroup() as group:
                hearing = group.create_task(anext(ana))
                await asyncio.sleep(0)
                listeners.publish(FIRST)
                assert await hearing == FIRST

    play(story)


def test_who_is_too_slow_hears_so_once_and_goes_on() -> None:
    async def story(listeners: Listeners) -> None:
        with listeners.listen(size=2) as slow, listeners.listen() as quick:
            for event in (FIRST, SECOND, THIRD):
                listeners.publish(event)
            with pytest.raises(ListenerBehindError):
                await anext(slow)
            listeners.publish(FIRST)
            assert await anext(slow) == FIRST
            assert await anext(quick) == FIRST
            assert await anext(quick) == SECOND

    play(story)


def test_all_hear_that_events_were_missed() -> None:
    async def story(listeners: Listeners) -> None:
        with listeners.listen() as ana:
            listeners.publish(FIRST)
            listeners.fall_behind()
            with pytest.raises(ListenerBehindError):
                await anext(ana)

    play(story)


def test_an_end_comes_after_what_happened() -> None:
    async def story(listeners: Listeners) -> None:
        with listeners.listen() as ana:
            listeners.publish(FIRST)
            listeners.end()
            assert [event async for event in ana] == [FIRST]

    play(story)


def test_an_end_has_its_reason_also_for_who_comes_late() -> None:
    async def story(listeners: Listeners) -> None:
        listeners.end(AgentClosedError())
        with listeners.listen() as late, pytest.raises(AgentClosedError):
            await anext(late)

    play(story)


def test_who_left_is_told_nothing() -> None:
    async def whole() -> None:
        listeners = Listeners()
        with listeners.listen() as ana:
            pass
        listeners.publish(FIRST)
        ana.end(None)
        assert [event async for event in ana] == []

    asyncio.run(whole())
