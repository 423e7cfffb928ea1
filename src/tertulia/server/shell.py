"""What all connections of one relay share: the loop, the tasks, the watch, the counters.

The watch is one timer for everybody. Each connection knows when it is late and is asked
once a second; a timer per connection would cost more memory than the connection.
"""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Protocol

from tertulia.server.clock import Clock
from tertulia.server.logs import Log
from tertulia.server.metrics import Metrics


class Watched(Protocol):
    """A connection that may be late."""

    def expire(self, now: float) -> None:
        """Cut yourself off if you are late."""

    def hang_up(self) -> None:
        """The relay shuts down: end, if nothing is under way."""

    def abort(self) -> None:
        """End at once."""


class Shell:
    """Shared by the connections of one relay."""

    def __init__(self, group: asyncio.TaskGroup, clock: Clock, log: Log) -> None:
        self.loop = asyncio.get_running_loop()
        self.time = self.loop.time
        self.clock = clock
        self.log = log
        self.metrics = Metrics()
        self.is_stopping = False
        self._group = group
        self._watched: set[Watched] = set()
        self._drained = asyncio.Event()

    def start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Run `work`, which handles its own errors."""
        return self._group.create_task(work)

    def run(self, work: Coroutine[None, None, None]) -> None:
        """Run `work` until it ends or the relay does."""
        _task = self._group.create_task(work)  # the group awaits it

    def report(self, event: str, error: BaseException) -> None:
        """Note a fault of our own; the relay goes on."""
        self.metrics.bugs += 1
        self.log.bug(event, error)

    def watch(self, connection: Watched) -> None:
        """Ask this connection regularly whether it is late."""
        self._watched.add(connection)

    def unwatch(self, connection: Watched) -> None:
        """Ask it no more."""
        self._watched.discard(connection)
        if self.is_stopping and not self._watched:
            self._drained.set()

    @property
    def connections(self) -> int:
        """How many connections there are."""
        return len(self._watched)

    def expire_late(self) -> None:
        """Ask everybody once."""
        now = self.time()
        for connection in tuple(self._watched):
            connection.expire(now)

    def hang_up_all(self) -> None:
        """Ask everybody to end."""
        for connection in tuple(self._watched):
            connection.hang_up()

    async def drain(self, patience: float) -> None:
        """Let nobody begin, ask everybody to end, and wait until they have."""
        self.is_stopping = True
        self.hang_up_all()
        if self._watched:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._drained.wait()
        for connection in tuple(self._watched):
            connection.abort()
