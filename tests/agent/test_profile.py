import asyncio
import contextlib
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from tertulia.agent import local_socket
from tertulia.agent import profile as profile_module
from tertulia.agent.agent import ProfileView
from tertulia.agent.calls import (
    AnyCall,
    Ask,
    as_frame,
    greeting_of,
    read_call,
    read_greeting,
)
from tertulia.agent.errors import (
    AgentClosedError,
    FateUnknownError,
    ListenerBehindError,
    NameNeededError,
    NoSuchRoomError,
    ProfileBusyError,
)
from tertulia.agent.errors_in_transit import describe
from tertulia.agent.listeners import Listener
from tertulia.agent.opening import Opening, open_profile
from tertulia.agent.profile import ProfileAgent, open_agent
from tertulia.client import (
    Carried,
    ChangeName,
    CreateInvite,
    CreateRoom,
    JoinRoom,
    MessageArrived,
    MessageMoved,
    MessageState,
    MessageView,
    Person,
    RoomMade,
    SendText,
)
from tertulia.crypto import system_rng
from tertulia.vault import KeySource, ProfileLock
from tests.agent.patience import within
from tests.running_relay import config_for, running_relay
from tests.running_relay import run as run_as_relay

ROOM = bytes(16)
FINGERPRINT = bytes(range(32))
RELAY = f"http://127.0.0.1:1#{FINGERPRINT.hex()}"


def play(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(within(story()))


def opened(
    folder: Path, name: str | None = "Ana"
) -> AbstractAsyncContextManager[ProfileAgent]:
    return open_agent(folder, name=name, key_source=KeySource.FILE)


@contextlib.contextmanager
def holding(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Run a process that holds a profile."""
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("holding.py")), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()


async def first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return await asyncio.to_thread(process.stdout.readline)


async def heard(listener: Listener, kind: type[Any]) -> Any:
    """Return the next event of a kind; that some were missed does not matter."""
    while True:
        with contextlib.suppress(ListenerBehindError):
            event = await anext(listener)
            if isinstance(event, kind):
                return event


async def said(listener: Listener, text: str) -> Person:
    """Wait until somebody says something; return who."""
    while True:
        event = await heard(listener, MessageArrived)
        message: MessageView = event.message
        if message.text == text:
            return message.sender


async def behind(listener: Listener) -> None:
    """Wait until a listener hears that events were missed."""
    with contextlib.suppress(ListenerBehindError):
        while True:
            await anext(listener)


# One process


def test_a_profile_is_made_and_kept(tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(tmp_path) as ana:
            first = ana.profile
            assert (first.name, first.key_source) == ("Ana", KeySource.FILE)
            assert await ana.add_relay(RELAY) == FINGERPRINT
        async with opened(tmp_path, None) as ana:
            assert ana.profile == first
            assert [view.relay for view in await ana.relays()] == [FINGERPRINT]

    play(story)


def test_what_opening_raises_is_raised_as_it_is(tmp_path: Path) -> None:
    async def story() -> None:
        with pytest.raises(NameNeededError):
            async with opened(tmp_path / "new", None):
                pass

    play(story)


def test_what_the_block_raises_is_raised_as_it_is(tmp_path: Path) -> None:
    async def story() -> None:
        with pytest.raises(ZeroDivisionError):
            async with opened(tmp_path):
                raise ZeroDivisionError
        ProfileLock(tmp_path).close()

    play(story)


def test_a_block_that_is_cancelled_lets_go_of_the_profile(tmp_path: Path) -> None:
    async def hold(is_open: asyncio.Event) -> None:
        async with opened(tmp_path):
            is_open.set()
            await asyncio.Event().wait()

    async def story() -> None:
        is_open = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            task = group.create_task(hold(is_open))
            await is_open.wait()
            task.cancel()
        ProfileLock(tmp_path).close()

    play(story)


def test_after_its_end_an_agent_does_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(tmp_path) as ana:
            await ana.close()
            with pytest.raises(AgentClosedError):
                await ana.rooms()
            async with ana.listen() as listener:
                assert [event async for event in listener] == []

    play(story)


# Several


def test_the_second_works_through_the_first(tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(tmp_path) as first, opened(tmp_path, None) as second:
            assert second.profile == first.profile
            assert await second.add_relay(RELAY) == FINGERPRINT
            assert [each.relay for each in await first.relays()] == [FINGERPRINT]
            assert await second.ask(ChangeName("Anna")) == Carried()
            assert first.profile.name == second.profile.name == "Anna"
            assert await second.rooms() == []
            assert await second.messages(None) == []
            for question in (second.members(ROOM), second.invites(ROOM)):
                with pytest.raises(NoSuchRoomError):
                    await question
            with pytest.raises(NoSuchRoomError):
                await second.ask(SendText(ROOM, "hello"))
            await second.settled()

    play(story)


def test_when_the_first_leaves_the_others_go_on(tmp_path: Path) -> None:
    async def story() -> None:
        async with contextlib.AsyncExitStack() as stack:
            first = await stack.enter_async_context(opened(tmp_path))
            others = [
                await stack.enter_async_context(opened(tmp_path)) for _ in range(3)
            ]
            listener = await stack.enter_async_context(others[0].listen())
            await first.add_relay(RELAY)
            await first.close()
            answers = await asyncio.gather(*(other.relays() for other in others))
            assert [[each.relay for each in views] for views in answers] == [
                [FINGERPRINT]
            ] * 3
            await behind(listener)
            assert await others[1].ask(ChangeName("Anna")) == Carried()

    play(story)


def test_a_holder_that_is_killed_is_replaced(tmp_path: Path) -> None:
    async def story() -> None:
        with holding(str(tmp_path), "Ana") as process:
            assert await first_line(process) == "Ana\n"
            async with opened(tmp_path, None) as one, opened(tmp_path, None) as other:
                await one.add_relay(RELAY)
                process.send_signal(signal.SIGKILL)
                for agent in (one, other):
                    views = await agent.relays()
                    assert [each.relay for each in views] == [FINGERPRINT]
                    assert await agent.ask(ChangeName("Anna")) == Carried()

    play(story)


def test_a_holder_that_ends_by_itself_is_replaced(tmp_path: Path) -> None:
    async def story() -> None:
        with holding(str(tmp_path), "Ana") as process:
            await first_line(process)
            async with opened(tmp_path, None) as agent:
                assert process.stdin is not None
                process.stdin.close()
                async with agent.listen() as listener:
                    await behind(listener)
                assert await agent.rooms() == []

    play(story)


def test_a_conversation_survives_its_holder(tmp_path: Path) -> None:
    async def story() -> None:
        async with contextlib.AsyncExitStack() as stack:
            enter = stack.enter_async_context
            relay = await enter(running_relay(config_for(tmp_path / "relay")))
            ana = await enter(opened(tmp_path / "ana"))
            assert relay.ready.owner_invite is not None
            await ana.add_relay(relay.ready.owner_invite)
            made = await ana.ask(CreateRoom("Salon"))
            assert isinstance(made, RoomMade)
            process = stack.enter_context(
                holding(str(tmp_path / "ben"), "Ben", made.link)
            )
            assert await first_line(process) == "Ben\n"
            ben = await enter(opened(tmp_path / "ben", None))
            at_ana, at_ben = await enter(ana.listen()), await enter(ben.listen())

            process.send_signal(signal.SIGKILL)
            await behind(at_ben)
            await ben.ask(SendText(made.room, "still here"))
            assert (await said(at_ana, "still here")).name == "Ben"
            moved = await heard(at_ben, MessageMoved)
            assert moved.state is MessageState.STORED

            await ana.ask(SendText(made.room, "good"))
            assert (await said(at_ben, "good")).name == "Ana"
            texts = [line.text for line in await ben.messages(made.room) if line.text]
            assert texts == ["still here", "good"]
            again = await ben.ask(JoinRoom(made.link))
            assert again.already  # type: ignore[union-attr]

    run_as_relay(within(story(), 60))


# A holder that goes at the worst moment


@contextlib.asynccontextmanager
async def dying_holder(
    folder: Path, last_words: Callable[[AnyCall], bytes]
) -> AsyncIterator[list[AnyCall]]:
    """Hold a profile until the first call, and go."""
    opening = Opening(folder, "Ana", key_source=KeySource.FILE)
    held = open_profile(opening, 1, system_rng)
    view = ProfileView("Ana", bytes(32), "tag", KeySource.FILE)
    calls: list[AnyCall] = []
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(as_frame(greeting_of(view)))
        await read_greeting(reader)
        calls.append(await read_call(reader))
        writer.write(last_words(calls[0]))
        server.close()
        held.close()
        writer.close()
        await writer.wait_closed()
        over.set()

    server = await asyncio.start_unix_server(serve, sock=local_socket.bind(folder))
    yield calls
    await over.wait()


def nothing(_call: AnyCall) -> bytes:
    return b""


def test_what_would_happen_twice_is_not_asked_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with dying_holder(tmp_path, nothing) as calls, opened(tmp_path) as agent:
            with pytest.raises(FateUnknownError):
                await agent.ask(CreateInvite(ROOM))
            assert len(calls) == 1
            assert await agent.rooms() == []

    play(story)


def test_a_text_is_given_again_under_its_key(tmp_path: Path) -> None:
    async def story() -> None:
        async with dying_holder(tmp_path, nothing) as calls, opened(tmp_path) as agent:
            with pytest.raises(NoSuchRoomError):  # the new holder's answer
                await agent.ask(SendText(ROOM, "hello"))
            (call,) = calls
            assert isinstance(call, Ask)
            assert isinstance(call.command, SendText)
            assert call.command.key is not None

    play(story)


def test_what_can_be_repeated_is_asked_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with dying_holder(tmp_path, nothing) as calls, opened(tmp_path) as agent:
            assert await agent.ask(ChangeName("Anna")) == Carried()
            assert isinstance(calls[0], Ask)
            assert agent.profile.name == "Anna"

    play(story)


def test_what_was_not_begun_is_given_again(tmp_path: Path) -> None:
    def not_begun(call: AnyCall) -> bytes:
        return as_frame(describe(call.number, AgentClosedError()))

    async def story() -> None:
        async with dying_holder(tmp_path, not_begun), opened(tmp_path) as agent:
            with pytest.raises(NoSuchRoomError):  # the new holder's answer
                await agent.ask(SendText(ROOM, "hello"))

    play(story)


def test_a_holder_that_says_nothing_is_waited_for_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profile_module, "TAKEOVER_TIME", 0.1)

    async def story() -> None:
        with ProfileLock(tmp_path), pytest.raises(ProfileBusyError):
            async with opened(tmp_path):
                pass

    play(story)
