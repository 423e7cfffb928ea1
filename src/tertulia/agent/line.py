"""One `Connect` of a session, from its opening to its end: a link and its transfers.

What happens on it is posted as items of the session. A line that was told to end posts
nothing any more, so a session never hears of a link it has given up.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from tertulia.agent.blobs import BlobPatience, Blobs
from tertulia.agent.errors import LinkFailedError, TransferFailedError
from tertulia.agent.exchanges import BlobPlace
from tertulia.agent.link import LOGGER, Link, Patience, open_link
from tertulia.client import (
    Connect,
    DownloadBlob,
    Downloaded,
    FrameArrived,
    Item,
    LinkClosed,
    LinkOpened,
    TransferFailed,
    UploadBlob,
    Uploaded,
)
from tertulia.wire import frames

# Hands an item to the session; waits while the session has enough to do.
Post: TypeAlias = Callable[["Line", Item], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Waits:
    """How long a line waits for the network."""

    link: Patience = field(default_factory=Patience)
    blobs: BlobPatience = field(default_factory=BlobPatience)


class Line:
    """A link being opened, open, or gone."""

    def __init__(self, wish: Connect, waits: Waits, post: Post) -> None:
        self._wish = wish
        self._waits = waits
        self._post = post
        self._link: Link | None = None
        self._blobs: Blobs | None = None
        self._group: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Open the link, and post what happens on it until it ends."""
        try:
            async with open_link(
                self._wish.addresses, self._waits.link, trusted=self._wish.trusted
            ) as link:
                reason = await self._serve(link)
        except LinkFailedError as error:
            reason = error.reason
        except Exception:  # noqa: BLE001 -- one relay must not stop the others
            LOGGER.exception("link")
            reason = "bug"
        await self._post(self, LinkClosed(reason))

    def transmit(self, frame: frames.FromClient) -> None:
        """Send a frame; on a line without a link it is lost, as on a broken one."""
        if self._link is not None:
            self._link.put(frame)

    def transfer(self, effect: UploadBlob | DownloadBlob) -> bool:
        """Begin to move a blob; False if there is no link to move it beside."""
        if self._group is None or self._blobs is None:
            return False
        _task = self._group.create_task(self._move(self._blobs, effect))
        return True

    async def _serve(self, link: Link) -> str:
        """Post what happens on the link; return why it ended."""
        place = BlobPlace(link.address, link.certificate, self._wish.trusted)
        self._blobs = Blobs(place, self._waits.blobs)
        self._link = link
        try:
            opened = LinkOpened(link.certificate, self._wish.trusted, link.address.base)
            await self._post(self, opened)
            return await self._carry(link)
        finally:
            self._link = None
            self._blobs.close()

    async def _carry(self, link: Link) -> str:
        async with asyncio.TaskGroup() as parent:
            work = parent.create_task(self._work(link))
            reason = await self._read(link)
            work.cancel()
        return reason

    async def _work(self, link: Link) -> None:
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                await link.write()
            finally:
                self._group = None

    async def _read(self, link: Link) -> str:
        try:
            while True:
                await self._post(self, FrameArrived(await link.receive()))
        except LinkFailedError as error:
            return error.reason

    async def _move(self, blobs: Blobs, effect: UploadBlob | DownloadBlob) -> None:
        item: Item
        try:
            match effect:
                case UploadBlob():
                    await blobs.upload(effect)
                    item = Uploaded(effect.transfer)
                case DownloadBlob():
                    data = await blobs.download(effect)
                    item = Downloaded(effect.transfer, data)
        except TransferFailedError as error:
            item = TransferFailed(effect.transfer, error.reason)
        await self._post(self, item)
