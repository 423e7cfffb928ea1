"""Frames nobody sends in earnest: huge, tiny, endless, empty; pings without end."""

import asyncio
from dataclasses import dataclass
from typing import Final

import msgspec

from tertulia.wire import encode, frames, limits
from tests.chaos.abuse.line import BINARY, CONT, PATIENCE, PING, Line, masked
from tests.chaos.abuse.stage import Stage, come_back
from tests.wire_client import Person

BATCH: Final = 32 * 1024  # bytes written at once


async def send_huge(stage: Stage) -> None:
    """Send frames at the limit as fast as they are taken, and some above it."""
    people: dict[int, Person] = {}

    async def misbehave(index: int) -> None:
        line = await come_back(stage, people, index)
        try:
            room = stage.chance.randbytes(16)
            await line.ask(frames.CreateRoom(line.number(), room))
            line.hear = lambda _message: stage.tally.update(("answered",))
            stage.begun()
            while True:
                for _ in range(20):
                    key = stage.chance.randbytes(16)
                    blob = bytes(limits.ENTRY_BLOB)
                    line.put(frames.Append(line.number(), room, key, 0, blob))
                    await line.writable()
                    stage.tally["at the limit"] += 1
                if index % 2:
                    line.write(BINARY, bytes(limits.FRAME + 1))
                    stage.tally["above it"] += 1
                    await _until_gone(line)
        finally:
            line.abort()

    await stage.each(misbehave, swing=stage.size)


@dataclass(frozen=True)
class Flood:
    """What a connection sends: something once, then the same again and again."""

    again: bytes
    name: str
    count: int  # of what is counted, in `again`
    once: bytes = b""


async def send_fragments(stage: Stage) -> None:
    """Send messages byte by byte, and one that never ends, of empty parts."""
    signal = encode(frames.Signal(1, bytes(16), bytes(limits.SIGNAL)))
    parts = [signal[at : at + 1] for at in range(len(signal))]
    whole = masked(BINARY, parts[0], fin=False)
    whole += b"".join(masked(CONT, part, fin=False) for part in parts[1:])
    whole += masked(CONT, b"")
    empty = masked(CONT, b"", fin=False)
    endless = masked(BINARY, b"\x93", fin=False)
    await _pour(
        stage,
        Flood(whole, "fragments of a byte", len(parts)),
        Flood(empty * (BATCH // 6), "empty fragments", BATCH // 6, endless),
    )


async def send_tiny(stage: Stage) -> None:
    """Send small messages that mean nothing, thousands in one packet."""
    unknown = masked(BINARY, msgspec.msgpack.encode(["?", 1]))
    count = BATCH // len(unknown)
    await _pour(stage, Flood(unknown * count, "frames", count))


async def flood_pings(stage: Stage) -> None:
    """Send pings without end, and read the pongs."""
    ping = masked(PING, b"")
    count = BATCH // len(ping)
    await _pour(stage, Flood(ping * count, "pings", count))


async def _pour(stage: Stage, *floods: Flood) -> None:
    people: dict[int, Person] = {}

    async def misbehave(index: int) -> None:
        flood = floods[index % len(floods)]
        line = await come_back(stage, people, index)
        line.hear = lambda _message: stage.tally.update(("answers",))
        try:
            line.transport.write(flood.once)
            stage.begun()
            while True:
                line.transport.write(flood.again)
                stage.tally[flood.name] += flood.count
                await line.writable()
                await asyncio.sleep(0)
        finally:
            line.abort()

    # The first may keep the others out.
    await stage.each(misbehave)


async def _until_gone(line: Line) -> None:
    await asyncio.wait((line.ended,), timeout=PATIENCE)
    raise ConnectionError
