import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tertulia.agent import desk as desk_module
from tertulia.agent.agent import ProfileView
from tertulia.agent.calls import (
    VERSION,
    Answered,
    Ask,
    Failed,
    FellBehind,
    GetProfile,
    GetRelays,
    Greeting,
    Happened,
    ProfileIs,
    as_frame,
    read_greeting,
    read_outcome,
)
from tertulia.agent.desk import Desk, DeskPatience
from tertulia.agent.listeners import Listener, Listeners
from tertulia.client import AnyAnswer, AnyCommand, Carried, ChangeName, RoomChanged
from tertulia.vault import KeySource
from tests.agent.patience import within

PROFILE = ProfileView("Ana", bytes(32), "00000000", KeySource.FILE)
HURRY = DeskPatience(greeting=0.05, taking=0.1, closing=1)
COMMAND = ChangeName("Anna")
EVENT = RoomChanged(bytes(16))


class SlowAgent:
    """An agent whose commands wait for a test, and who fails at questions."""

    profile = PROFILE

    def __init__(self) -> None:
        self.listeners = Listeners()
        self.go_on = asyncio.Event()
        self.given_up = asyncio.Event()

    async def ask(
        self, _command: AnyCommand, *, relay: bytes | None = None
    ) -> AnyAnswer:
        assert relay is None
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.given_up.set()
            raise
        return Carried()

    async def relays(self) -> Any:
        raise ZeroDivisionError

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[Listener]:
        with self.listeners.listen(size=2) as listener:
            yield listener


class Visitor:
    """One connection to a desk."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.reader = reader
        self.writer = writer

    async def greet(self, version: int = VERSION) -> None:
        self.say(Greeting(version))
        assert (await read_greeting(self.reader)).version == VERSION

    def say(self, value: Any) -> None:
        self.writer.write(as_frame(value))

    async def hear(self) -> Any:
        return await read_outcome(self.reader)

    async def leave(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


def at_a_desk(
    folder: Path,
    story: Callable[
        [SlowAgent, Desk, Callable[[], Coroutine[Any, Any, Visitor]]],
        Coroutine[Any, Any, None],
    ],
) -> None:
    async def whole() -> None:
        agent = SlowAgent()
        visitors: list[Visitor] = []

        async def visit() -> Visitor:
            path = str(folder / "s")
            visitors.append(Visitor(*await asyncio.open_unix_connection(path)))
            return visitors[-1]

        async with asyncio.TaskGroup() as group:
            desk = Desk(agent, group, HURRY)  # type: ignore[arg-type]
            server = await asyncio.start_unix_server(desk.connected, str(folder / "s"))
            try:
                await story(agent, desk, visit)
            finally:
                server.close()
                await desk.close()
                for visitor in visitors:
                    await visitor.leave()

    asyncio.run(within(whole()))


def test_calls_are_answered_side_by_side(tmp_path: Path) -> None:
    async def story(agent: SlowAgent, _desk: Desk, visit: Any) -> None:
        visitor = await visit()
        await visitor.greet()
        visitor.say(Ask(1, COMMAND, None))
        visitor.say(GetProfile(2))
        assert await visitor.hear() == ProfileIs(2, PROFILE)
        agent.go_on.set()
        assert await visitor.hear() == Answered(1, Carried())

    at_a_desk(tmp_path, story)


def test_a_fault_is_the_answer_to_one_call(tmp_path: Path) -> None:
    async def story(_agent: SlowAgent, _desk: Desk, visit: Any) -> None:
        visitor = await visit()
        await visitor.greet()
        visitor.say(GetRelays(1))
        failed = await visitor.hear()
        assert isinstance(failed, Failed)
        assert failed.family == "bug"
        visitor.say(GetProfile(2))
        assert await visitor.hear() == ProfileIs(2, PROFILE)

    at_a_desk(tmp_path, story)


def test_events_are_told_and_that_some_were_missed(tmp_path: Path) -> None:
    async def story(agent: SlowAgent, _desk: Desk, visit: Any) -> None:
        visitor = await visit()
        await visitor.greet()
        visitor.say(GetProfile(1))
        await visitor.hear()
        agent.listeners.publish(EVENT)
        assert await visitor.hear() == Happened(EVENT)
        for _ in range(3):
            agent.listeners.publish(EVENT)
        assert await visitor.hear() == FellBehind()

    at_a_desk(tmp_path, story)


def test_who_leaves_is_not_worked_for(tmp_path: Path) -> None:
    async def story(agent: SlowAgent, _desk: Desk, visit: Any) -> None:
        visitor = await visit()
        await visitor.greet()
        visitor.say(Ask(1, COMMAND, None))
        visitor.say(GetProfile(2))
        await visitor.hear()
        await visitor.leave()
        await agent.given_up.wait()

    at_a_desk(tmp_path, story)


def test_at_the_end_what_is_answered_is_sent(tmp_path: Path) -> None:
    async def story(agent: SlowAgent, desk: Desk, visit: Any) -> None:
        visitor = await visit()
        await visitor.greet()
        visitor.say(Ask(1, COMMAND, None))
        visitor.say(GetProfile(2))
        await visitor.hear()
        agent.go_on.set()
        await desk.close()
        assert await visitor.hear() == Answered(1, Carried())
        with pytest.raises(EOFError):
            await visitor.hear()

    at_a_desk(tmp_path, story)


@pytest.mark.parametrize("version", [VERSION + 1, None])
def test_another_version_or_none_is_hung_up_on(
    tmp_path: Path, version: int | None
) -> None:
    async def story(_agent: SlowAgent, _desk: Desk, visit: Any) -> None:
        visitor = await visit()
        if version is not None:
            await visitor.greet(version)
        else:
            await read_greeting(visitor.reader)
        with pytest.raises(EOFError):
            await visitor.hear()

    at_a_desk(tmp_path, story)


def test_what_is_no_call_is_hung_up_on(tmp_path: Path) -> None:
    async def story(_agent: SlowAgent, _desk: Desk, visit: Any) -> None:
        visitor = await visit()
        await visitor.greet()
        visitor.writer.write(b"\xff\xff\xff\xff")
        with pytest.raises(EOFError):
            await visitor.hear()

    at_a_desk(tmp_path, story)


def test_another_user_is_told_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "is_owner", lambda _peer: False)

    async def story(_agent: SlowAgent, _desk: Desk, visit: Any) -> None:
        visitor = await visit()
        assert await visitor.reader.read() == b""

    at_a_desk(tmp_path, story)


def test_too_many_are_turned_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "CONNECTIONS", 1)

    async def story(_agent: SlowAgent, _desk: Desk, visit: Any) -> None:
        first = await visit()
        await first.greet()
        second = await visit()
        with pytest.raises((EOFError, ConnectionError)):
            await read_greeting(second.reader)

    at_a_desk(tmp_path, story)
