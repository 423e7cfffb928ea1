"""What an append costs as a room's log and the number of rooms grow.

    python -m bench.relay_growth [--entries 1000000] [--rooms 100000]

The engine alone, in this process, on the disk: CPU time of all threads. `lone` is one entry
at a time, as in a quiet relay; `gathered` are 64 at once, as under load. Rooms are
chosen at random among all there are, so that nearly each is one the engine does not hold.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random  # noqa: TID251 -- the same rooms each time

import uvloop

from tertulia.relay import Enrolment, Placed, Proposal
from tertulia.server.engines import SqliteEngine
from tertulia.wire import Device, Kind, limits, new_message_key

BLOB = bytes(400)  # a padded text of a line or two
LONE, GATHERED = 300, 64
TOGETHER = 1_000  # entries or rooms at once while growing


class Store:
    """A store that grows."""

    def __init__(self, engine: SqliteEngine, seed: int) -> None:
        self._engine = engine
        self._random = Random(seed)  # noqa: S311
        self._devices: list[bytes] = []
        self.rooms: list[bytes] = []
        self.entries = 0

    async def _enrol(self) -> None:
        rng = self._random.randbytes
        device = Device(rng(16), rng(32), rng(32), rng(32))
        await self._engine.enrol(Enrolment(device, 1, None, may_create_account=True))
        self._devices.append(device.device)

    async def grow_rooms(self, count: int) -> None:
        """Make rooms until there are `count`, each by a device that may have more."""
        while len(self.rooms) < count:
            if len(self.rooms) % limits.ROOMS_PER_ACCOUNT == 0:
                await self._enrol()
            wanted = min(TOGETHER, count - len(self.rooms))
            new = [self._random.randbytes(16) for _ in range(wanted)]
            device = self._devices[-1]
            await asyncio.gather(
                *[self._engine.create_room(room, device, 1) for room in new]
            )
            self.rooms += new

    async def grow_log(self, count: int) -> None:
        """Append to the first room until it has `count` entries."""
        while self.entries < count:
            await self.append([0] * min(TOGETHER, count - self.entries))

    async def append(self, rooms: Sequence[int]) -> None:
        """Append one entry to each of these rooms."""
        now = time.time_ns() // 1_000_000
        outcomes = await self._engine.append(
            [
                Proposal(
                    self.rooms[room],
                    self._devices[room // limits.ROOMS_PER_ACCOUNT],
                    new_message_key(now, self._random.randbytes),
                    Kind.APPLICATION,
                    0,
                    BLOB,
                    now,
                    room_limit=limits.ROOM_STORAGE,
                )
                for room in rooms
            ]
        )
        if not all(isinstance(outcome, Placed) for outcome in outcomes):
            raise TypeError(outcomes)
        self.entries += rooms.count(0)

    def some(self, count: int) -> list[int]:
        """Return rooms at random."""
        return [self._random.randrange(len(self.rooms)) for _ in range(count)]


async def measure(store: Store, *, spread: bool) -> str:
    """Return microseconds of CPU per entry: lone, gathered."""
    costs = []
    for together in (1, GATHERED):
        began = time.process_time()
        for _ in range(LONE):
            await store.append(store.some(together) if spread else [0] * together)
        costs.append(1e6 * (time.process_time() - began) / (LONE * together))
    return "{:8.1f} {:10.1f}".format(*costs)


def steps(most: int) -> list[int]:
    """Return powers of ten from 100 up to `most`."""
    return [10**power for power in range(2, 10) if 10**power <= most]


async def grow(entries: int, rooms: int) -> None:
    """Print a row per size."""
    with tempfile.TemporaryDirectory() as folder:
        engine = await SqliteEngine.open(Path(folder))
        store = Store(engine, 1)
        await store.grow_rooms(1)
        print("entries in one room      lone   gathered   us of CPU per entry")
        for count in steps(entries):
            await store.grow_log(count)
            print(f"{count:19,} {await measure(store, spread=False)}", flush=True)
        print("rooms                    lone   gathered   us of CPU per entry")
        for count in steps(rooms):
            await store.grow_rooms(count)
            print(f"{count:19,} {await measure(store, spread=True)}", flush=True)
        await engine.close()


def main(arguments: list[str]) -> int:
    """Grow a store and measure on the way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--rooms", type=int, default=100_000)
    options = parser.parse_args(arguments)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(grow(options.entries, options.rooms))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
