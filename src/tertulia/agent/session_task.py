"""The one task that owns every session of a profile, one per relay.

It takes one item at a time from one inbox: commands, frames, transfers, timers. The
rules compute the next session and what is to be done, which is done strictly in order:
save, then send, then show. Where the vault fails, everything ends: what was computed is
not on disk, so nothing of it may be sent or shown. Where a rule fails on an item that a
relay sent, its session is loaded anew, after a pause.

The task knows no rule of the protocol: it moves, waits and stores.
"""

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias, assert_never

from tertulia.agent.clock import Clock, system_clock
from tertulia.agent.errors import (
    AgentClosedError,
    BusyError,
    FateUnknownError,
    NotAnsweredError,
    StepFailedError,
)
from tertulia.agent.inbox import Inbox
from tertulia.agent.line import Line, Waits
from tertulia.agent.link import LOGGER
from tertulia.agent.listeners import Listeners
from tertulia.agent.worker import Worker
from tertulia.client import (
    AnyAnswer,
    AnyCommand,
    Asked,
    Connect,
    Connection,
    ConnectionChanged,
    Disconnect,
    DownloadBlob,
    Effect,
    Emit,
    EntriesLoaded,
    Item,
    LoadEntries,
    NetworkChanged,
    ProfileChanged,
    ProfileRow,
    PutProfile,
    PutRelay,
    RelayMoved,
    RelayRow,
    Reply,
    Save,
    Session,
    Started,
    StoredRoom,
    Ticked,
    TransferFailed,
    Transmit,
    UploadBlob,
    load_session,
    relay_view,
    step,
)
from tertulia.crypto import Rng, system_rng
from tertulia.errors import BugError, TertuliaError
from tertulia.vault import Vault

# A frame has up to a mebibyte; so many may wait here before a link stops reading.
INBOX: Final = 32
PROVED: Final = 2  # addresses that stay first: the relay was reached there
MAX_ADDRESSES: Final = 8

Step: TypeAlias = Callable[[Session, Item, int], tuple[Session, Sequence[Effect]]]
Load: TypeAlias = Callable[[ProfileRow, RelayRow, Sequence[StoredRoom], Rng], Session]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the task waits, in seconds."""

    room_in_inbox: float = 30
    # The rules give up sooner, but a queue of joiners may be long.
    answer: float = 900
    after_bug: float = 30
    longest_sleep: float = 60
    between_ticks: float = 0.02  # a session that is always due must not take all


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Clock, chance, the rules, the network's patience and ours."""

    clock: Clock = system_clock
    rng: Rng = system_rng
    step: Step = step
    load: Load = load_session
    waits: Waits = field(default_factory=Waits)
    patience: Patience = field(default_factory=Patience)


# Mail


@dataclass(frozen=True, slots=True)
class _ForSession:
    """An item; from a line, it counts only while that is the session's line."""

    relay: bytes
    item: Item
    line: Line | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    """A relay to be known from now on, or an address of one, or a mark in the inbox."""

    row: RelayRow | None
    done: "asyncio.Future[TertuliaError | None]"


@dataclass(slots=True)
class _Running:
    """A session, and what its effects led to."""

    session: Session
    start_at: float | None
    tick_after: float = 0
    line: Line | None = None
    line_task: "asyncio.Task[None] | None" = None


@dataclass(slots=True)
class _Waiting:
    """A command that is not answered yet."""

    relay: bytes
    answer: "asyncio.Future[AnyAnswer | TertuliaError]"
    has_begun: bool = False


class SessionTask:
    """All sessions of a profile."""

    def __init__(
        self, vault: Vault, worker: Worker, listeners: Listeners, around: Surroundings
    ) -> None:
        self._vault = vault
        self._worker = worker
        self._listeners = listeners
        self._around = around
        self._inbox: Inbox[_ForSession | _Known] = Inbox(INBOX)
        self._running: dict[bytes, _Running] = {}
        self._waiting: dict[int, _Waiting] = {}
        self._marks: set[asyncio.Future[TertuliaError | None]] = set()
        self._numbers = itertools.count(1)
        self._profile: ProfileRow
        self._group: asyncio.TaskGroup
        self._time = asyncio.get_running_loop().time
        self._is_stopping = False
        self._is_over = False
        self.failure: TertuliaError | None = None

    # What is known

    @property
    def profile(self) -> ProfileRow:
        """Who I am."""
        return self._profile

    @property
    def sessions(self) -> Mapping[bytes, Session]:
        """Every session as it was last saved, by the relay's fingerprint."""
        return {relay: running.session for relay, running in self._running.items()}

    # What can be asked

    async def load(self, profile: ProfileRow) -> None:
        """Take up every session of the vault; raise VaultError."""
        self._profile = profile
        for row in await self._worker.run(self._vault.relays):
            await self._take_up(row)

    async def ask(self, relay: bytes, command: AnyCommand) -> AnyAnswer:
        """Give a command to a session and return its answer, or raise it."""
        patience = self._around.patience
        waiting = _Waiting(relay, asyncio.get_running_loop().create_future())
        number = next(self._numbers)
        self._waiting[number] = waiting
        try:
            await self._put(_ForSession(relay, Asked(number, command)))
            async with asyncio.timeout(patience.answer):
                answer = await waiting.answer
        except TimeoutError:
            raise NotAnsweredError(int(patience.answer)) from None
        finally:
            del self._waiting[number]
        if isinstance(answer, TertuliaError):
            raise answer
        return answer

    async def know(self, row: RelayRow) -> None:
        """Have a session with this relay, and let it know these addresses."""
        await self._mark(row)

    async def settle(self) -> None:
        """Wait until everything that was given before has been carried out."""
        await self._mark(None)

    async def change_network(self) -> None:
        """Tell every session that its link is not to be trusted."""
        for relay in tuple(self._running):
            await self._put(_ForSession(relay, NetworkChanged()))

    def stop(self) -> None:
        """End, after what was given already."""
        self._is_stopping = True
        self._inbox.wake()

    async def _mark(self, row: RelayRow | None) -> None:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[TertuliaError | None] = loop.create_future()
        self._marks.add(done)
        try:
            await self._put(_Known(row, done))
            async with asyncio.timeout(self._around.patience.answer):
                failure = await done
        except TimeoutError:
            raise BusyError from None
        finally:
            self._marks.discard(done)
        if failure is not None:
            raise failure

    async def _put(self, mail: _ForSession | _Known) -> None:
        if self.failure is not None:
            raise self.failure
        if self._is_stopping or self._is_over:
            raise AgentClosedError
        try:
            async with asyncio.timeout(self._around.patience.room_in_inbox):
                await self._inbox.put(mail)
        except TimeoutError:
            raise BusyError from None

    # The task

    async def run(self) -> None:
        """Carry out what comes until told to stop, or the vault fails."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                try:
                    await self._serve()
                except TertuliaError as error:
                    self.failure = error
                except Exception as error:  # noqa: BLE001 -- who waits must hear of it
                    LOGGER.exception("session task")
                    self.failure = BugError(repr(error))
                finally:
                    self._is_over = True
                    self._end_lines()
        finally:
            self._finish()

    async def _serve(self) -> None:
        while True:
            if self._is_stopping:
                self._end_lines()
            else:
                await self._wake_sessions()
            mail = await self._inbox.take(self._pause())
            if mail is not None:
                await self._handle(mail)
            elif self._is_stopping:
                return

    async def _handle(self, mail: _ForSession | _Known) -> None:
        match mail:
            case _ForSession(relay, item, line):
                running = self._running.get(relay)
                if running is None or (line is not None and line is not running.line):
                    return
                if isinstance(item, Asked):
                    if item.number not in self._waiting:
                        return  # given up before it began
                    self._waiting[item.number].has_begun = True
                await self._feed(running, item)
            case _Known(row, done):
                if row is not None:
                    await self._learn(row)
                if not done.done():
                    done.set_result(None)
            case _:
                assert_never(mail)

    def _pause(self) -> float:
        """Return how long nothing needs to be done, in seconds."""
        if self._is_stopping:
            return 0
        now, time = self._around.clock(), self._time()
        pause = self._around.patience.longest_sleep
        for running in self._running.values():
            if running.start_at is not None:
                pause = min(pause, running.start_at - time)
            elif running.session.wake_at is not None:
                due = max(
                    (running.session.wake_at - now) / 1000, running.tick_after - time
                )
                pause = min(pause, due)
        return max(pause, 0)

    async def _wake_sessions(self) -> None:
        """Start those that are to start, tick those that are due."""
        for running in tuple(self._running.values()):
            time = self._time()
            wake_at = running.session.wake_at
            if running.start_at is not None:
                if running.start_at <= time:
                    running.start_at = None
                    await self._feed(running, Started())
            elif (
                wake_at is not None
                and wake_at <= self._around.clock()
                and running.tick_after <= time
            ):
                running.tick_after = time + self._around.patience.between_ticks
                await self._feed(running, Ticked())

    # Relays

    async def _take_up(self, row: RelayRow) -> _Running:
        session = await self._load(row)
        running = _Running(session, start_at=self._time())
        self._running[row.relay] = running
        return running

    async def _load(self, row: RelayRow) -> Session:
        def load() -> Session:
            rooms = self._vault.rooms(row.relay)
            return self._around.load(self._profile, row, rooms, self._around.rng)

        return await self._worker.run(load)

    async def _learn(self, row: RelayRow) -> None:
        running = self._running.get(row.relay)
        if running is None:
            await self._worker.run(self._vault.save, (PutRelay(row),))
            await self._take_up(row)
            return
        known = running.session.relay
        addresses = _without_downgrade(
            (*known.addresses[:PROVED], *row.addresses, *known.addresses[PROVED:])
        )
        addresses = addresses[:MAX_ADDRESSES]
        if relay_view(running.session).connection is Connection.STOPPED:
            # A person came with a link: what kept us out may not any more.
            row = replace(known, addresses=addresses, invite=row.invite)
            await self._worker.run(self._vault.save, (PutRelay(row),))
            await self._begin_anew(running, row, pause=0)
        elif addresses != known.addresses:
            await self._feed(running, RelayMoved(addresses))

    async def _begin_anew(self, running: _Running, row: RelayRow, pause: float) -> None:
        self._end_line(running)
        running.session = await self._load(row)
        running.start_at = self._time() + pause

    # Items and effects

    async def _feed(self, running: _Running, item: Item) -> None:
        """Compute and carry out an item, and what it leads to at once."""
        items = deque([item])
        while items:
            for effect in await self._advance(running, items.popleft()):
                answer = await self._carry_out(running, effect)
                if answer is not None:
                    items.append(answer)
        await self._share_profile()

    async def _share_profile(self) -> None:
        """Let the other sessions know what one of them made of the profile."""
        for running in tuple(self._running.values()):
            if running.session.profile != self._profile:
                await self._feed(running, ProfileChanged(self._profile))

    async def _advance(self, running: _Running, item: Item) -> Sequence[Effect]:
        now = self._around.clock()
        try:
            session, effects = await self._worker.run(
                self._compute, running.session, item, now
            )
        except StepFailedError as error:
            LOGGER.error("%s", error, exc_info=error.__cause__)
            await self._recover(running, item, error)
            return ()
        if session.profile != running.session.profile:
            self._profile = session.profile
        running.session = session
        return effects

    def _compute(
        self, session: Session, item: Item, now: int
    ) -> tuple[Session, Sequence[Effect]]:
        """In the worker: take a step, and save first what it saves first."""
        try:
            after, effects = self._around.step(session, item, now)
        except Exception as error:
            raise StepFailedError(type(item).__name__, repr(error)) from error
        saved = 0
        for effect in effects:
            if not isinstance(effect, Save):
                break
            self._vault.save(effect.changes)
            saved += 1
        return after, effects[saved:]

    async def _recover(
        self, running: _Running, item: Item, error: StepFailedError
    ) -> None:
        """Go on after a fault of ours: nothing of the failed step has happened."""
        if isinstance(item, Asked):
            self._answer(item.number, error)
            return
        relay = running.session.relay.relay
        for number, waiting in tuple(self._waiting.items()):
            if waiting.relay == relay and waiting.has_begun:
                self._answer(number, error)
        pause = self._around.patience.after_bug
        await self._begin_anew(running, running.session.relay, pause)
        retry = self._around.clock() + int(pause * 1000)
        self._listeners.publish(
            ConnectionChanged(relay, Connection.OFFLINE, error.code, retry)
        )

    async def _carry_out(self, running: _Running, effect: Effect) -> Item | None:
        """Do one thing; return the item that it is answered with at once."""
        match effect:
            case Save(changes):
                await self._worker.run(self._vault.save, changes)
            case Connect():
                self._connect(running, effect)
            case Disconnect():
                self._end_line(running)
            case Transmit(frame):
                if running.line is not None:
                    running.line.transmit(frame)
            case UploadBlob() | DownloadBlob():
                if running.line is None or not running.line.transfer(effect):
                    return TransferFailed(effect.transfer, "no_link")
            case Emit(event):
                self._listeners.publish(event)
            case Reply(number, answer):
                self._answer(number, answer)
            case LoadEntries(room, after, limit):
                rows = await self._worker.run(self._vault.entries, room, after, limit)
                return EntriesLoaded(room, tuple(rows))
            case _:
                assert_never(effect)
        return None

    def _connect(self, running: _Running, wish: Connect) -> None:
        self._end_line(running)
        relay = running.session.relay.relay

        async def post(line: Line, item: Item) -> None:
            await self._inbox.put(_ForSession(relay, item, line))

        running.line = Line(wish, self._around.waits, post)
        running.line_task = self._group.create_task(running.line.run())

    def _end_line(self, running: _Running) -> None:
        """Hang up, and hear nothing more of this line."""
        if running.line_task is not None:
            running.line_task.cancel()
        running.line = running.line_task = None

    def _end_lines(self) -> None:
        for running in self._running.values():
            self._end_line(running)

    def _answer(self, number: int, answer: AnyAnswer | TertuliaError) -> None:
        waiting = self._waiting.get(number)
        if waiting is not None and not waiting.answer.done():
            waiting.answer.set_result(answer)

    # The end

    def _finish(self) -> None:
        """Let nobody wait any longer."""
        for number, waiting in tuple(self._waiting.items()):
            unknown = FateUnknownError() if waiting.has_begun else AgentClosedError()
            self._answer(number, self.failure or unknown)
        for done in tuple(self._marks):
            if not done.done():
                done.set_result(self.failure or AgentClosedError())
        self._listeners.end(self.failure)

    async def rename(self, profile: ProfileRow) -> None:
        """Replace the profile where there is no session that would."""
        await self._worker.run(self._vault.save, (PutProfile(profile),))
        self._profile = profile


def _without_downgrade(addresses: Sequence[str]) -> tuple[str, ...]:
    """Return addresses, each once; no plain one where there is one with TLS."""
    each = tuple(dict.fromkeys(addresses))
    secure = tuple(address for address in each if address.startswith("https:"))
    return secure or each
