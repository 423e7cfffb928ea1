"""A session task with a vault of its own and rules that a test wrote down."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tertulia.agent.clock import system_clock
from tertulia.agent.line import Waits
from tertulia.agent.link import Patience as LinkPatience
from tertulia.agent.listeners import Listeners
from tertulia.agent.session_task import Patience, SessionTask, Surroundings
from tertulia.agent.worker import Worker
from tertulia.client import (
    AnyCommand,
    Asked,
    Effect,
    Item,
    PutProfile,
    PutRelay,
    RelayRow,
    Session,
    new_profile,
)
from tertulia.crypto import Secret, system_rng
from tertulia.vault import Vault, create_vault
from tests.agent.patience import within

RELAY = RelayRow(bytes(32), ("http://127.0.0.1:1",), counter=0)
OTHER = RelayRow(bytes([1]) * 32, ("http://127.0.0.1:1",), counter=0)
PROFILE = new_profile("Ana", 1, system_rng)
HURRY = Patience(room_in_inbox=0.05, answer=5, after_bug=0.01)
WAITS = Waits(LinkPatience(opening=5, closing=0.1))


@dataclass
class Rules:
    """Steps: what is done for an item, by its type, or by the type of its command."""

    effects: Mapping[Any, Callable[[Any], Sequence[Effect]]] = field(
        default_factory=dict
    )
    items: list[Item] = field(default_factory=list)
    seen: "asyncio.Queue[Item]" = field(default_factory=asyncio.Queue)
    wake_at: int | None = None

    def step(
        self, session: Session, item: Item, _now: int
    ) -> tuple[Session, Sequence[Effect]]:
        """Note the item and return what the test wrote down for it."""
        kind = type(item.command) if isinstance(item, Asked) else type(item)
        self.items.append(item)
        self._loop.call_soon_threadsafe(self.seen.put_nowait, item)
        effects = self.effects.get(kind, lambda _item: ())(item)
        return replace(session, wake_at=self.wake_at), effects

    def __post_init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    async def next(self, kind: type) -> Item:
        """Wait until an item of a kind was taken."""
        while True:
            item = await self.seen.get()
            if isinstance(item, kind):
                return item


@dataclass
class Stage:
    """A running task and all around it."""

    task: SessionTask
    rules: Rules
    vault: Vault
    worker: Worker
    listeners: Listeners
    group: asyncio.TaskGroup

    def ask(self, command: AnyCommand, relay: RelayRow = RELAY) -> "asyncio.Task[Any]":
        """Give a command."""
        return self.group.create_task(self.task.ask(relay.relay, command))


@asynccontextmanager
async def stage(
    folder: Path,
    rules: Rules,
    *relays: RelayRow,
    patience: Patience = HURRY,
    wrap: Callable[[Vault], Any] = lambda vault: vault,
) -> AsyncIterator[Stage]:
    """Run a session task for the length of a block."""
    vault = wrap(create_vault(folder / "vault.db", Secret(system_rng(32))))
    worker, listeners = Worker(), Listeners()
    rows = tuple(PutRelay(row) for row in relays)
    await worker.run(vault.save, (PutProfile(PROFILE), *rows))
    around = Surroundings(system_clock, system_rng, rules.step, _load, WAITS, patience)
    task = SessionTask(vault, worker, listeners, around)
    await task.load(PROFILE)
    try:
        async with asyncio.TaskGroup() as group:
            running = group.create_task(task.run())
            yield Stage(task, rules, vault, worker, listeners, group)
            task.stop()
            await running
    finally:
        worker.close(vault.close)


def _load(profile: Any, relay: RelayRow, _rooms: Any, rng: Any) -> Session:
    return Session(profile, relay, rng)


def play(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a story that ends in time."""
    asyncio.run(within(story()))
