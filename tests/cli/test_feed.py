import asyncio

import pytest
from msgspec.structs import replace

from tertulia.agent import UnknownMessageError
from tertulia.cli import feed as feeds
from tertulia.cli.feed import Feed
from tertulia.client import (
    CatchingUp,
    MessageArrived,
    MessageMoved,
    MessageState,
    MessageView,
)
from tests.cli.fake_agent import ANA, GARDEN, FakeAgent, as_agent, message

LINES = [message(str(number)) for number in range(450)]
ELSEWHERE = message("x", room=b"k" * 16)


async def read(feed: Feed) -> list[str]:
    return [line.text async for line in feed.news()]


def test_all_pages_are_read_once() -> None:
    async def story() -> None:
        agent = FakeAgent(lines=list(LINES))
        feed = Feed(as_agent(agent), GARDEN.room)
        assert await read(feed) == [line.text for line in LINES]
        assert await read(feed) == []
        agent.arrive(message("new"))
        agent.arrive(ELSEWHERE)
        assert await read(feed) == ["new"]

    asyncio.run(story())


def test_of_all_rooms_everything_comes() -> None:
    async def story() -> None:
        agent = FakeAgent(lines=[ELSEWHERE, LINES[0]])
        assert await read(Feed(as_agent(agent), None)) == ["x", "0"]

    asyncio.run(story())


def test_one_can_begin_at_the_end() -> None:
    async def story() -> None:
        agent = FakeAgent(lines=list(LINES))
        feed = Feed(as_agent(agent), GARDEN.room)
        assert await feed.skip_to_newest() == []
        last = await Feed(as_agent(agent), GARDEN.room).skip_to_newest(2)
        assert [line.text for line in last] == ["448", "449"]
        agent.arrive(message("new"))
        assert await read(feed) == ["new"]

    asyncio.run(story())


def waiting(text: str) -> MessageView:
    return message(text, ANA, state=MessageState.QUEUED, place=None)


def test_the_last_message_can_be_taken_back() -> None:
    async def story() -> None:
        agent = FakeAgent(lines=[*LINES[:30], waiting("no"), waiting("never mind")])
        feed = Feed(as_agent(agent), GARDEN.room)
        await feed.skip_to_newest()
        del agent.lines[-2:]
        agent.arrive(message("new"))
        assert await read(feed) == ["new"]

    asyncio.run(story())


def test_what_waits_is_taken_back_between_two_pages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feeds, "PAGE", 1)

    async def story() -> None:
        agent = FakeAgent(lines=[LINES[0], waiting("never mind"), LINES[1]])
        read_so_far = []
        async for line in Feed(as_agent(agent), GARDEN.room).news():
            read_so_far.append(line.text)
            if line.text == "never mind":
                agent.lines.remove(line)
        assert read_so_far == ["0", "never mind", "1"]

    asyncio.run(story())


def test_what_waits_hides_nothing_when_it_gets_its_place() -> None:
    async def story() -> None:
        mine = waiting("mine")
        agent = FakeAgent(lines=[LINES[0], mine])
        feed = Feed(as_agent(agent), GARDEN.room)
        assert await read(feed) == ["0", "mine"]
        # Others were first in the log: what waited comes after them.
        agent.lines = [LINES[0], LINES[1], LINES[2], replace(mine, place=4)]
        assert await read(feed) == ["1", "2"]

    asyncio.run(story())


def test_programs_get_own_messages_where_the_log_has_them() -> None:
    async def story() -> None:
        mine = waiting("mine")
        agent = FakeAgent(lines=[LINES[0], mine])
        feed = Feed(as_agent(agent), GARDEN.room, stored_only=True)
        assert await read(feed) == ["0"]
        agent.lines = [LINES[0], LINES[1], replace(mine, place=3)]
        assert await read(feed) == ["1", "mine"]
        late = Feed(as_agent(agent), GARDEN.room, stored_only=True)
        agent.lines.append(waiting("not yet"))
        await late.skip_to_newest()
        assert await read(late) == []

    asyncio.run(story())


def test_a_beginning_that_nobody_knows_is_said() -> None:
    feed = Feed(as_agent(FakeAgent()), GARDEN.room, b"\x01" * 32)
    with pytest.raises(UnknownMessageError):
        asyncio.run(read(feed))


def test_only_what_is_not_read_yet_touches_the_feed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feeds, "_REMEMBERED", 5)

    async def story() -> None:
        feed = Feed(as_agent(FakeAgent(lines=list(LINES[:9]))), GARDEN.room)
        await read(feed)
        room, known = GARDEN.room, LINES[8].message
        assert not feed.is_touched_by(MessageArrived(LINES[8]))
        assert feed.is_touched_by(MessageArrived(LINES[3]))  # long ago
        assert not feed.is_touched_by(MessageMoved(room, known, MessageState.STORED))
        assert feed.is_touched_by(MessageMoved(room, b"2" * 32, MessageState.QUEUED))
        assert not feed.is_touched_by(MessageArrived(ELSEWHERE))
        assert not feed.is_touched_by(CatchingUp(room, 1, 2))
        everything = Feed(as_agent(FakeAgent()), None)
        assert everything.is_touched_by(MessageArrived(ELSEWHERE))

    asyncio.run(story())
