"""Thousands who are there, over TLS, and say nothing."""

import asyncio

from tests.chaos.abuse.crowd import gather
from tests.chaos.abuse.stage import Stage


async def hold_idle(stage: Stage) -> None:
    """Sign in as many as asked, and stay; pings are answered."""
    people = [stage.person() for _ in range(stage.size)]
    lines = await gather(stage.target, people, stage.place)
    stage.tally["held"] = len(lines)
    stage.in_swing.set()
    try:
        await asyncio.Event().wait()
    finally:
        stage.tally["lost"] = sum(line.is_lost for line in lines)
