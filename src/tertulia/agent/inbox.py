"""The one inbox of the session task: bounded, in order of arrival.

Who puts something into a full inbox waits. For a link that means it stops reading, and
then the relay stops sending; for a face, that its command is not begun yet.
"""

import asyncio
import contextlib
from collections import deque
from typing import Generic, TypeVar

M = TypeVar("M")


class Inbox(Generic[M]):
    """A queue with one taker."""

    def __init__(self, size: int) -> None:
        self._mail: deque[M] = deque()
        self._room = asyncio.Semaphore(size)
        self._news = asyncio.Event()

    async def put(self, mail: M) -> None:
        """Add something, once there is room."""
        await self._room.acquire()
        self._mail.append(mail)
        self._news.set()

    async def take(self, seconds: float) -> M | None:
        """Return the next; None if nothing came in time, or `wake` was called."""
        if not self._mail:
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._news.wait()
        if not self._mail:
            return None
        self._room.release()
        return self._mail.popleft()

    def wake(self) -> None:
        """Let the taker look around."""
        self._news.set()
