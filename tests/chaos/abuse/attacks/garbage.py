"""Bytes that are no handshake, on every layer, and handshakes that lead nowhere."""

import asyncio
from typing import Final

from tests.chaos.abuse.line import (
    BINARY,
    Line,
    connect,
    open_line,
    open_websocket,
)
from tests.chaos.abuse.stage import Stage, come_back
from tests.wire_client import Person

LAYERS: Final = 5
PAUSE: Final = 0.05  # seconds between two attempts of one attacker


async def babble(stage: Stage) -> None:
    """Send noise where TCP, TLS, HTTP, a WebSocket or a frame should be."""
    people: dict[int, Person] = {}

    async def misbehave(index: int) -> None:
        await asyncio.sleep(PAUSE)
        source = stage.place.address(index)
        noise = stage.chance.randbytes(stage.chance.randrange(1, 2000))
        stage.begun()
        match index % LAYERS:
            case 0:
                await _send_raw(stage, source, noise)
            case 1:
                await _send_raw(stage, source, b"\x16\x03\x01\x02\x00\x01" + noise)
            case 2:
                line = await open_line(stage.target, source)
                await _send(line, noise)
            case 3:
                line = await open_websocket(stage.target, source)
                await _send(line, noise)
            case _:
                line = await come_back(stage, people, index)
                line.write(BINARY, noise)
                await _send(line, b"")

    await stage.each(misbehave, swing=stage.size)


async def _send_raw(stage: Stage, source: str, noise: bytes) -> None:
    loop = asyncio.get_running_loop()
    with await connect(stage.target, source) as made:
        await loop.sock_sendall(made, noise)
        async with asyncio.timeout(2):
            await loop.sock_recv(made, 1)


async def _send(line: Line, noise: bytes) -> None:
    try:
        line.transport.write(noise)
        await asyncio.wait((line.ended,), timeout=2)
    finally:
        line.abort()


async def shake_hands(stage: Stage) -> None:
    """Do the TLS handshake, hang up, and come again, as fast as it goes."""

    async def misbehave(index: int) -> None:
        line = await open_line(stage.target, stage.place.address(index))
        line.abort()
        stage.begun()

    await stage.each(misbehave, swing=stage.size)
