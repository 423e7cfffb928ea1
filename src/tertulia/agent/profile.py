"""A profile, whoever holds it: this process, or another one that this works through.

One process at a time holds the vault, by a lock that ends with the process. The others
reach it over a socket in the profile's folder. When the holder goes, however it goes,
one of the others becomes the holder, and the rest find it. What a face sees of that:

- questions, and commands that do the same when given twice, are asked again;
- a command that was not begun is given again;
- any other command that was under way raises `FateUnknownError`: it may be done or not.
  Nothing is ever said twice because of it.
- whoever listens hears that events were missed, and reads again.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final, TypeVar

from msgspec.structs import replace

from tertulia.agent.agent import MESSAGES, Agent, ProfileView
from tertulia.agent.errors import (
    AgentClosedError,
    FateUnknownError,
    HolderGoneError,
    ProfileBusyError,
)
from tertulia.agent.holder import hold
from tertulia.agent.listeners import Listener, Listeners
from tertulia.agent.opening import Opening
from tertulia.agent.remote_agent import RemoteAgent
from tertulia.agent.session_task import Surroundings
from tertulia.client import (
    AnyAnswer,
    AnyCommand,
    ChangeName,
    ChangeRoom,
    InviteView,
    JoinRoom,
    MemberView,
    MessageView,
    RelayView,
    RoomView,
    SendText,
)
from tertulia.errors import TertuliaError
from tertulia.vault import KeySource, VaultInUseError
from tertulia.wire import new_message_key

T = TypeVar("T")

# Given twice, these do what they do once.
REPEATABLE: Final = (JoinRoom, ChangeRoom, ChangeName, SendText)

TAKEOVER_TIME: Final = 15.0  # seconds until somebody holds the profile again
CLOSING_TIME: Final = 15.0  # seconds until an end that hangs is forced
_BETWEEN_TRIES: Final = 0.05
_TRIES: Final = 100  # holders that go while they are asked: then something is wrong


class ProfileAgent:
    """An agent that outlives the process that holds its profile."""

    def __init__(self, opening: Opening, around: Surroundings) -> None:
        self._opening = opening
        self._around = around
        self._listeners = Listeners()
        self._agent: Agent | None = None
        self._profile: ProfileView
        self._news = asyncio.Event()
        self._is_closing = False
        self._over = asyncio.Event()
        self._failure: TertuliaError | None = None

    # Who holds the profile

    async def run(self) -> None:
        """Hold the profile, or work through who does, until closed."""
        try:
            while not self._is_closing:
                await self._take_part()
                self._listeners.fall_behind()
        except TertuliaError as error:
            self._failure = error
        finally:
            self._is_closing = True
            self._use(None)
            self._listeners.end(self._failure)
            self._over.set()

    async def start(self) -> None:
        """Wait until somebody holds the profile; raise why nobody can."""
        # As long as it takes: a person may be typing a passphrase.
        while self._agent is None:
            if self._over.is_set():
                raise self._failure or AgentClosedError
            await self._hear_news()

    async def _take_part(self) -> None:
        """Become the holder, or else find it; return when that is over."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + TAKEOVER_TIME
        while not self._is_closing:
            with suppress(VaultInUseError):
                return await self._hold()
            with suppress(HolderGoneError):
                return await self._work_through()
            if loop.time() > deadline:
                raise ProfileBusyError(self._opening.folder)
            await asyncio.sleep(_BETWEEN_TRIES)
        return None

    async def _hold(self) -> None:
        async with hold(self._opening, self._listeners, self._around) as holder:
            await self._work_with(holder.agent, holder.run)
            self._is_closing = True  # a holder ends only when it is told to

    async def _work_through(self) -> None:
        folder = self._opening.folder
        remote = await RemoteAgent.connect(folder, self._listeners)
        await self._work_with(remote, remote.run)

    async def _work_with(
        self, agent: Agent, run: Callable[[], Awaitable[None]]
    ) -> None:
        self._use(agent)
        if self._is_closing:
            await agent.close()
        try:
            await run()
        finally:
            self._use(None)

    def _use(self, agent: Agent | None) -> None:
        if self._agent is not None:
            self._profile = self._agent.profile
        self._agent = agent
        self._news.set()

    async def _hear_news(self) -> None:
        self._news.clear()
        await self._news.wait()

    async def _current(self) -> Agent:
        try:
            async with asyncio.timeout(TAKEOVER_TIME):
                while self._agent is None:
                    if self._over.is_set():
                        raise self._failure or AgentClosedError
                    await self._hear_news()
                return self._agent
        except TimeoutError:
            raise ProfileBusyError(self._opening.folder) from None

    async def _through(
        self, use: Callable[[Agent], Awaitable[T]], *, is_repeatable: bool = True
    ) -> T:
        for _ in range(_TRIES):
            agent = await self._current()
            try:
                return await use(agent)
            except AgentClosedError:
                if self._is_closing:
                    raise
            except HolderGoneError:
                if not is_repeatable:
                    raise FateUnknownError from None
            if self._agent is agent:
                # It ends by itself, once what it has begun is answered.
                self._use(None)
            await asyncio.sleep(_BETWEEN_TRIES)
        raise ProfileBusyError(self._opening.folder)

    # What faces use

    @property
    def profile(self) -> ProfileView:
        """Who I am."""
        return self._profile if self._agent is None else self._agent.profile

    async def ask(
        self, command: AnyCommand, *, relay: bytes | None = None
    ) -> AnyAnswer:
        """Have a command carried out."""
        if isinstance(command, SendText) and command.key is None:
            around = self._around
            key = new_message_key(around.clock(), around.rng)
            command = replace(command, key=key)
        return await self._through(
            lambda agent: agent.ask(command, relay=relay),
            is_repeatable=isinstance(command, REPEATABLE),
        )

    async def add_relay(self, link: str) -> bytes:
        """Know a relay from now on, and connect."""
        return await self._through(lambda agent: agent.add_relay(link))

    async def relays(self) -> list[RelayView]:
        """Return all relays, in order of first use."""
        return await self._through(lambda agent: agent.relays())

    async def rooms(self) -> list[RoomView]:
        """Return all rooms."""
        return await self._through(lambda agent: agent.rooms())

    async def members(self, room: bytes) -> list[MemberView]:
        """Return who is in a room."""
        return await self._through(lambda agent: agent.members(room))

    async def invites(self, room: bytes) -> list[InviteView]:
        """Return the invites of a room."""
        return await self._through(lambda agent: agent.invites(room))

    async def messages(
        self,
        room: bytes | None,
        *,
        after: bytes | int | None = None,
        limit: int = MESSAGES,
        newest: bool = False,
    ) -> list[MessageView]:
        """Return lines of a room or of all."""
        return await self._through(
            lambda agent: agent.messages(room, after=after, limit=limit, newest=newest)
        )

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[Listener]:
        """Yield the events from now on, whoever holds the profile."""
        with self._listeners.listen() as listener:
            yield listener

    async def settled(self) -> None:
        """Wait until what was given before has been carried out."""
        await self._through(lambda agent: agent.settled())

    async def close(self) -> None:
        """End, after what was given before."""
        self._is_closing = True
        if self._agent is not None:
            await self._agent.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_TIME):
                await self._over.wait()


@asynccontextmanager
async def open_agent(
    folder: Path,
    *,
    name: str | None = None,
    passphrase: Callable[[], str] | None = None,
    key_source: KeySource | None = None,
    around: Surroundings | None = None,
) -> AsyncIterator[ProfileAgent]:
    """Yield the agent of the profile in `folder`, which is made if it is missing.

    A new profile needs a name. `passphrase` is called, in a thread, if one is set.
    Raises NameNeededError, ProfileBusyError, OtherVersionError, BadNameError or a
    VaultError.
    """
    opening = Opening(folder, name, passphrase, key_source)
    agent = ProfileAgent(opening, around or Surroundings())
    failure: Exception | None = None
    async with asyncio.TaskGroup() as group:
        keeper = group.create_task(agent.run())
        try:
            await agent.start()
            yield agent
        except Exception as error:  # noqa: BLE001 -- raised below, not in a group
            failure = error
        finally:
            await agent.close()
            keeper.cancel()
    if failure is not None:
        raise failure
