"""The least a chat server in Python could do, as limit.c is the least one in C.

    python bench/relay/limit.py PORT

The protocol is that of limit.c.
"""

import asyncio
import sys
from typing import cast

import uvloop
from typing_extensions import override

LINES: dict[bytes, dict["Line", asyncio.Transport]] = {}


class Line(asyncio.Protocol):
    """A connection: four bytes for its room, then frames."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._room: dict[Line, asyncio.Transport] | None = None
        self._unread = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(b"in")

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._room is not None:
            del self._room[self]

    @override
    def data_received(self, data: bytes) -> None:
        data = self._unread + data
        if self._room is None:
            if len(data) < 4:
                self._unread = data
                return
            self._room = LINES.setdefault(data[:4], {})
            self._room[self] = self._transport
            self._transport.write(b"in")
            data = data[4:]
        whole = whole_frames(data)
        if whole:
            frames = data[:whole]
            for transport in self._room.values():
                transport.write(frames)
        self._unread = data[whole:]


def whole_frames(data: bytes) -> int:
    """Return how many bytes are frames that have arrived as a whole."""
    at = 0
    while at + 2 <= len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2])
        if end > len(data):
            break
        at = end
    return at


async def serve(port: int) -> None:
    """Serve for ever."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Line, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(sys.argv[1])))
