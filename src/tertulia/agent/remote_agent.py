"""The agent of a process that works through the holder of the profile.

Everything is asked over the local socket. When the holder goes, whoever waits hears
`HolderGoneError`; whether the holder had begun, nobody can tell from here.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Self, TypeVar

from tertulia.agent.agent import MESSAGES, ProfileView
from tertulia.agent.calls import (
    VERSION,
    AddRelay,
    Answered,
    AnyCall,
    AnyOutcome,
    Ask,
    Failed,
    FellBehind,
    FromHolder,
    GetInvites,
    GetMembers,
    GetMessages,
    GetProfile,
    GetRelays,
    GetRooms,
    Greeting,
    Happened,
    InviteList,
    MemberList,
    MessageList,
    Outcome,
    ProfileIs,
    RelayAdded,
    RelayList,
    RoomList,
    Settle,
    Settled,
    as_frame,
    profile_in,
    read_greeting,
    read_outcome,
)
from tertulia.agent.errors import (
    AgentClosedError,
    BadCallError,
    HolderGoneError,
    OtherVersionError,
)
from tertulia.agent.errors_in_transit import rebuild
from tertulia.agent.listeners import Listener, Listeners
from tertulia.agent.local_socket import find, is_owner
from tertulia.client import (
    AnyAnswer,
    AnyCommand,
    ChangeName,
    InviteView,
    MemberView,
    MessageView,
    RelayView,
    RoomView,
)

O = TypeVar("O", bound=Outcome)  # noqa: E741

GREETING_TIME: Final = 5.0
# Longer than the holder itself waits for an answer.
ANSWER_TIME: Final = 1_000.0


class RemoteAgent:
    """A profile whose sessions run in another process."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        listeners: Listeners,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._listeners = listeners
        self._numbers = itertools.count(1)
        # None says that there will be no outcome.
        self._waiting: dict[int, asyncio.Future[AnyOutcome | None]] = {}
        self._is_gone = False
        self._profile: ProfileView

    @classmethod
    async def connect(cls, folder: Path, listeners: Listeners) -> Self:
        """Reach the holder; raise HolderGoneError or OtherVersionError."""
        try:
            reader, writer = await asyncio.open_unix_connection(find(folder))
        except OSError:
            raise HolderGoneError from None
        remote = cls(reader, writer, listeners)
        try:
            await remote._greet()
        except BaseException:
            writer.transport.abort()
            raise
        return remote

    async def run(self) -> None:
        """Hear what the holder says until it goes, or we do."""
        try:
            while True:
                self._take(await read_outcome(self._reader))
        except (BadCallError, EOFError, OSError):
            pass
        finally:
            self._is_gone = True
            self._writer.transport.abort()
            for future in self._waiting.values():
                if not future.done():
                    future.set_result(None)

    async def close(self) -> None:
        """Let go of the holder."""
        self._writer.transport.abort()
        self._reader.feed_eof()

    # What faces use

    @property
    def profile(self) -> ProfileView:
        """Who I am, as far as this process has heard."""
        return self._profile

    async def ask(
        self, command: AnyCommand, *, relay: bytes | None = None
    ) -> AnyAnswer:
        """Have the holder carry out a command."""
        answered = await self._call(Ask(next(self._numbers), command, relay), Answered)
        if isinstance(command, ChangeName):
            await self._learn_profile()
        return answered.answer

    async def add_relay(self, link: str) -> bytes:
        """Have the holder know a relay."""
        call = AddRelay(next(self._numbers), link)
        return (await self._call(call, RelayAdded)).relay

    async def relays(self) -> list[RelayView]:
        """Return all relays, in order of first use."""
        return (await self._call(GetRelays(next(self._numbers)), RelayList)).relays

    async def rooms(self) -> list[RoomView]:
        """Return all rooms."""
        return (await self._call(GetRooms(next(self._numbers)), RoomList)).rooms

    async def members(self, room: bytes) -> list[MemberView]:
        """Return who is in a room."""
        call = GetMembers(next(self._numbers), room)
        return (await self._call(call, MemberList)).members

    async def invites(self, room: bytes) -> list[InviteView]:
        """Return the invites of a room."""
        call = GetInvites(next(self._numbers), room)
        return (await self._call(call, InviteList)).invites

    async def messages(
        self,
        room: bytes | None,
        *,
        after: bytes | int | None = None,
        limit: int = MESSAGES,
        newest: bool = False,
    ) -> list[MessageView]:
        """Return lines of a room or of all."""
        call = GetMessages(next(self._numbers), room, after, limit, newest)
        return (await self._call(call, MessageList)).messages

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[Listener]:
        """Yield the events from now on."""
        with self._listeners.listen() as listener:
            yield listener

    async def settled(self) -> None:
        """Wait until what was given before has been carried out."""
        await self._call(Settle(next(self._numbers)), Settled)

    # The socket

    async def _learn_profile(self) -> None:
        call = GetProfile(next(self._numbers))
        self._profile = (await self._call(call, ProfileIs)).profile

    async def _greet(self) -> None:
        if not is_owner(self._writer.get_extra_info("socket")):
            raise HolderGoneError
        try:
            self._writer.write(as_frame(Greeting(VERSION)))
            async with asyncio.timeout(GREETING_TIME):
                theirs = await read_greeting(self._reader)
            if theirs.version != VERSION:
                raise OtherVersionError(VERSION, theirs.version)
            self._profile = profile_in(theirs)
        except (BadCallError, EOFError, OSError):
            raise HolderGoneError from None

    async def _call(self, call: AnyCall, kind: type[O]) -> O:
        if self._is_gone:
            raise AgentClosedError
        loop = asyncio.get_running_loop()
        future: asyncio.Future[AnyOutcome | None] = loop.create_future()
        self._waiting[call.number] = future
        try:
            async with asyncio.timeout(ANSWER_TIME):
                self._writer.write(as_frame(call))
                await self._writer.drain()
                outcome = await future
        except OSError:  # gone while we wrote, or silent for ever
            raise HolderGoneError from None
        finally:
            del self._waiting[call.number]
        if outcome is None:
            raise HolderGoneError
        if isinstance(outcome, Failed):
            raise rebuild(outcome)
        if not isinstance(outcome, kind):
            raise BadCallError(f"{type(outcome).__name__} for {type(call).__name__}")
        return outcome

    def _take(self, heard: FromHolder) -> None:
        match heard:
            case Happened(event):
                self._listeners.publish(event)
            case FellBehind():
                self._listeners.fall_behind()
            case _:
                future = self._waiting.get(heard.number)
                if future is not None and not future.done():
                    future.set_result(heard)
