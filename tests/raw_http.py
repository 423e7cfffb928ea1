"""HTTP by hand, for tests: what no proper client would send."""

import asyncio
import contextlib
from dataclasses import dataclass

from tests.wire_client import PATIENCE, Server

UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Protocol: tertulia.v1\r\n{more}\r\n"
)


@dataclass(frozen=True)
class Reply:
    """An answer, as far as it came."""

    status: int
    headers: dict[str, str]
    body: bytes


async def exchange(server: Server, data: bytes) -> bytes:
    """Send bytes; return everything until the relay hangs up."""
    reader, writer = await asyncio.open_connection(
        server.host, server.port, ssl=server.context()
    )
    try:
        writer.write(data)
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(PATIENCE):
                return await reader.read()
        return b""
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def request(
    server: Server,
    target: str,
    *,
    method: str = "GET",
    body: bytes = b"",
    **headers: str,
) -> Reply:
    """Ask for one thing; `_` in a header's name stands for `-`."""
    fields = {"Host": f"{server.host}:{server.port}", "Connection": "close"}
    if body:
        fields["Content-Length"] = str(len(body))
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    return parse(await exchange(server, head + body))


def parse(data: bytes) -> Reply:
    """Take an answer apart."""
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines)
    lowered = {name.lower(): value for name, value in fields.items()}
    return Reply(int(first.split(" ")[1]), lowered, body)
