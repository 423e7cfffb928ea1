"""Everybody is thrown out at once, and comes back as the product's client does."""

import asyncio
import time

from tertulia.client.connecting import backoff, not_all_at_once
from tertulia.wire import ErrorCode, decode_from_relay, frames
from tests.chaos.abuse.crowd import gather
from tests.chaos.abuse.line import GONE, Line, arrive
from tests.chaos.abuse.stage import Stage
from tests.wire_client import Person, RefusedError


async def come_back_together(stage: Stage) -> None:
    """Sign in as many as asked; whoever is thrown out comes back, with patience."""
    people = [stage.person() for _ in range(stage.size)]
    lines = await gather(stage.target, people, stage.place)
    waits = [_Wait(line) for line in lines]
    stage.tally["there"] = len(lines)
    stage.in_swing.set()
    async with asyncio.TaskGroup() as group:
        for index, (person, wait) in enumerate(zip(people, waits, strict=True)):
            group.create_task(_stay(stage, person, index, wait))


class _Wait:
    """When a person may come back, by the relay's last words."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.at_least = 0
        line.hear = self._hear

    def _hear(self, message: bytes) -> None:
        frame = decode_from_relay(message)
        if isinstance(frame, frames.Goodbye):
            self.at_least = frame.facts.retry_after or 0


async def _stay(stage: Stage, person: Person, index: int, wait: _Wait) -> None:
    await wait.line.ended
    began, failures, at_least = time.monotonic(), 1, wait.at_least
    stage.tally["there"] -= 1
    while True:
        pause = max(
            not_all_at_once(at_least, person.rng), backoff(failures, person.rng)
        )
        await asyncio.sleep(pause / 1000)
        try:
            await arrive(stage.target, person, stage.place.address(index), is_new=False)
        except RefusedError as error:
            stage.tally[f"refused: {error.code}"] += 1
            failures, at_least = failures + 1, error.facts.retry_after or 0
            if error.code is ErrorCode.CLONED:
                person.counter += 1
        except GONE:
            stage.tally["attempts that failed"] += 1
            failures, at_least = failures + 1, 0
        else:
            took = 1000 * (time.monotonic() - began)
            stage.tally["there"] += 1
            stage.tally["back after at most ms"] = max(
                int(took), stage.tally["back after at most ms"]
            )
            return
