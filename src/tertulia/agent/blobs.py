"""The transfers of one link: blobs to and from its relay.

A transfer runs in a thread, with a socket that gives up, for as long as its size allows
and no longer. At most two run at once, the others wait; connections are used again, for
a join moves four blobs.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

from tertulia.agent.errors import TransferFailedError
from tertulia.agent.exchanges import BlobPlace, Exchanges
from tertulia.client import DownloadBlob, UploadBlob
from tertulia.wire import limits

T = TypeVar("T")

AT_ONCE: Final = 2
SLOWEST: Final = 8 * 1024  # bytes per second; what is slower is taken for dead


@dataclass(frozen=True, slots=True)
class BlobPatience:
    """How long a transfer waits, in seconds."""

    answer: float = 20
    whole: float = 60  # beside what its size takes at the slowest rate


class Blobs:
    """The transfers of one link."""

    def __init__(self, place: BlobPlace, patience: BlobPatience) -> None:
        self._place = place
        self._patience = patience
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="blob")
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._idle: list[Exchanges] = []

    async def upload(self, effect: UploadBlob) -> None:
        """Send a blob from its offset on; raise TransferFailedError."""
        await self._run(lambda exchanges: exchanges.upload(effect), len(effect.data))

    async def download(self, effect: DownloadBlob) -> bytes:
        """Return a whole blob; raise TransferFailedError."""
        if effect.size > limits.BLOB:
            raise TransferFailedError("too_large")
        return await self._run(
            lambda exchanges: exchanges.download(effect), effect.size
        )

    def close(self) -> None:
        """Let go of all connections. No transfer is waited for any more."""
        while self._idle:
            self._idle.pop().close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[Exchanges], T], size: int) -> T:
        async with self._slots:
            exchanges = self._idle.pop() if self._idle else self._new()
            try:
                async with asyncio.timeout(self._patience.whole + size / SLOWEST):
                    result = await self._in_thread(work, exchanges)
            except TimeoutError:
                raise TransferFailedError("timeout") from None
            self._idle.append(exchanges)
            return result

    async def _in_thread(
        self, work: Callable[[Exchanges], T], exchanges: Exchanges
    ) -> T:
        future = self._threads.submit(work, exchanges)
        try:
            return await asyncio.wrap_future(future)
        except BaseException:
            # The thread may still be at it: it notices, then the connection goes.
            exchanges.abort()
            future.add_done_callback(lambda _done: exchanges.close())
            raise

    def _new(self) -> Exchanges:
        return Exchanges(self._place, self._patience.answer)
