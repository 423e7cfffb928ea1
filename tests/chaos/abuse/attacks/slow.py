"""Slowness: readers of 1 KiB/s, heads and handshakes byte by byte, half-open sockets."""

import asyncio
import socket

from tertulia.wire import frames
from tests.chaos.abuse.line import Line, arrive, connect, open_line
from tests.chaos.abuse.stage import Stage, come_back
from tests.wire_client import Person

WINDOW = 4096  # bytes that the system takes before somebody reads
SIP = 16.0  # seconds between two reads, each of a TLS record, so of 16 KiB
POST = 32 * 1024  # bytes of one entry of the busy room
POSTS = 32  # a second


# Slow readers in a busy room


async def read_slowly(stage: Stage) -> None:
    """Follow a busy room and read 1 KiB a second of it."""
    writer = stage.person()
    readers = {index: stage.person() for index in range(1, stage.size)}
    async with asyncio.TaskGroup() as group:
        line = await arrive(stage.target, writer, stage.place.address(0))
        room = await _busy_room(stage, line, readers)
        group.create_task(_post(stage, line, room))

        async def crawl(index: int) -> None:
            if index:
                await _crawl(stage, room, readers[index], index)
            else:
                await asyncio.Event().wait()

        group.create_task(stage.each(crawl, swing=stage.size - 1))


async def _busy_room(stage: Stage, line: Line, readers: dict[int, Person]) -> bytes:
    room = stage.chance.randbytes(16)
    await line.ask(frames.CreateRoom(line.number(), room))
    for index, person in readers.items():
        made = await arrive(stage.target, person, stage.place.address(index))
        made.abort()
    devices = tuple(person.device for person in readers.values())
    bundle = frames.Bundle(route=devices)
    await line.ask(frames.Repair(line.number(), room, 0, bundle))
    line.hear = lambda _message: stage.tally.update(("posts answered",))
    return room


async def _post(stage: Stage, line: Line, room: bytes) -> None:
    while True:
        key = stage.chance.randbytes(16)
        line.put(frames.Append(line.number(), room, key, 0, bytes(POST)))
        await line.writable()
        await asyncio.sleep(1 / POSTS)


async def _crawl(stage: Stage, room: bytes, person: Person, index: int) -> None:
    source = stage.place.address(index)
    line = await arrive(stage.target, person, source, window=WINDOW, is_new=False)
    try:
        state = frames.FollowRoom(line.number(), room, 0)
        await line.ask(state)
        stage.begun()
        line.hear = lambda _message: None
        line.is_sipping = True
        while not line.is_lost:
            await asyncio.wait((line.ended,), timeout=SIP * 2 * stage.chance.random())
            before = line.received
            line.transport.resume_reading()
            await asyncio.wait((line.ended,), timeout=0.1)
            stage.tally["read"] += line.received - before
        raise ConnectionError
    finally:
        line.abort()


# Slowloris


async def drip(stage: Stage) -> None:
    """Send a head, or the TLS handshake, one byte a second."""

    async def misbehave(index: int) -> None:
        source = stage.place.address(index)
        if index % 2:
            await _drip_head(stage, source)
        else:
            await _drip_handshake(stage, source)

    await stage.each(misbehave, swing=stage.size)


async def _drip_head(stage: Stage, source: str) -> None:
    line = await open_line(stage.target, source)
    try:
        stage.begun()
        for byte in b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: " + bytes(99):
            line.transport.write(bytes((byte,)))
            await asyncio.sleep(1)
            await line.writable()
    finally:
        line.abort()


_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(512)


async def _drip_handshake(stage: Stage, source: str) -> None:
    loop = asyncio.get_running_loop()
    with await connect(stage.target, source) as made:
        stage.begun()
        for byte in _HELLO:
            await loop.sock_sendall(made, bytes((byte,)))
            await asyncio.sleep(1)


# Half-open sockets

_REPAIR = 19  # TCP_REPAIR: closed in this mode, a socket tells its other end nothing


async def half_open(stage: Stage) -> None:
    """Connect and fall silent: before a byte, after TLS, as a session, half closed."""
    people: dict[int, Person] = {}

    async def misbehave(index: int) -> None:
        source = stage.place.address(index)
        match index % 4:
            case 0:
                with await connect(stage.target, source) as made:
                    stage.begun()
                    await asyncio.sleep(20)
                    vanish(made)
            case 1:
                line = await open_line(stage.target, source)
                stage.begun()
                await _leave_silently(line, 20)
            case 2:
                line = await come_back(stage, people, index)
                stage.begun()
                line.write = lambda *_args, **_more: None  # type: ignore[method-assign]
                await _leave_silently(line, 60)
            case _:
                await _half_close(stage, source)
        raise ConnectionError

    await stage.each(misbehave, swing=stage.size)


async def _half_close(stage: Stage, source: str) -> None:
    with await connect(stage.target, source) as made:
        await asyncio.get_running_loop().sock_sendall(made, _HELLO[:100])
        made.shutdown(socket.SHUT_WR)
        stage.begun()
        await asyncio.sleep(20)


async def _leave_silently(line: Line, seconds: float) -> None:
    try:
        await asyncio.wait((line.ended,), timeout=seconds)
        made = line.transport.get_extra_info("socket")
        if made is not None and not line.is_lost:
            vanish(made)
    finally:
        line.abort()


def vanish(made: socket.socket) -> None:
    """Make the end of a socket silent, where the system lets us."""
    try:
        made.setsockopt(socket.IPPROTO_TCP, _REPAIR, 1)
    except OSError:  # not root: it closes like any other
        return
