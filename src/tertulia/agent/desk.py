"""Where other processes of the same person work through the holder of the profile.

Each connection has its calls answered side by side, up to a number; beyond it nothing
more is read from it. Who does not take what it is told is cut off and comes again.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Final, assert_never

from tertulia.agent.agent import Agent
from tertulia.agent.calls import (
    VERSION,
    AddRelay,
    Answered,
    AnyCall,
    AnyOutcome,
    Ask,
    FellBehind,
    FromHolder,
    GetInvites,
    GetMembers,
    GetMessages,
    GetProfile,
    GetRelays,
    GetRooms,
    Happened,
    InviteList,
    MemberList,
    MessageList,
    ProfileIs,
    RelayAdded,
    RelayList,
    RoomList,
    Settle,
    Settled,
    as_frame,
    greeting_of,
    read_call,
    read_greeting,
)
from tertulia.agent.errors import BadCallError, ListenerBehindError
from tertulia.agent.errors_in_transit import describe
from tertulia.agent.link import LOGGER
from tertulia.agent.listeners import Listener
from tertulia.agent.local_socket import is_owner
from tertulia.errors import TertuliaError

CONNECTIONS: Final = 64
CALLS_AT_ONCE: Final = 32


@dataclass(frozen=True, slots=True)
class DeskPatience:
    """How long the desk waits, in seconds."""

    greeting: float = 5
    taking: float = 20  # until somebody takes what it is told
    closing: float = 2


class Desk:
    """All connections to the holder."""

    def __init__(
        self, agent: Agent, group: asyncio.TaskGroup, patience: DeskPatience
    ) -> None:
        self._agent = agent
        self._group = group
        self._patience = patience
        self._visits: dict[asyncio.Task[None], _Visit] = {}

    def connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Serve a connection, unless there are too many."""
        if len(self._visits) >= CONNECTIONS:
            writer.transport.abort()
            return
        visit = _Visit(self._agent, reader, writer, self._patience)
        task = self._group.create_task(visit.serve())
        self._visits[task] = visit
        task.add_done_callback(self._visits.pop)

    async def close(self) -> None:
        """Let what is answered be sent, then hang up."""
        tasks = tuple(self._visits)
        for visit in self._visits.values():
            visit.end()
        if tasks:
            await asyncio.wait(tasks, timeout=self._patience.closing)
        for task in tasks:
            task.cancel()


class _Visit:
    """One connection."""

    def __init__(
        self,
        agent: Agent,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        patience: DeskPatience,
    ) -> None:
        self._agent = agent
        self._reader = reader
        self._writer = writer
        self._patience = patience
        self._slots = asyncio.Semaphore(CALLS_AT_ONCE)
        self._is_ending = False

    async def serve(self) -> None:
        """Answer until the other side goes or breaks a rule."""
        try:
            if await self._greet():
                await self._attend()
        except (BadCallError, EOFError, OSError) as error:
            LOGGER.debug("visit ended: %r", error)
        finally:
            await self._hang_up()

    def end(self) -> None:
        """Read no more calls; what is under way is answered."""
        self._is_ending = True
        self._reader.feed_eof()

    async def _greet(self) -> bool:
        """Tell whether this is our owner with our version."""
        if not is_owner(self._writer.get_extra_info("socket")):
            return False
        self._writer.write(as_frame(greeting_of(self._agent.profile)))
        async with asyncio.timeout(self._patience.greeting):
            return (await read_greeting(self._reader)).version == VERSION

    async def _attend(self) -> None:
        async with asyncio.TaskGroup() as group, self._agent.listen() as listener:
            news = group.create_task(self._tell(listener))
            answers: set[asyncio.Task[None]] = set()
            try:
                await self._answer_calls(group, answers)
            except (BadCallError, EOFError, OSError) as error:
                LOGGER.debug("no more calls: %r", error)
            news.cancel()
            if not self._is_ending:
                for task in answers:  # nobody is there to hear them
                    task.cancel()

    async def _answer_calls(
        self, group: asyncio.TaskGroup, answers: set[asyncio.Task[None]]
    ) -> None:
        while True:
            await self._slots.acquire()
            call = await read_call(self._reader)
            task = group.create_task(self._answer(call))
            answers.add(task)
            task.add_done_callback(answers.discard)

    async def _answer(self, call: AnyCall) -> None:
        outcome: AnyOutcome
        try:
            outcome = await answer(self._agent, call)
        except TertuliaError as error:
            outcome = describe(call.number, error)
        except Exception as error:  # noqa: BLE001 -- one call must not stop the others
            LOGGER.exception("call")
            outcome = describe(call.number, error)
        await self._send(outcome)
        self._slots.release()

    async def _tell(self, listener: Listener) -> None:
        while True:
            try:
                news: FromHolder = Happened(await anext(listener))
            except ListenerBehindError:
                news = FellBehind()
            except (TertuliaError, StopAsyncIteration):
                return  # the agent ends, and soon this connection
            await self._send(news)

    async def _send(self, frame: FromHolder) -> None:
        try:
            self._writer.write(as_frame(frame))
            async with asyncio.timeout(self._patience.taking):
                await self._writer.drain()
        except (TimeoutError, OSError):
            self._writer.transport.abort()

    async def _hang_up(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(self._patience.closing):
                await self._writer.wait_closed()


async def answer(agent: Agent, call: AnyCall) -> AnyOutcome:
    """Carry out a call; raise what the agent raises."""
    number = call.number
    match call:
        case Ask(_, command, relay):
            return Answered(number, await agent.ask(command, relay=relay))
        case AddRelay(_, link):
            return RelayAdded(number, await agent.add_relay(link))
        case GetProfile():
            return ProfileIs(number, agent.profile)
        case GetRelays():
            return RelayList(number, await agent.relays())
        case GetRooms():
            return RoomList(number, await agent.rooms())
        case GetMembers(_, room):
            return MemberList(number, await agent.members(room))
        case GetInvites(_, room):
            return InviteList(number, await agent.invites(room))
        case GetMessages(_, room, after, limit, newest):
            lines = await agent.messages(room, after=after, limit=limit, newest=newest)
            return MessageList(number, lines)
        case Settle():
            await agent.settled()
            return Settled(number)
        case _:
            assert_never(call)
