"""The abuse campaign, short and without figures; `make chaos` has those."""

import asyncio
import random
from pathlib import Path

import pytest

from tertulia.relay import Settings
from tertulia.server import Endpoint
from tests.chaos.abuse.abuses import ABUSES
from tests.chaos.abuse.campaign import for_everybody
from tests.chaos.abuse.good_room import GoodRoom
from tests.chaos.abuse.line import Target
from tests.chaos.abuse.measures import counters
from tests.chaos.abuse.stage import Stage
from tests.running_relay import LOOPBACK, Running, config_for, run, running_relay

MEMBERS = 6
PATIENCE = 30.0
STORAGE = 4 * 1024 * 1024


@pytest.mark.slow
@pytest.mark.parametrize("name", ABUSES)
def test_a_room_notices_nothing_of(tmp_path: Path, name: str) -> None:
    # The rates that a relay has when nobody changes them, and little room.
    settings = Settings(account_storage=STORAGE, room_storage=STORAGE)
    config = config_for(tmp_path, relay=settings, metrics=Endpoint(LOOPBACK, 0))

    async def story() -> None:
        async with running_relay(config) as running:
            target = await for_everybody(
                Target(running.server.port, running.owner_invite)
            )
            room = GoodRoom(target, MEMBERS, seed=1)
            await room.open()
            stage = Stage(target, ABUSES[name].short, random.Random(name))
            attack = asyncio.create_task(_misbehave(stage, name))
            async with asyncio.timeout(PATIENCE):
                await stage.in_swing.wait()
            await room.talk(rate=100, seconds=0.3)
            assert not attack.done(), "the abuse did not go on"
            attack.cancel()
            await asyncio.wait((attack,))
            assert room.faults() == []
            assert await _bugs(running) == 0
            room.close()

    run(story())


async def _misbehave(stage: Stage, name: str) -> None:
    await ABUSES[name].attack(stage)


async def _bugs(running: Running) -> float:
    counted = await asyncio.to_thread(counters, running.ready.metrics)
    return counted["tertulia_bugs_total"]
