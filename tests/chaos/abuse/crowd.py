"""Many people from many addresses, within the rates that a relay has by default."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tests.chaos.abuse.line import Line, Target, arrive
from tests.wire_client import Person

# An address may open 60 connections at once, and make 50 accounts.
PER_ADDRESS: Final = 50
AT_ONCE: Final = 32


@dataclass
class Place:
    """Addresses that belong to one party: 127.NUMBER.x.y."""

    number: int

    def address(self, index: int) -> str:
        """Return where the person of this index is."""
        house = index // PER_ADDRESS
        return f"127.{self.number}.{house // 250}.{1 + house % 250}"


async def gather(
    target: Target, people: Sequence[Person], place: Place, *, window: int = 0
) -> list[Line]:
    """Let everybody make an account, and stay."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def come(index: int) -> Line:
        async with gate:
            source = place.address(index)
            return await arrive(target, people[index], source, window=window)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(come(index)) for index in range(len(people))]
    return [task.result() for task in tasks]
