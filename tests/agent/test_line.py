import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from websockets.asyncio.server import ServerConnection

from tertulia.agent.blobs import BlobPatience
from tertulia.agent.line import Line, Waits
from tertulia.agent.link import Patience
from tertulia.client import (
    Connect,
    DownloadBlob,
    FrameArrived,
    Item,
    LinkClosed,
    LinkOpened,
    TransferFailed,
    UploadBlob,
)
from tertulia.wire import encode, frames
from tests.agent.other_ends import unused_address, websocket_server
from tests.agent.patience import within
from tests.running_relay import config_for, run, running_relay

WAITS = Waits(Patience(opening=5, closing=0.1), BlobPatience(answer=5, whole=5))
QUEUED = frames.Queued(1, 7)
HELLO = frames.Hello((1,), bytes(32))
DOWNLOAD = DownloadBlob(3, bytes(16), b"ticket", 1)
UPLOAD = UploadBlob(4, bytes(16), b"ticket", b"data")


class Inbox:
    """What a line posts."""

    def __init__(self) -> None:
        self.items: asyncio.Queue[Item] = asyncio.Queue()

    async def post(self, _line: Line, item: Item) -> None:
        await self.items.put(item)


async def on_a_line(
    address: str, talk: Callable[[Line, Inbox], Awaitable[None]]
) -> None:
    inbox = Inbox()
    line = Line(Connect((address,)), WAITS, inbox.post)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(line.run())
        await talk(line, inbox)
        running.cancel()
    assert inbox.items.empty()


def test_a_link_is_told_from_its_opening_to_its_end() -> None:
    heard: list[bytes | str] = []

    async def server(websocket: ServerConnection) -> None:
        heard.append(await websocket.recv())
        await websocket.send(encode(QUEUED))
        await websocket.close()

    async def talk(line: Line, inbox: Inbox) -> None:
        opened = await inbox.items.get()
        assert isinstance(opened, LinkOpened)
        assert (opened.certificate, opened.trusted) == (b"", False)
        assert opened.base.startswith("http://")
        line.transmit(HELLO)
        assert await inbox.items.get() == FrameArrived(QUEUED)
        assert await inbox.items.get() == LinkClosed("closed")
        line.transmit(HELLO)  # lost, like all that a broken link carries
        assert not line.transfer(DOWNLOAD)

    async def story() -> None:
        async with websocket_server(server) as address:
            await on_a_line(address, talk)

    asyncio.run(within(story()))
    assert heard == [encode(HELLO)]


def test_a_link_that_cannot_be_opened_is_closed() -> None:
    async def talk(_line: Line, inbox: Inbox) -> None:
        assert await inbox.items.get() == LinkClosed("unreachable")

    asyncio.run(within(on_a_line(unused_address(), talk)))


def test_a_line_that_is_told_to_end_posts_nothing_more() -> None:
    async def server(websocket: ServerConnection) -> None:
        await websocket.wait_closed()

    async def talk(_line: Line, inbox: Inbox) -> None:
        assert isinstance(await inbox.items.get(), LinkOpened)

    async def story() -> None:
        async with websocket_server(server) as address:
            await on_a_line(address, talk)

    asyncio.run(within(story()))


def test_transfers_go_beside_the_link(tmp_path: Path) -> None:
    async def talk(line: Line, inbox: Inbox) -> None:
        assert isinstance(await inbox.items.get(), LinkOpened)
        await asyncio.sleep(0)
        assert line.transfer(DOWNLOAD)
        assert await inbox.items.get() == TransferFailed(3, "ticket_invalid")
        assert line.transfer(UPLOAD)
        assert await inbox.items.get() == TransferFailed(4, "ticket_invalid")

    async def story() -> None:
        async with running_relay(config_for(tmp_path)) as relay:
            await on_a_line(relay.ready.reach.url, talk)

    run(within(story()))
