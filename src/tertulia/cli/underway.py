"""Own messages on their way to the relay, so that one can wait for them at the end.

The event that a message was stored can come before the answer that it was kept: both
come from another task. So what settled lately is remembered.
"""

import asyncio
from collections import deque
from typing import Final

from tertulia.client import AnyEvent, MessageMoved, MessageState

_SETTLED: Final = frozenset({MessageState.STORED, MessageState.FAILED})
_REMEMBERED: Final = 1_000


class Underway:
    """Messages that the relay has neither taken nor refused."""

    def __init__(self) -> None:
        self._messages: set[bytes] = set()
        self._settled: deque[bytes] = deque(maxlen=_REMEMBERED)
        self._empty = asyncio.Event()
        self._empty.set()

    def add(self, message: bytes) -> None:
        """Count a message that was given to the client."""
        if message not in self._settled:
            self._messages.add(message)
            self._empty.clear()

    def note(self, event: AnyEvent) -> None:
        """Take note of what became of a message."""
        if isinstance(event, MessageMoved) and event.state in _SETTLED:
            self._settled.append(event.message)
            self.drop(event.message)

    def drop(self, message: bytes) -> None:
        """Count a message no more."""
        self._messages.discard(message)
        if not self._messages:
            self._empty.set()

    async def all_gone(self) -> None:
        """Wait until there is none."""
        await self._empty.wait()
