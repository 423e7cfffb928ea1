import asyncio

import pytest

from tertulia.agent.agent import ProfileView
from tertulia.agent.calls import (
    MAX_CALL,
    VERSION,
    Answered,
    AnyCall,
    Ask,
    FromHolder,
    GetMessages,
    Greeting,
    Happened,
    as_frame,
    greeting_of,
    profile_in,
    read_call,
    read_greeting,
    read_outcome,
)
from tertulia.agent.errors import BadCallError
from tertulia.client import CatchingUp, CreateRoom, RoomMade, SendText
from tertulia.vault import KeySource
from tests.agent.patience import within

ROOM = bytes(16)
PROFILE = ProfileView("Ana", bytes(32), "00000000", KeySource.FILE)


def reader_of(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


@pytest.mark.parametrize(
    "call",
    [
        Ask(1, SendText(ROOM, "hello"), None),
        Ask(2, CreateRoom("Salon"), bytes(32)),
        GetMessages(3, None, 0, 10, newest=True),
        GetMessages(4, ROOM, bytes(32), 10, newest=False),
    ],
)
def test_calls_arrive_as_they_were(call: AnyCall) -> None:
    async def story() -> None:
        assert await read_call(reader_of(as_frame(call))) == call

    asyncio.run(within(story()))


@pytest.mark.parametrize(
    "outcome", [Answered(1, RoomMade(ROOM, "link")), Happened(CatchingUp(ROOM, 1, 2))]
)
def test_outcomes_and_news_arrive_as_they_were(outcome: FromHolder) -> None:
    async def story() -> None:
        assert await read_outcome(reader_of(as_frame(outcome))) == outcome

    asyncio.run(within(story()))


def test_the_holder_says_who_it_is() -> None:
    async def story() -> None:
        greeting = await read_greeting(reader_of(as_frame(greeting_of(PROFILE))))
        assert greeting.version == VERSION
        assert profile_in(greeting) == PROFILE

    asyncio.run(within(story()))


def test_the_greeting_of_another_version_can_be_read() -> None:
    async def story() -> None:
        body = b"\x94\x07\x81\xa1x\x01\x02\xc0"
        newer = len(body).to_bytes(4, "big") + body
        greeting = await read_greeting(reader_of(newer))
        assert greeting.version == 7
        with pytest.raises(BadCallError):
            profile_in(greeting)

    asyncio.run(within(story()))


@pytest.mark.parametrize(
    "data",
    [
        (MAX_CALL + 1).to_bytes(4, "big"),
        b"\x00\x00\x00\x01\xc1",
        b"\x00\x00\x00\x01\x90",
        as_frame(Greeting(VERSION)),
    ],
    ids=["too long", "no MessagePack", "no call", "greeting"],
)
def test_what_is_no_call_is_refused(data: bytes) -> None:
    async def story() -> None:
        with pytest.raises(BadCallError):
            await read_call(reader_of(data))

    asyncio.run(within(story()))


def test_the_end_is_the_end() -> None:
    async def story() -> None:
        for data in (b"", b"\x00\x00", b"\x00\x00\x00\x05abc"):
            with pytest.raises(EOFError):
                await read_call(reader_of(data))

    asyncio.run(within(story()))
