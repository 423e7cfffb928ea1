"""How fast an outbox drains, and how fast a member who was away reads on.

Outboxes are filled while the relay is down and drained once it is there again, each by
a process of its own, as after a day without network. The members who were away come
back one after the other, each in a process of its own, to all that was said.
"""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.conversation_relay import relay_at
from bench.conversation_stage import Company, Stage, enter, enter_room, found_room
from bench.conversation_table import Cost, Meter, Row, cpu_seconds, rate, row_of
from tertulia.client import AnyEvent, MessageArrived, MessageMoved, MessageState

TEXT = "This is one of many lines that somebody wrote while nobody listened."
FOUNDER = "Ana"


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much is measured."""

    rounds: int
    texts: int  # in each outbox
    writers: int  # at once
    readers: int


@dataclass(frozen=True, slots=True)
class Filled:
    """The last message of an outbox, and what one message took."""

    last: bytes
    wall: float
    own: float


@dataclass(frozen=True, slots=True)
class Drained:
    """When the first and the last message was stored, and the CPU time between."""

    began: float
    ended: float
    own: float


@dataclass(frozen=True, slots=True)
class Returned:
    """What it cost to read everything, and peaks of memory in MiB."""

    cost: Cost
    before: float
    after: float


# What the people do, each in a process


async def fill(stage: Stage, folder: Path, room: bytes, texts: int) -> Filled:
    """Say so much while there is no relay."""
    person = await stage.enter(folder)
    began, used = time.monotonic(), time.process_time()
    last = b""
    for _ in range(texts):
        last = await person.say(room, TEXT)
    wall, own = time.monotonic() - began, time.process_time() - used
    return Filled(last, wall / texts, own / texts)


async def drain(stage: Stage, folder: Path, last: bytes) -> Drained:
    """Open a profile, and wait until its outbox is empty."""
    person = await stage.enter(folder)

    def is_stored(event: AnyEvent) -> bool:
        return isinstance(event, MessageMoved) and event.state is MessageState.STORED

    async def is_drained() -> bool:
        raise RuntimeError("the beginning was missed")

    began = await person.until(is_stored, is_drained)
    used = time.process_time()
    ended = await person.until_stored(last)
    return Drained(began, ended, time.process_time() - used)


async def conclude(stage: Stage, folder: Path, room: bytes) -> bytes:
    """Say the last word; return it once the relay has it."""
    person = await stage.enter(folder)
    message = await person.say(room, "That was all.")
    await person.until_stored(message)
    return message


async def come_back(stage: Stage, folder: Path, last: bytes, relay: int) -> Returned:
    """Open a profile and read on to the last message."""
    before, meter = _peak(), Meter(relay)
    person = await stage.enter(folder)

    def is_last(event: AnyEvent) -> bool:
        return isinstance(event, MessageArrived) and event.message.message == last

    async def has_last() -> bool:
        lines = await person.agent.messages(None, limit=1, newest=True)
        return any(line.message == last for line in lines)

    await person.until(is_last, has_last)
    return Returned(meter.cost(), before, _peak())


def _peak() -> float:
    """Return the most memory this process has had, in MiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the kernel does not tell")


# The story


class Story:
    """A room whose people come and go, and a relay that does."""

    def __init__(self, folder: Path, amounts: Amounts) -> None:
        self._folder = folder
        self._amounts = amounts
        self._port = 0
        self._room = b""
        self._link = ""

    def tell(self) -> list[Row]:
        """Return the lines of the table."""
        writers = [f"writer{number}" for number in range(1, self._amounts.writers)]
        self._found(writers)
        filled: list[Filled] = []
        alone, alone_relay = [], []
        for _ in range(self._amounts.rounds):
            filled += self._fill([FOUNDER])
            (drained,), relay = self._drain([FOUNDER], filled[-1:])
            alone.append(drained)
            alone_relay.append(relay)
        readers = [f"reader{number}" for number in range(self._amounts.readers)]
        self._join(readers)
        all_writers = [FOUNDER, *writers]
        together = self._drain(all_writers, self._fill(all_writers))
        returned = self._return(readers)
        return [
            self._row_of_filling(filled),
            self._row_of_one(alone, alone_relay),
            self._row_of_all(*together),
            self._row_of_return(returned),
        ]

    def _profile(self, name: str) -> Path:
        return self._folder / name

    def _found(self, writers: Sequence[str]) -> None:
        with relay_at(self._folder / "relay") as relay:
            self._port = relay.server.port
            invite = relay.line["owner_invite"]
            with Company() as founder:
                made = founder.do(found_room, self._profile(FOUNDER), FOUNDER, invite)
            self._room, self._link = made.room, made.link
        self._join(writers)

    def _join(self, names: Sequence[str]) -> None:
        with relay_at(self._folder / "relay", self._port), Company() as company:
            company.do(enter, self._profile(FOUNDER))  # greets who comes
            for name in names:
                company.do(enter_room, self._profile(name), name, self._link)

    def _fill(self, names: Sequence[str]) -> list[Filled]:
        filled = []
        for name in names:
            with Company() as company:
                texts = self._amounts.texts
                filled.append(company.do(fill, self._profile(name), self._room, texts))
        return filled

    def _drain(
        self, names: Sequence[str], filled: Sequence[Filled]
    ) -> tuple[list[Drained], float]:
        """Return what each took, and the CPU time of the relay."""
        with ExitStack() as stack:
            companies = [stack.enter_context(Company()) for _ in names]
            relay = stack.enter_context(
                relay_at(self._folder / "relay", self._port)
            ).popen.pid
            before = cpu_seconds(relay)
            drained = [
                company.begin(drain, self._profile(name), one.last)
                for company, name, one in zip(companies, names, filled, strict=True)
            ]
            return [result() for result in drained], cpu_seconds(relay) - before

    def _return(self, readers: Sequence[str]) -> list[Returned]:
        returned = []
        with relay_at(self._folder / "relay", self._port) as relay:
            with Company() as company:
                last = company.do(conclude, self._profile(FOUNDER), self._room)
            for name in readers:
                with Company() as company:
                    profile = self._profile(name)
                    returned.append(
                        company.do(come_back, profile, last, relay.popen.pid)
                    )
        return returned

    # The lines

    def _row_of_filling(self, filled: Sequence[Filled]) -> Row:
        walls = [one.wall for one in filled]
        return Row(
            "text kept while offline",
            walls,
            [one.own for one in filled],
            note=f"{rate(walls, 'texts')}, {self._amounts.texts} of them",
        )

    def _row_of_one(self, drained: Sequence[Drained], relay: Sequence[float]) -> Row:
        texts = self._amounts.texts
        walls = [(one.ended - one.began) / texts for one in drained]
        return Row(
            f"text of an outbox of {texts:,}",
            walls,
            [one.own / texts for one in drained],
            [used / texts for used in relay],
            rate(walls, "texts"),
        )

    def _row_of_all(self, drained: Sequence[Drained], relay: float) -> Row:
        texts = self._amounts.texts * len(drained)
        began = min(one.began for one in drained)
        wall = (max(one.ended for one in drained) - began) / texts
        return Row(
            f"text of {len(drained)} such at once, in one room",
            [wall],
            [sum(one.own for one in drained) / texts],
            [relay / texts],
            f"{rate([wall], 'texts')} in all; CPU of all writers",
        )

    def _row_of_return(self, returned: Sequence[Returned]) -> Row:
        texts = self._amounts.texts * self._amounts.writers
        costs = [one.cost.each(texts) for one in returned]
        before = max(one.before for one in returned)
        after = max(one.after for one in returned)
        return row_of(
            f"text of {texts:,} while away",
            costs,
            f"{rate([cost.wall for cost in costs], 'texts')}, from opening the vault; "
            f"memory at most {after:.0f} MiB, {before:.0f} before",
        )


def rates(folder: Path, amounts: Amounts) -> list[Row]:
    """Return the lines of the table."""
    return Story(folder, amounts).tell()
