"""People of a bench in processes of their own, and what they are told to do.

A `Company` is such a process. It is told to await functions of a module, whose first
argument is its `Stage`: the agents it has, each with a real profile on disk. All clocks
are the machine's monotonic one, so that times of several processes can be compared.
"""

import asyncio
import multiprocessing
import time
import traceback
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from tertulia.agent import (
    Listener,
    ListenerBehindError,
    ProfileAgent,
    Surroundings,
    open_agent,
)
from tertulia.client import (
    AnyEvent,
    CreateRoom,
    JoinRoom,
    MessageKept,
    MessageMoved,
    MessageState,
    RoomJoined,
    RoomMade,
    SendText,
)
from tertulia.vault import KeySource

P = ParamSpec("P")
T = TypeVar("T")

PATIENCE = 600.0  # seconds; whatever takes longer is broken


@dataclass(frozen=True, slots=True)
class Person:
    """An agent, and the events it has told since it is there."""

    agent: ProfileAgent
    events: Listener

    async def until(
        self,
        fits: Callable[[AnyEvent], bool],
        is_so: Callable[[], Awaitable[bool]],
    ) -> float:
        """Wait for an event, or find that it `is_so` where events were missed.

        Returns when that was.
        """
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    async for event in self.events:
                        if fits(event):
                            return time.monotonic()
                except ListenerBehindError:
                    if await is_so():
                        return time.monotonic()
                    continue
                raise RuntimeError("the agent ended")

    async def until_stored(self, message: bytes) -> float:
        """Wait until the relay has an own message."""

        def is_it(event: AnyEvent) -> bool:
            return (
                isinstance(event, MessageMoved)
                and event.message == message
                and event.state is MessageState.STORED
            )

        async def is_sent() -> bool:
            return not any(room.waiting for room in await self.agent.rooms())

        return await self.until(is_it, is_sent)

    async def say(self, room: bytes, text: str) -> bytes:
        """Say something; return the message as soon as it is kept."""
        kept = await self.agent.ask(SendText(room, text))
        if not isinstance(kept, MessageKept):
            raise TypeError(kept)
        return kept.message


class Stage:
    """The people of one process."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self.stack = stack
        self.people: list[Person] = []
        self.around = Surroundings()

    async def enter(self, folder: Path, name: str | None = None) -> Person:
        """Open somebody's profile, made if there is none."""
        opened = open_agent(
            folder, name=name, key_source=KeySource.FILE, around=self.around
        )
        agent = await self.stack.enter_async_context(opened)
        events = await self.stack.enter_async_context(agent.listen())
        person = Person(agent, events)
        self.people.append(person)
        return person


async def enter(stage: Stage, folder: Path, name: str | None = None) -> None:
    """Open somebody's profile, made if there is none."""
    await stage.enter(folder, name)


async def found_room(
    stage: Stage, folder: Path, name: str, invite: str, *, large: bool = False
) -> RoomMade:
    """Make a room at the relay that an invite leads to."""
    person = await stage.enter(folder, name)
    relay = await person.agent.add_relay(invite)
    made = await person.agent.ask(CreateRoom("Bench", large=large), relay=relay)
    if not isinstance(made, RoomMade):
        raise TypeError(made)
    return made


async def enter_room(stage: Stage, folder: Path, name: str, link: str) -> bytes:
    """Join by a link; return the room."""
    person = await stage.enter(folder, name)
    joined = await person.agent.ask(JoinRoom(link))
    if not isinstance(joined, RoomJoined):
        raise TypeError(joined)
    return joined.room


@dataclass(frozen=True, slots=True)
class _Failed:
    """What went wrong in the other process."""

    words: str


class Company:
    """A process with a stage, for the length of a block."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_perform, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._pipe.send(None)
            self._process.join(PATIENCE)
        self._process.kill()
        self._process.join()
        self._pipe.close()

    @property
    def process(self) -> int:
        """Its number."""
        number = self._process.pid
        if number is None:
            raise RuntimeError("not started")
        return number

    def begin(
        self,
        work: Callable[Concatenate[Stage, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Callable[[], T]:
        """Have something done; what is returned waits for it and returns its result."""
        self._pipe.send((work, args, kwargs))
        return self._result

    def do(
        self,
        work: Callable[Concatenate[Stage, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Have something done and return its result."""
        return self.begin(work, *args, **kwargs)()

    def _result(self) -> Any:
        if not self._pipe.poll(PATIENCE):
            raise TimeoutError
        result = self._pipe.recv()
        if isinstance(result, _Failed):
            raise RuntimeError(result.words)  # noqa: TRY004 -- the type is no fault
        return result


def _perform(pipe: Connection) -> None:
    asyncio.run(_obey(pipe))


async def _obey(pipe: Connection) -> None:
    async with AsyncExitStack() as stack:
        stage = Stage(stack)
        while (order := await asyncio.to_thread(pipe.recv)) is not None:
            work, args, kwargs = order
            try:
                result = await work(stage, *args, **kwargs)
            except Exception:  # noqa: BLE001 -- told to whoever gave the order
                result = _Failed(traceback.format_exc())
            pipe.send(result)
