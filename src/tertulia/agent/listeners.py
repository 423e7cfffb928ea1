"""Everyone who is told what happens: each with a queue of its own, none waits for others.

A queue that is full is emptied, and its listener hears `ListenerBehindError` once: the
vault has everything, so it reads again and goes on. The same word tells it that events
were missed because another process took over the profile.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator
from typing import Final

from tertulia.agent.errors import ListenerBehindError
from tertulia.client import AnyEvent
from tertulia.errors import TertuliaError

QUEUE: Final = 1_000


class Listener:
    """Events as an asynchronous iterator."""

    def __init__(self, size: int = QUEUE) -> None:
        self._size = size
        self._events: deque[AnyEvent] = deque()
        self._news = asyncio.Event()
        self._is_behind = False
        self._end: TertuliaError | None = None
        self._is_over = False

    def __aiter__(self) -> "Listener":
        return self

    async def __anext__(self) -> AnyEvent:
        """Return the next event; raise ListenerBehindError, or why there are no more."""
        while True:
            if self._is_behind:
                self._is_behind = False
                raise ListenerBehindError
            if self._events:
                return self._events.popleft()
            if self._is_over:
                raise self._end or StopAsyncIteration
            self._news.clear()
            # As long as it takes: whoever listens says for how long.
            await self._news.wait()

    def put(self, event: AnyEvent) -> None:
        """Add an event."""
        if len(self._events) >= self._size:
            self.fall_behind()
            return
        self._events.append(event)
        self._news.set()

    def fall_behind(self) -> None:
        """Events were missed."""
        self._events.clear()
        self._is_behind = True
        self._news.set()

    def end(self, reason: TertuliaError | None) -> None:
        """There are no more after those that wait."""
        self._is_over = True
        self._end = reason
        self._news.set()


class Listeners:
    """All listeners of a process."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._ended: tuple[TertuliaError | None] | None = None

    @contextlib.contextmanager
    def listen(self, size: int = QUEUE) -> Iterator[Listener]:
        """Tell one more what happens, from now on."""
        listener = Listener(size)
        if self._ended is not None:
            listener.end(*self._ended)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def publish(self, event: AnyEvent) -> None:
        """Tell everyone."""
        for listener in tuple(self._listeners):
            listener.put(event)

    def fall_behind(self) -> None:
        """Everyone missed something."""
        for listener in tuple(self._listeners):
            listener.fall_behind()

    def end(self, reason: TertuliaError | None = None) -> None:
        """Nothing happens any more."""
        self._ended = (reason,)
        for listener in tuple(self._listeners):
            listener.end(reason)
