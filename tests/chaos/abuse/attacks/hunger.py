"""Wanting too much: a long log by many at once, and more than the rates and quotas."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from tertulia.wire import decode_from_relay, frames
from tests.chaos.abuse.line import Line
from tests.chaos.abuse.stage import Stage, come_back
from tests.wire_client import Person, RefusedError

LOG: Final = 50_000  # entries
SHORT_LOG: Final = 500
BLOB: Final = 256
SHARE: Final = 2_000  # entries of one writer: the burst that a device has
UNDER_WAY: Final = 64


# Long logs


async def catch_up(stage: Stage) -> None:
    """Read a long log from its beginning, page by page, again and again."""

    async def read(stage: Stage, line: Line, room: bytes) -> None:
        after, more = 0, True
        while more:
            page = await line.ask(frames.FetchEntries(line.number(), room, after))
            after, more = page.entries[-1].place, page.more
            stage.tally["pages"] += 1
        stage.tally["whole logs"] += 1

    await _read_all(stage, read)


async def fetch_greedily(stage: Stage) -> None:
    """Ask for many pages at once and read none of them."""

    async def read(stage: Stage, line: Line, room: bytes) -> None:
        line.transport.pause_reading()
        for _ in range(UNDER_WAY):
            line.put(frames.FetchEntries(line.number(), room, 0))
        stage.tally["pages asked for"] += UNDER_WAY
        await asyncio.Event().wait()

    await _read_all(stage, read)


async def _read_all(stage: Stage, read: Callable[[Stage, Line, bytes], Any]) -> None:
    people: dict[int, Person] = {}
    length = LOG if stage.size > 50 else SHORT_LOG
    room, lines = await _fill(stage, people, length)

    async def misbehave(index: int) -> None:
        line = lines.pop(index, None) or await come_back(stage, people, index)
        stage.begun()
        try:
            while True:
                await read(stage, line, room)
        finally:
            line.abort()

    await stage.each(misbehave, swing=stage.size)


async def _fill(
    stage: Stage, people: dict[int, Person], length: int
) -> tuple[bytes, dict[int, Line]]:
    """Let everybody into a room, and some write until the log is long."""
    lines = {
        index: await come_back(stage, people, index) for index in range(stage.size)
    }
    room = stage.chance.randbytes(16)
    host = lines[0]
    await host.ask(frames.CreateRoom(host.number(), room))
    bundle = frames.Bundle(
        route=tuple(people[index].device for index in range(1, stage.size))
    )
    await host.ask(frames.Repair(host.number(), room, 0, bundle))
    writers = -(-length // SHARE)
    async with asyncio.TaskGroup() as group:
        for index in range(writers):
            write = _write(stage, lines[index], room, length // writers)
            group.create_task(write)
    return room, lines


async def _write(stage: Stage, line: Line, room: bytes, count: int) -> None:
    for begun in range(0, count, UNDER_WAY):
        several = min(UNDER_WAY, count - begun)
        for _ in range(several):
            key = stage.chance.randbytes(16)
            line.put(frames.Append(line.number(), room, key, 0, bytes(BLOB)))
        for _ in range(several):
            await line.next()


# Rates and quotas


async def want_too_much(stage: Stage) -> None:
    """Ask for more than is granted: frames, rooms, uploads, handshakes, storage."""
    people: dict[int, Person] = {}

    async def misbehave(index: int) -> None:
        line = await come_back(stage, people, index)
        try:
            room = stage.chance.randbytes(16)
            await line.ask(frames.CreateRoom(line.number(), room))
            stage.begun()
            wish = WISHES[index % len(WISHES)]
            while True:
                await _ask_together(stage, line, [wish(stage, line, room)] * UNDER_WAY)
        finally:
            line.abort()

    await stage.each(misbehave, swing=stage.size)


async def _ask_together(stage: Stage, line: Line, wanted: Sequence[Any]) -> None:
    for frame in wanted:
        line.put(frame)
    for _ in wanted:
        answer = decode_from_relay(await line.message())
        match answer:
            case frames.Goodbye():
                raise RefusedError(answer)
            case frames.Refused(_, code):
                stage.tally[str(code)] += 1
            case _:
                stage.tally["granted"] += 1


def _append(stage: Stage, line: Line, room: bytes) -> Any:
    key = stage.chance.randbytes(16)
    return frames.Append(line.number(), room, key, 0, bytes(16 * 1024))


def _list(_stage: Stage, line: Line, _room: bytes) -> Any:
    return frames.ListRooms(line.number())


def _upload(_stage: Stage, line: Line, room: bytes) -> Any:
    return frames.BeginUpload(line.number(), room, 100_000, bytes(32))


def _commit(stage: Stage, line: Line, room: bytes) -> Any:
    key = stage.chance.randbytes(16)
    return frames.Commit(line.number(), room, key, 0, b"no commit", frames.Bundle())


def _create(stage: Stage, line: Line, _room: bytes) -> Any:
    return frames.CreateRoom(line.number(), stage.chance.randbytes(16))


def _claim(_stage: Stage, line: Line, _room: bytes) -> Any:
    return frames.ClaimKeyPackages(line.number(), bytes(32))


WISHES: Final = (_append, _list, _upload, _commit, _create, _claim)
