import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tertulia.agent import local_socket
from tertulia.agent import remote_agent as remote_module
from tertulia.agent.agent import ProfileView
from tertulia.agent.calls import (
    VERSION,
    Answered,
    FellBehind,
    FromHolder,
    Greeting,
    Happened,
    RoomList,
    as_frame,
    greeting_of,
    read_call,
    read_greeting,
)
from tertulia.agent.errors import (
    AgentClosedError,
    BadCallError,
    HolderGoneError,
    ListenerBehindError,
    OtherVersionError,
)
from tertulia.agent.listeners import Listeners
from tertulia.agent.remote_agent import RemoteAgent
from tertulia.client import Carried, RoomChanged
from tertulia.vault import KeySource
from tests.agent.patience import within

PROFILE = ProfileView("Ana", bytes(32), "00000000", KeySource.FILE)
EVENT = RoomChanged(bytes(16))


def play(
    folder: Path,
    greeting: bytes,
    answers: list[FromHolder],
    story: Callable[[], Awaitable[None]],
) -> None:
    """Tell a story with a holder that answers calls with what a test wrote down."""

    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(greeting)
            await read_greeting(reader)
            for answer in answers:
                if not isinstance(answer, Happened | FellBehind):
                    await read_call(reader)
                writer.write(as_frame(answer))
                await writer.drain()
        except (EOFError, OSError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            over.set()

    async def whole() -> None:
        listening = local_socket.bind(folder)
        server = await asyncio.start_unix_server(serve, sock=listening)
        async with server:
            await story()
            await over.wait()

    asyncio.run(within(whole()))


@contextlib.asynccontextmanager
async def connected(
    folder: Path, listeners: Listeners | None = None
) -> AsyncIterator[RemoteAgent]:
    remote = await RemoteAgent.connect(folder, listeners or Listeners())
    running = asyncio.create_task(remote.run())
    try:
        yield remote
    finally:
        await remote.close()
        await running


def test_calls_are_answered(tmp_path: Path) -> None:
    async def story() -> None:
        async with connected(tmp_path) as remote:
            assert remote.profile == PROFILE
            assert await remote.rooms() == []

    play(tmp_path, as_frame(greeting_of(PROFILE)), [RoomList(1, [])], story)


def test_events_reach_listeners(tmp_path: Path) -> None:
    async def story() -> None:
        listeners = Listeners()
        with listeners.listen() as listener:
            async with connected(tmp_path, listeners):
                assert await anext(listener) == EVENT

    play(tmp_path, as_frame(greeting_of(PROFILE)), [Happened(EVENT)], story)


def test_listeners_hear_that_the_holder_missed_something(tmp_path: Path) -> None:
    async def story() -> None:
        listeners = Listeners()
        with listeners.listen() as listener:
            async with connected(tmp_path, listeners):
                with pytest.raises(ListenerBehindError):
                    await anext(listener)

    play(tmp_path, as_frame(greeting_of(PROFILE)), [FellBehind()], story)


def test_an_answer_of_the_wrong_kind_is_refused(tmp_path: Path) -> None:
    async def story() -> None:
        async with connected(tmp_path) as remote:
            with pytest.raises(BadCallError):
                await remote.rooms()

    answer = Answered(1, Carried())
    play(tmp_path, as_frame(greeting_of(PROFILE)), [answer], story)


def test_a_holder_that_goes_is_told_to_who_waits(tmp_path: Path) -> None:
    async def story() -> None:
        async with connected(tmp_path) as remote:
            assert await remote.rooms() == []
            with pytest.raises((HolderGoneError, AgentClosedError)):
                await remote.rooms()
            with pytest.raises(AgentClosedError):
                await remote.rooms()

    play(tmp_path, as_frame(greeting_of(PROFILE)), [RoomList(1, [])], story)


def test_a_holder_of_another_version_is_named(tmp_path: Path) -> None:
    async def story() -> None:
        with pytest.raises(OtherVersionError) as caught:
            await RemoteAgent.connect(tmp_path, Listeners())
        assert (caught.value.ours, caught.value.theirs) == (VERSION, 99)

    play(tmp_path, as_frame(Greeting(99)), [], story)


@pytest.mark.parametrize("greeting", [b"\x00", b"\x00\x00\x00\x01\xc1"])
def test_who_does_not_greet_is_no_holder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, greeting: bytes
) -> None:
    monkeypatch.setattr(remote_module, "GREETING_TIME", 0.1)

    async def story() -> None:
        with pytest.raises(HolderGoneError):
            await RemoteAgent.connect(tmp_path, Listeners())

    play(tmp_path, greeting, [], story)


def test_another_users_socket_is_no_holder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_module, "is_owner", lambda _peer: False)

    async def story() -> None:
        with pytest.raises(HolderGoneError):
            await RemoteAgent.connect(tmp_path, Listeners())

    play(tmp_path, as_frame(greeting_of(PROFILE)), [], story)


def test_nobody_there_is_no_holder(tmp_path: Path) -> None:
    async def story() -> None:
        with pytest.raises(HolderGoneError):
            await RemoteAgent.connect(tmp_path, Listeners())

    asyncio.run(within(story()))
