"""What an abuse gets to work with, and what it leaves behind."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

from tests.chaos.abuse.crowd import Place
from tests.chaos.abuse.line import GONE, Line, Target, arrive
from tests.wire_client import Person

PAUSE: Final = 1.0  # seconds until who was cut off comes back


@dataclass
class Stage:
    """One abuse under way."""

    target: Target
    size: int
    chance: random.Random
    place: Place = field(default_factory=lambda: Place(20))
    tally: Counter[str] = field(default_factory=Counter)
    in_swing: asyncio.Event = field(default_factory=asyncio.Event)

    def person(self) -> Person:
        """Return somebody new."""
        return Person(self.chance.randbytes)

    async def each(
        self, misbehave: Callable[[int], Coroutine[Any, Any, None]], *, swing: int = 1
    ) -> None:
        """Let everybody misbehave again and again, until cancelled.

        The abuse is in swing once so many have begun, by `begun`.
        """

        async def go_on(index: int) -> None:
            await asyncio.sleep(self.chance.random() * PAUSE)
            while True:
                try:
                    await misbehave(index)
                except* GONE:
                    self.tally["cut off"] += 1
                    await asyncio.sleep(PAUSE * (0.5 + self.chance.random()))

        self._swing = min(swing, self.size)
        async with asyncio.TaskGroup() as group:
            for index in range(self.size):
                group.create_task(go_on(index))

    def begun(self) -> None:
        """Count one more that misbehaves."""
        self.tally["begun"] += 1
        if self.tally["begun"] >= self._swing:
            self.in_swing.set()

    _swing: int = 1


async def come_back(stage: Stage, people: dict[int, Person], index: int) -> Line:
    """Sign in as the person of an index, who is made at the first time."""
    is_new = index not in people
    person = people.setdefault(index, stage.person())
    source = stage.place.address(index)
    return await arrive(stage.target, person, source, is_new=is_new)
