"""Kill the relay while people write, again and again, and check what it promised.

The same seed gives the same delays, though not the same moments.
"""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

from tests.chaos.writers import Writer, check, gather_room, read_alike
from tests.running_relay import Process, invite_of, launch

WRITERS = 3
CHECK_EVERY = 20

FAST = (
    "--rate=connections=1000000/1000000",
    "--rate=frames=1000000/1000000",
    "--log-level=warning",
)


@dataclass
class Summary:
    """What a campaign found."""

    kills: int = 0
    promised: int = 0
    entries: int = 0
    broken: tuple[str, ...] = ()
    seconds: float = 0.0

    @override
    def __str__(self) -> str:
        return (
            f"kills {self.kills}, entries {self.entries}, acknowledged {self.promised}, "
            f"losses, doubles and changes {len(self.broken)}, {self.seconds:.0f} s"
        )


async def kill_campaign(
    folder: Path, kills: int, seed: int, report: Callable[[str], object]
) -> Summary:
    """Kill the relay `kills` times under full load."""
    chance = random.Random(seed)
    began = time.monotonic()
    process = launch(folder, *FAST)
    try:
        invite = invite_of(process.line["owner_invite"])
        writers = await gather_room(process.server, invite, WRITERS, chance)
        summary = Summary()
        while summary.kills < kills and not summary.broken:
            await _write_until_killed(process, writers, chance.uniform(0.02, 0.5))
            summary.kills += 1
            process = await asyncio.to_thread(launch, folder, *FAST)
            if summary.kills % CHECK_EVERY == 0 or summary.kills == kills:
                await _check(process, writers, summary)
                report(f"so far: {summary}")
    finally:
        process.kill()
    summary.seconds = time.monotonic() - began
    return summary


async def _write_until_killed(
    process: Process, writers: list[Writer], delay: float
) -> None:
    async with asyncio.TaskGroup() as group:
        for writer in writers:
            group.create_task(writer.write(process.server))
        await asyncio.sleep(delay)
        await asyncio.to_thread(process.kill)


async def _check(process: Process, writers: list[Writer], summary: Summary) -> None:
    for writer in writers:  # what was not answered is sent again
        await writer.write(process.server, 0)
    entries, _ = await read_alike(process.server, writers)
    summary.entries = len(entries)
    summary.promised = sum(len(writer.promised) for writer in writers)
    summary.broken = tuple(check(writers, entries))
