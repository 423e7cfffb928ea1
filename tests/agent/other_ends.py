"""Relays that are none: other ends of a link or a transfer, for tests."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from typing import TypeAlias

from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from tertulia.wire import SUBPROTOCOL

Handler: TypeAlias = Callable[[ServerConnection], Awaitable[None]]


@contextlib.asynccontextmanager
async def websocket_server(
    handler: Handler, subprotocol: str = SUBPROTOCOL
) -> AsyncIterator[str]:
    """Yield the address of a server that speaks WebSocket and obeys a test."""
    async with serve(
        handler,
        "127.0.0.1",
        0,
        subprotocols=[Subprotocol(subprotocol)],
        compression=None,
        ping_interval=None,
        close_timeout=0.05,
    ) as server:
        yield _address(server.sockets[0].getsockname()[1])


Talk: TypeAlias = Callable[
    [asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, None]
]


@contextlib.asynccontextmanager
async def tcp_server(talk: Talk) -> AsyncIterator[str]:
    """Yield the address of a server that talks to each connection as told."""
    tasks: list[asyncio.Task[None]] = []

    async def serve_one(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            await talk(reader, writer)
        except (OSError, EOFError):
            pass
        finally:
            writer.transport.abort()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.create_task(serve_one(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield _address(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def silent_server(first: bytes = b"") -> contextlib.AbstractAsyncContextManager[str]:
    """Yield the address of a server that says one thing at most."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while await reader.read(1024):
            pass

    return tcp_server(talk)


class HttpScript:
    """Answers requests with what a test wrote down; an empty answer hangs up."""

    def __init__(self, answers: Sequence[bytes]) -> None:
        self._answers = list(answers)
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.connections = 0

    def serving(self) -> contextlib.AbstractAsyncContextManager[str]:
        """Yield the address."""
        return tcp_server(self._serve)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        while await self._answer_one(reader, writer):
            pass

    async def _answer_one(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        pairs = (line.split(": ", 1) for line in lines[1:] if line)
        headers = {name.lower(): value for name, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.requests.append((lines[0].split(" ")[0], headers, body))
        answer = self._answers.pop(0) if self._answers else b""
        writer.write(answer)
        await writer.drain()
        return bool(answer)


def http(status: int, body: bytes = b"", **headers: str) -> bytes:
    """Return an answer of HTTP."""
    fields = {"Content-Length": str(len(body))}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status} x", *(f"{name}: {v}" for name, v in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def unused_address() -> str:
    """Return an address where nobody listens."""
    return "http://127.0.0.1:1"


def _address(port: int) -> str:
    return f"http://127.0.0.1:{port}"
