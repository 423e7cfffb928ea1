"""From Enter in one process to the other one's screen, and where the time goes.

Two agents with vaults, a relay between them. Each process notes when a text passed
which point. One text at a time, as people type; the first few warm up and do not count.
The limit is measured before and after, for a shared disk has its moods.
"""

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest import mock

from bench.conversation_limit import Limit, limit
from bench.conversation_relay import relay_at
from bench.conversation_stage import Company, Stage, enter_room, found_room
from bench.conversation_table import Row, cpu_seconds, ratio
from tertulia.agent import Surroundings
from tertulia.agent.link import Link
from tertulia.client import (
    AnyEvent,
    Asked,
    Effect,
    FrameArrived,
    Item,
    MessageArrived,
    SendText,
    Session,
    step,
)
from tertulia.vault import Vault
from tertulia.wire import frames

WARM_UP = 20
PAUSE = 0.02  # seconds until everybody has come to rest

# A text passes these points, in this order; the line says what ended there.
POINTS = {
    "entered": "",
    "taken": "to the writer's task",
    "encrypted": "rules, encryption",
    "saved": "writer's vault",
    "put": "to the link",
    "received": "network and relay",
    "taken there": "to the reader's task",
    "decrypted": "rules, decryption",
    "saved there": "reader's vault",
    "shown": "to the screen",
}


class Probe:
    """Notes when the text under way passed which point of this process."""

    def __init__(self) -> None:
        self.passed: dict[str, float] = {}
        self._saved_next = ""

    def note(self, point: str) -> None:
        """The text is at a point; only the first time counts."""
        self.passed.setdefault(point, time.monotonic())

    def step(
        self, session: Session, item: Item, now: int
    ) -> tuple[Session, Sequence[Effect]]:
        """Take a step of the rules, and note it if it is about the text."""
        match item:
            case Asked(command=SendText()):
                points = ("taken", "encrypted", "saved")
            case FrameArrived(frame=frames.Entries()):
                points = ("taken there", "decrypted", "saved there")
            case _:
                self._saved_next = ""
                return step(session, item, now)
        begun, computed, self._saved_next = points
        self.note(begun)
        result = step(session, item, now)
        self.note(computed)
        return result

    def watch(self, stage: Stage) -> None:
        """Note what passes the rules, the vault and the link of this process."""
        stage.around = Surroundings(step=self.step)
        save, put, receive = Vault.save, Link.put, Link.receive

        def saved(vault: Vault, changes: Any) -> None:
            save(vault, changes)
            if self._saved_next:
                self.note(self._saved_next)

        def put_noted(link: Link, frame: frames.FromClient) -> None:
            if isinstance(frame, frames.Append):
                self.note("put")
            put(link, frame)

        async def receive_noted(link: Link) -> frames.FromRelay:
            frame = await receive(link)
            if isinstance(frame, frames.Entries):
                self.note("received")
            return frame

        for patch in (
            mock.patch.object(Vault, "save", saved),
            mock.patch.object(Link, "put", put_noted),
            mock.patch.object(Link, "receive", receive_noted),
        ):
            stage.stack.enter_context(patch)


PROBE = Probe()


async def watch(stage: Stage) -> None:
    """Have the probe of this process note what happens from now on."""
    PROBE.watch(stage)


async def write(stage: Stage, room: bytes, rounds: int) -> list[dict[str, float]]:
    """Write one text after the other; return when each passed what."""
    (writer,) = stage.people
    all_passed = []
    for number in range(rounds):
        PROBE.passed = {}
        PROBE.note("entered")
        await writer.until_stored(await writer.say(room, _text(number)))
        await asyncio.sleep(PAUSE)
        all_passed.append(PROBE.passed)
    return all_passed


async def read(stage: Stage, rounds: int) -> list[dict[str, float]]:
    """Read as many texts; return when each passed what."""
    (reader,) = stage.people
    all_passed = []
    for number in range(rounds):
        await reader.until(partial(_shows, _text(number)), _is_lost)
        PROBE.note("shown")
        all_passed.append(PROBE.passed)
        PROBE.passed = {}
    return all_passed


def _text(number: int) -> str:
    return f"This is line {number} of a conversation."


def _shows(text: str, event: AnyEvent) -> bool:
    if isinstance(event, MessageArrived) and event.message.text == text:
        return True
    if isinstance(event, MessageArrived):
        PROBE.passed = {}  # a notice: it has passed what the text will
    return False


async def _is_lost() -> bool:
    raise RuntimeError("the reader missed a text")


def latency(folder: Path, rounds: int) -> list[Row]:
    """Return the lines of the table: the limit, the whole way, its parts."""
    count = rounds + WARM_UP
    with relay_at(folder / "relay") as relay, Company() as there, Company() as here:
        here.do(watch)
        there.do(watch)
        made = here.do(found_room, folder / "ana", "Ana", relay.line["owner_invite"])
        there.do(enter_room, folder / "luis", "Luis", made.link)
        time.sleep(1)  # until the greeting is over
        least = [limit(folder, rounds // 2)]
        processes = (here.process, there.process, relay.popen.pid)
        before = [cpu_seconds(process) for process in processes]
        reading = there.begin(read, count)
        written = here.do(write, made.room, count)
        received = reading()
        after = [cpu_seconds(process) for process in processes]
        least.append(limit(folder, rounds - rounds // 2))
    ways = [a | b for a, b in zip(written, received, strict=True)][WARM_UP:]
    used = [(b - a) / count for a, b in zip(before, after, strict=True)]
    return _rows(least, ways, (sum(used[:2]), used[2]))


def _rows(
    least: list[Limit], ways: list[dict[str, float]], used: tuple[float, float]
) -> list[Row]:
    whole = [way["shown"] - way["entered"] for way in ways]
    limits = [seconds for half in least for seconds in half.whole]
    own, relay = used
    rows = [
        Row("sync of 4 KiB", [seconds for half in least for seconds in half.sync]),
        Row("limit: three syncs, two hops of TLS", limits),
        Row(
            "Enter to other screen",
            whole,
            [own],
            [relay],
            f"{ratio(whole, limits)}; CPU of both sides, with all acknowledgements",
        ),
    ]
    for before, point in pairwise(POINTS):
        times = [way[point] - way[before] for way in ways]
        rows.append(Row(f"&nbsp; {POINTS[point]}", times))
    return rows
