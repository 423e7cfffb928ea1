import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tertulia.agent.agent import MESSAGES
from tertulia.agent.errors import (
    AmbiguousRelayError,
    NoRelayKnownError,
    NoSuchRelayError,
    NoSuchRoomError,
    UnknownMessageError,
)
from tertulia.agent.holder import hold
from tertulia.agent.listeners import Listener, Listeners
from tertulia.agent.local_agent import LocalAgent
from tertulia.agent.opening import Opening
from tertulia.agent.session_task import Surroundings
from tertulia.client import (
    BadNameError,
    Carried,
    ChangeName,
    CreateRoom,
    JoinRoom,
    MessageKept,
    MessageMoved,
    MessageState,
    RoomMade,
    SendText,
)
from tertulia.vault import KeySource
from tertulia.wire import LinkError
from tests.agent.patience import within
from tests.running_relay import config_for, run, running_relay

ROOM = bytes(16)
LINKS = [f"http://127.0.0.1:1#{bytes([number] * 32).hex()}" for number in (1, 2)]


async def alone(folder: Path, story: Callable[[LocalAgent], Awaitable[None]]) -> None:
    """Tell a story with the agent of a new profile."""
    opening = Opening(folder, "Ana", key_source=KeySource.FILE)
    async with (
        hold(opening, Listeners(), Surroundings()) as holder,
        asyncio.TaskGroup() as group,
    ):
        running = group.create_task(holder.run())
        await story(holder.agent)
        await holder.agent.close()
        await running


def test_the_profile_is_seen_with_a_tag(tmp_path: Path) -> None:
    async def story(agent: LocalAgent) -> None:
        assert agent.profile.name == "Ana"
        assert agent.profile.account.hex().startswith(agent.profile.tag)

    asyncio.run(within(alone(tmp_path, story)))


def test_a_command_finds_its_relay(tmp_path: Path) -> None:
    async def story(agent: LocalAgent) -> None:
        with pytest.raises(NoRelayKnownError):
            await agent.ask(CreateRoom("Salon"))
        relays = [await agent.add_relay(link) for link in LINKS]
        assert [view.relay for view in await agent.relays()] == relays
        with pytest.raises(AmbiguousRelayError):
            await agent.ask(CreateRoom("Salon"))
        with pytest.raises(NoSuchRelayError):
            await agent.ask(CreateRoom("Salon"), relay=bytes(32))
        for question in (
            agent.ask(SendText(ROOM, "hello")),
            agent.members(ROOM),
            agent.invites(ROOM),
        ):
            with pytest.raises(NoSuchRoomError):
                await question
        with pytest.raises(LinkError):
            await agent.ask(JoinRoom("no link"))

    asyncio.run(within(alone(tmp_path, story)))


@pytest.mark.parametrize("relays", [0, 2])
def test_a_name_changes_everywhere(tmp_path: Path, relays: int) -> None:
    async def story(agent: LocalAgent) -> None:
        for link in LINKS[:relays]:
            await agent.add_relay(link)
        assert await agent.ask(ChangeName(" Anna ")) == Carried()
        assert agent.profile.name == "Anna"
        with pytest.raises(BadNameError):
            await agent.ask(ChangeName(""))

    asyncio.run(within(alone(tmp_path, story)))


def test_lines_are_read_in_pages(tmp_path: Path) -> None:
    links: list[str] = []

    async def story(agent: LocalAgent) -> None:
        with pytest.raises(UnknownMessageError):
            await agent.messages(None, after=bytes(32))
        room = await a_room(agent, links[0])
        async with agent.listen() as listener:
            ids = [await say(agent, room, str(number)) for number in range(5)]
            # Lines have their order once the relay has them all.
            await stored(listener, set(ids))

        async def texts(**how: object) -> list[str]:
            lines = await agent.messages(room, **how)  # type: ignore[arg-type]
            return [line.text for line in lines]

        assert await texts() == ["0", "1", "2", "3", "4"]
        assert await texts(after=0) == await texts()
        assert await texts(limit=2) == ["0", "1"]
        assert await texts(limit=2, newest=True) == ["3", "4"]
        assert await texts(after=ids[1], limit=2) == ["2", "3"]
        assert await texts(after=ids[4]) == []
        assert await texts(limit=10 * MESSAGES) == await texts()
        assert len(await agent.messages(None)) == 5
        assert [view.room for view in await agent.rooms()] == [room]
        (me,) = await agent.members(room)
        assert me.person.is_me
        assert len(await agent.invites(room)) == 1
        await agent.settled()

    async def whole() -> None:
        async with running_relay(config_for(tmp_path / "relay")) as relay:
            assert relay.ready.owner_invite is not None
            links.append(relay.ready.owner_invite)
            await alone(tmp_path / "ana", story)

    run(within(whole()))


async def a_room(agent: LocalAgent, link: str) -> bytes:
    await agent.add_relay(link)
    made = await agent.ask(CreateRoom("Salon"))
    assert isinstance(made, RoomMade)
    return made.room


async def stored(listener: Listener, awaited: set[bytes]) -> None:
    async for event in listener:
        if isinstance(event, MessageMoved) and event.state is MessageState.STORED:
            awaited.discard(event.message)
        if not awaited:
            return


async def say(agent: LocalAgent, room: bytes, text: str) -> bytes:
    kept = await agent.ask(SendText(room, text))
    assert isinstance(kept, MessageKept)
    return kept.message
