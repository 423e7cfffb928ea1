"""A room whose members talk at a steady rate, and notice everything.

Load is open: each message has its time from a Poisson clock, and a delivery took from
that time until a member had it, however late it was sent. Who reads parses a page once
for all members, since all get the same bytes.
"""

import asyncio
import gc
import random
import struct
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from tertulia.wire import decode_from_relay, frames
from tests.chaos.abuse.crowd import Place, gather
from tests.chaos.abuse.line import Line, Target
from tests.wire_client import Person

BLOB: Final = 300  # bytes: a padded line of text
WRITERS: Final = 4
PATIENCE: Final = 30.0  # seconds until what has not come counts as lost
PLACE: Final = Place(10)
_STAMP: Final = struct.Struct(">d")


@dataclass(frozen=True)
class Figures:
    """How one stretch of talk went; times in milliseconds."""

    sent: int
    deliveries: int
    p50: float
    p99: float
    slowest: float
    seconds: float
    cpu: float  # of the room's own process, seconds

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class Page:
    """What one message brought: keys in order, and when each was due."""

    keys: tuple[bytes, ...]
    due: tuple[float, ...]


@dataclass
class Member:
    """One of the room: its connection and what it has seen."""

    line: Line
    person: Person
    seen: list[Page] = field(default_factory=list)
    count: int = 0


class GoodRoom:
    """The room, in one process and on one event loop."""

    def __init__(self, target: Target, size: int, seed: int) -> None:
        self._target = target
        self._size = size
        self._chance = random.Random(seed)
        self._members: list[Member] = []
        self._room = self._chance.randbytes(16)
        self._latencies: list[float] = []
        self._known: dict[bytes, Page] = {}
        self._sent: list[bytes] = []
        self._promised: dict[bytes, int] = {}
        self._refused: Counter[str] = Counter()
        self._news = asyncio.Event()

    async def open(self) -> None:
        """Gather the members and let each follow the room."""
        people = [Person(self._chance.randbytes) for _ in range(self._size)]
        lines = await gather(self._target, people, PLACE)
        self._members = [Member(*both) for both in zip(lines, people, strict=True)]
        founder, others = lines[0], tuple(person.device for person in people[1:])
        await founder.ask(frames.CreateRoom(founder.number(), self._room))
        route = frames.Bundle(route=others)
        await founder.ask(frames.Repair(founder.number(), self._room, 0, route))
        for member in self._members:
            line = member.line
            await line.ask(frames.FollowRoom(line.number(), self._room, 0))
            line.hear = self._ear(member)

    def close(self) -> None:
        """Leave."""
        for member in self._members:
            member.line.abort()

    # Hearing

    def _ear(self, member: Member) -> Any:
        known, latencies, clock = self._known, self._latencies, time.monotonic

        def hear(message: bytes) -> None:
            now = clock()
            page = known.get(message)
            if page is None:
                page = self._read(message)
                if page is None:
                    return
            member.seen.append(page)
            member.count += len(page.keys)
            for due in page.due:
                latencies.append(now - due)
            if member.count >= len(self._sent):
                self._news.set()

        return hear

    def _read(self, message: bytes) -> Page | None:
        match decode_from_relay(message):
            case frames.Entries(entries=entries):
                page = Page(
                    tuple(entry.key for entry in entries),
                    tuple(
                        _STAMP.unpack_from(entry.blob or b"")[0] for entry in entries
                    ),
                )
                if len(self._known) > 64:
                    del self._known[next(iter(self._known))]
                self._known[message] = page
                return page
            case frames.Accepted(request, place):
                self._promised[self._sent[request - 1]] = place
                self._news.set()
            case frames.Refused(_, code) | frames.Goodbye(code):
                self._refused[str(code)] += 1
            case _:
                pass
        return None

    # Talking

    async def talk(self, rate: float, seconds: float) -> Figures:
        """Let some talk for a while; return once everybody has everything."""
        self._latencies.clear()
        before = len(self._sent)
        began, cpu = time.monotonic(), time.process_time()
        await self._say(rate, began, began + seconds)
        await self._all_there()
        # What never came is as late as our patience allows.
        missing = (len(self._sent) - before) * self._size - len(self._latencies)
        taken = sorted([*self._latencies, *(max(0, missing) * (PATIENCE,))])
        return Figures(
            len(self._sent) - before,
            len(taken),
            1000 * percentile(taken, 0.5),
            1000 * percentile(taken, 0.99),
            1000 * taken[-1],
            time.monotonic() - began,
            time.process_time() - cpu,
        )

    async def _say(self, rate: float, due: float, end: float) -> None:
        while True:
            due += self._chance.expovariate(rate)
            if due >= end:
                return
            wait = due - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            self._append(due)

    def _append(self, due: float) -> None:
        key = self._chance.randbytes(16)
        self._sent.append(key)
        blob = _STAMP.pack(due) + bytes(BLOB - _STAMP.size)
        writers = min(WRITERS, len(self._members))
        line = self._members[len(self._sent) % writers].line
        line.put(frames.Append(len(self._sent), self._room, key, 0, blob))

    async def _all_there(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not self._is_settled():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return  # `faults` says what is missing

    def _is_settled(self) -> bool:
        count = len(self._sent)
        return len(self._promised) >= count and all(
            member.count >= count for member in self._members
        )

    # Checking

    def faults(self) -> list[str]:
        """Return every promise that was broken."""
        return list(self._faults())

    def _faults(self) -> Iterator[str]:
        lost = sum(member.line.is_lost for member in self._members)
        if lost:
            yield f"{lost} members were disconnected"
        if self._refused:
            yield f"members were refused: {dict(self._refused)}"
        missing = len(set(self._sent) - self._promised.keys())
        if missing:
            yield f"{missing} messages were not acknowledged"
        by_place = sorted(self._promised, key=self._promised.__getitem__)
        different = sum(_keys(member) != by_place for member in self._members)
        if different:
            yield f"{different} members have not each message once and in order"


def _keys(member: Member) -> list[bytes]:
    return [key for page in member.seen for key in page.keys]


def percentile(ordered: list[float], share: float) -> float:
    """Return the value below which a share of the ordered values lies."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def settle() -> None:
    """Keep the collector from stopping what measures."""
    gc.collect()
    gc.freeze()
    gc.disable()
