"""A process of the campaign: the good room, or one abuse, by orders on its input.

The first line says who it is and where the relay is; each further one is an order, and
each gets one line of answer. The last order is `end`.
"""

import asyncio
import gc
import json
import os
import random
import resource
import sys
import time
from typing import Any

import uvloop

from tests.chaos.abuse.abuses import ABUSES
from tests.chaos.abuse.attacks.returning import come_back_together
from tests.chaos.abuse.good_room import GoodRoom, settle
from tests.chaos.abuse.line import Target
from tests.chaos.abuse.stage import Stage
from tests.wire_client import Invite

NICE = 10  # an attacker's machine is not ours: it must not take the relay's time

BEGINNING = 180.0  # until the room is measured, though not all misbehave yet


async def run(order: dict[str, Any]) -> None:
    """Be who the order says."""
    invite = Invite(bytes.fromhex(order["invite"]), bytes.fromhex(order["secret"]))
    target = Target(order["port"], invite, tls=order["tls"])
    if order["name"] == "room":
        await be_room(GoodRoom(target, order["size"], order["seed"]))
    else:
        os.nice(NICE)
        # Not the room's: the same dice would make the same people.
        chance = random.Random(f"{order['name']} {order['seed']}")
        stage = Stage(target, order["size"], chance)
        await be_abuse(stage, order["name"])


async def be_room(room: GoodRoom) -> None:
    """Talk when told to, and say at the end what was broken."""
    await room.open()
    settle()
    say({"ready": True})
    while (order := await listen())["do"] != "end":
        figures = await room.talk(order["rate"], order["seconds"])
        say(figures.as_dict())
    say({"faults": room.faults()})
    room.close()


async def be_abuse(stage: Stage, name: str) -> None:
    """Misbehave until told to end."""
    # What breaks off in the middle is what we came for, and no news.
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    attack = come_back_together if name == "return" else ABUSES[name].attack
    task = asyncio.ensure_future(attack(stage))
    swing = asyncio.ensure_future(stage.in_swing.wait())
    await asyncio.wait(
        (task, swing), return_when=asyncio.FIRST_COMPLETED, timeout=BEGINNING
    )
    if task.done():
        await task
    gc.freeze()
    say({"ready": True})
    while (await listen())["do"] != "end":
        say(_account(stage))
    task.cancel()
    await asyncio.wait((task,))
    say(_account(stage))


def _account(stage: Stage) -> dict[str, Any]:
    return {"tally": dict(stage.tally), "cpu": time.process_time()}


async def listen() -> dict[str, Any]:
    """Wait for the next order."""
    line = await asyncio.to_thread(sys.stdin.readline)
    order: dict[str, Any] = json.loads(line or '{"do": "end"}')
    return order


def say(words: dict[str, Any]) -> None:
    """Answer an order."""
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Read who to be, and be that."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    order = json.loads(sys.stdin.readline())
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(order))


if __name__ == "__main__":
    main()
