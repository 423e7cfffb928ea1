"""What a join by link costs, and how soon all others know of it.

The others are agents with vaults, all in one process: what they do about a newcomer
they do one after the other, on one core. Each newcomer is in a process of its own, with
a profile made before, and goes offline afterwards, still a member. One more newcomer
comes through a proxy that counts bytes; its times do not count.
"""

import asyncio
import itertools
import socket
import socketserver
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from typing_extensions import override

from bench.conversation_relay import relay_at
from bench.conversation_stage import (
    Company,
    Person,
    Stage,
    enter,
    enter_room,
    found_room,
)
from bench.conversation_table import Cost, Meter, Row, cpu_seconds, row_of
from tertulia.client import AnyEvent, JoinRoom, MessageArrived, MessageKind
from tests.running_relay import LOOPBACK, Process

REST = 1.0  # seconds after a join: greetings, acknowledgements


# What the people do


@dataclass(frozen=True, slots=True)
class Joined:
    """When a join began, and what it cost."""

    began: float
    cost: Cost


async def join(stage: Stage, link: str, relay: int) -> Joined:
    """Be a newcomer."""
    (person,) = stage.people
    began, meter = time.monotonic(), Meter(relay)
    await person.agent.ask(JoinRoom(link))
    return Joined(began, meter.cost())


async def see(stage: Stage, name: str) -> list[float]:
    """Wait until each person here has seen somebody join; return when that was."""

    def is_it(event: AnyEvent) -> bool:
        return (
            isinstance(event, MessageArrived)
            and event.message.kind is MessageKind.JOINED
            and event.message.sender.name == name
        )

    async def sees(person: Person) -> float:
        async def has_seen() -> bool:
            lines = await person.agent.messages(None, limit=20, newest=True)
            return any(is_it(MessageArrived(line)) for line in lines)

        return await person.until(is_it, has_seen)

    return list(await asyncio.gather(*map(sees, stage.people)))


# A proxy that counts


@dataclass(slots=True)
class Counted:
    """Bytes that passed, TLS included."""

    port: int = 0
    up: int = 0
    down: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count_up(self, count: int) -> None:
        """Count what a newcomer sent."""
        with self.lock:
            self.up += count

    def count_down(self, count: int) -> None:
        """Count what a newcomer got."""
        with self.lock:
            self.down += count


@contextmanager
def counting_proxy(port: int) -> Iterator[Counted]:
    """Pass connections on to a port of this machine."""
    counted = Counted()

    class Handler(socketserver.BaseRequestHandler):
        @override
        def handle(self) -> None:
            near = cast("socket.socket", self.request)
            with socket.create_connection((LOOPBACK, port)) as far:
                back = threading.Thread(
                    target=_pump, args=(far, near, counted.count_down)
                )
                back.start()
                _pump(near, far, counted.count_up)
                back.join()

    with socketserver.ThreadingTCPServer((LOOPBACK, 0), Handler) as server:
        counted.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield counted
        finally:
            server.shutdown()
            thread.join()


def _pump(
    source: socket.socket, sink: socket.socket, count: Callable[[int], None]
) -> None:
    with suppress(OSError):  # the other side hung up first
        while data := source.recv(65536):
            count(len(data))
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


# The story


@dataclass(frozen=True, slots=True)
class _Round:
    """One join: what the newcomer, and what all others needed."""

    cost: Cost
    others: list[float]  # seconds from the start of the join until each had seen it
    crowd: float  # CPU seconds of all others


class Story:
    """A room that grows, and newcomers now and then."""

    def __init__(self, folder: Path, crowd: Company, relay: Process) -> None:
        self._folder = folder
        self._crowd = crowd
        self._relay = relay
        self._names = (f"person{number}" for number in itertools.count())
        self._link = ""
        self._size = 0

    def grow(self, size: int) -> None:
        """Let the crowd enter until so many are in the room."""
        if not self._link:
            name = next(self._names)
            invite = self._relay.line["owner_invite"]
            made = self._crowd.do(found_room, self._folder / name, name, invite)
            self._link, self._size = made.link, 1
        while self._size < size:
            name = next(self._names)
            self._crowd.do(enter_room, self._folder / name, name, self._link)
            self._size += 1
        time.sleep(REST)

    def measure(self, size: int, rounds: int) -> list[Row]:
        """Return the lines about a room of this size."""
        self.grow(size)
        done = [self._join(self._link) for _ in range(rounds)]
        with counting_proxy(self._relay.server.port) as counted:
            port = f":{self._relay.server.port}/"
            self._join(self._link.replace(port, f":{counted.port}/", 1))
        each = [one.crowd / self._crowd_size() for one in done]
        return [
            row_of(
                f"join into a room of {size}",
                [one.cost for one in done],
                f"{counted.up:,} bytes up, {counted.down:,} down",
            ),
            Row(
                "&nbsp; until half of the others know",
                [statistics.median(one.others) for one in done],
                each,
                note="CPU of each of the others",
            ),
            Row(
                "&nbsp; until all others know",
                [max(one.others) for one in done],
                [one.crowd for one in done],
                note="CPU of all others, on one core",
            ),
        ]

    def _crowd_size(self) -> int:
        return self._crowd.do(count)

    def _join(self, link: str) -> _Round:
        name, relay = next(self._names), self._relay.popen.pid
        with Company() as company:
            company.do(enter, self._folder / name, name)
            before = cpu_seconds(self._crowd.process)
            seeing = self._crowd.begin(see, name)
            joined = company.do(join, link, relay)
            seen = seeing()
            used = cpu_seconds(self._crowd.process) - before
            time.sleep(REST)
        self._size += 1
        return _Round(joined.cost, [at - joined.began for at in seen], used)


async def count(stage: Stage) -> int:
    """Return how many people there are."""
    return len(stage.people)


def joins(folder: Path, sizes: Sequence[int], rounds: int) -> list[Row]:
    """Return the lines of the table, from small rooms to large ones."""
    with relay_at(folder / "relay") as relay, Company() as crowd:
        story = Story(folder, crowd, relay)
        return [row for size in sorted(sizes) for row in story.measure(size, rounds)]
