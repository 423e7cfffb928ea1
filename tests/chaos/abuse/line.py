"""A connection to a relay for load by the thousand: WebSocket and frames, little else.

It masks with zeros, so that a frame goes out as it is; it believes the relay's proof;
and it may come from any loopback address, as if from another machine.
"""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from typing_extensions import override

from tertulia.wire import WEBSOCKET_PATH, decode_from_relay, encode, frames
from tests.raw_http import UPGRADE
from tests.wire_client import (
    Invite,
    Person,
    RefusedError,
    authenticate,
    unverified_context,
)

PATIENCE: Final = 60.0
OPENING: Final = 10.0  # as patient as the product's client
HOST: Final = "127.0.0.1"

CONT, BINARY, CLOSE, PING, PONG = 0x0, 0x2, 0x8, 0x9, 0xA
FIN: Final = 0x80

GONE: Final = (OSError, EOFError, TimeoutError, RefusedError, ssl.SSLError)


@dataclass(frozen=True)
class Target:
    """The relay that is meant, and how to make an account there."""

    port: int
    invite: Invite
    tls: bool = True


class Line(asyncio.Protocol):
    """One connection; what comes goes to `hear`, or waits for `next`."""

    def __init__(self) -> None:
        self.transport: Any  # uvloop's has no class of its own
        self.hear: Callable[[bytes], None] = self._keep
        self.nonce = b""
        self.challenge: frames.Challenge
        self.is_lost = False
        self.received = 0
        self.pongs = 0
        self.is_sipping = False  # reads no further on its own
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._is_upgraded = False
        self._buffer = bytearray()
        self._kept: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._request = 0

    # Called by the event loop

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    @override
    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        if self.is_sipping:
            self.transport.pause_reading()
        self._buffer += data
        if not self._is_upgraded:
            head, found, rest = bytes(self._buffer).partition(b"\r\n\r\n")
            if not found:
                return
            self._is_upgraded = True
            self._keep(head)
            self._buffer = bytearray(rest)
        self._take_frames()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True
        self._writable.set()
        if not self.ended.done():
            self.ended.set_result(None)
        self._wake()

    @override
    def pause_writing(self) -> None:
        self._writable.clear()

    @override
    def resume_writing(self) -> None:
        self._writable.set()

    def _take_frames(self) -> None:
        buffer, at = self._buffer, 0
        while len(buffer) - at >= 2:
            size, start = buffer[at + 1], at + 2
            if size == 126:
                size, start = int.from_bytes(buffer[at + 2 : at + 4]), at + 4
            elif size == 127:
                size, start = int.from_bytes(buffer[at + 2 : at + 10]), at + 10
            if len(buffer) < start + size:
                break
            self._take(buffer[at] & 0xF, bytes(buffer[start : start + size]))
            at = start + size
        del buffer[:at]

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == BINARY:
            self.hear(payload)
        elif opcode == PING:
            self.write(PONG, payload)
        elif opcode == PONG:
            self.pongs += 1
        elif opcode == CLOSE:
            self.transport.close()

    def _keep(self, message: bytes) -> None:
        self._kept.append(message)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # Called by whoever has it

    def write(self, opcode: int, payload: bytes, *, fin: bool = True) -> None:
        """Send one WebSocket frame at once."""
        self.transport.write(masked(opcode, payload, fin=fin))

    def put(self, frame: Any) -> None:
        """Send a frame."""
        self.write(BINARY, encode(frame))

    async def writable(self) -> None:
        """Wait until the relay takes what was sent."""
        await self._writable.wait()
        if self.is_lost:
            raise ConnectionError

    async def message(self) -> bytes:
        """Return what came next; raise ConnectionError at the end."""
        while not self._kept:
            if self.is_lost:
                raise ConnectionError
            self._waiter = asyncio.get_running_loop().create_future()
            async with asyncio.timeout(PATIENCE):
                await self._waiter
        return self._kept.popleft()

    async def next(self) -> Any:
        """Return the next frame; raise ConnectionError, or RefusedError."""
        frame = decode_from_relay(await self.message())
        if isinstance(frame, frames.Refused | frames.Goodbye):
            raise RefusedError(frame)
        return frame

    async def ask(self, frame: Any) -> Any:
        """Send a request and return its answer, whatever else comes before it."""
        self.put(frame)
        while True:
            answer = await self.next()
            if getattr(answer, "request", 0) == frame.request:
                return answer

    def number(self) -> int:
        """Return the number for the next request."""
        self._request += 1
        return self._request

    def abort(self) -> None:
        """Be gone."""
        self.transport.abort()


def masked(opcode: int, payload: bytes, *, fin: bool = True) -> bytes:
    """Return a client's WebSocket frame, with a mask of zeros."""
    first, size = opcode | (FIN if fin else 0), len(payload)
    if size < 126:
        head = bytes((first, 0x80 | size))
    elif size < 1 << 16:
        head = bytes((first, 0x80 | 126)) + size.to_bytes(2)
    else:
        head = bytes((first, 0x80 | 127)) + size.to_bytes(8)
    return b"".join((head, bytes(4), payload))


async def connect(target: Target, source: str, *, window: int = 0) -> socket.socket:
    """Return a socket that is connected, from a loopback address of our choice.

    A `window` makes the system take no more than about that before somebody reads.
    """
    made = socket.socket()
    try:
        made.settimeout(0)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if window:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        made.bind((source, 0))
        async with asyncio.timeout(OPENING):
            await asyncio.get_running_loop().sock_connect(made, (HOST, target.port))
    except BaseException:
        made.close()
        raise
    return made


_CONTEXT: Final = unverified_context()


async def open_line(target: Target, source: str, *, window: int = 0) -> Line:
    """Connect, shake hands for TLS, and say nothing."""
    made = await connect(target, source, window=window)
    try:
        async with asyncio.timeout(OPENING):
            _, line = await asyncio.get_running_loop().create_connection(
                Line,
                sock=made,
                ssl=_CONTEXT if target.tls else None,
                server_hostname="" if target.tls else None,
            )
    except BaseException:
        made.close()
        raise
    return line


async def open_websocket(target: Target, source: str, *, window: int = 0) -> Line:
    """Connect as far as the WebSocket."""
    line = await open_line(target, source, window=window)
    try:
        where = f"{HOST}:{target.port}"
        request = UPGRADE.format(path=WEBSOCKET_PATH, host=where, more="")
        line.transport.write(request.encode())
        async with asyncio.timeout(OPENING):
            await _require_upgrade(line)
    except BaseException:
        line.abort()
        raise
    return line


async def _require_upgrade(line: Line) -> None:
    head = await line.message()
    if b" 101 " not in head:
        raise ConnectionError(head)


async def arrive(
    target: Target, person: Person, source: str, *, window: int = 0, is_new: bool = True
) -> Line:
    """Connect and prove who we are; raise RefusedError or an OSError."""
    line = await open_websocket(target, source, window=window)
    try:
        async with asyncio.timeout(OPENING):
            line.nonce = person.rng(32)
            line.put(frames.Hello((1,), line.nonce))
            line.challenge = await line.next()
            invite = target.invite if is_new else None
            line.put(authenticate(person, line.challenge, line.nonce, invite))
            await line.next()
    except BaseException:
        line.abort()
        raise
    return line
