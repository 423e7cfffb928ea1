"""One system through one case: it starts, all join, and each rate is run.

Saturation comes first: it tells which rates a system can hold, and warms it up. A rate
above 90 % of it is left out, because a queue that only grows measures nothing.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.relay.cases import Case
from bench.relay.load import Load, Outcome, Plan
from bench.relay.server import Server, on_core
from bench.relay.systems.system import Shape, System

HELD: Final = 0.9
CAPTURED: Final = 32 * 2**20  # bytes that one member got, for the system to examine
SATURATION: Final = None


class FaultError(Exception):
    """A delivery was lost, changed or out of order."""


@dataclass(frozen=True)
class Manner:
    """How to measure. `core` is the server's; none: wherever it likes."""

    seconds: float
    core: int | None


@dataclass(frozen=True)
class Row:
    """One system at one rate (in deliveries per second; none is saturation)."""

    system: str
    durability: str
    rate: int | None
    outcome: Outcome
    server_cpu: float
    resident: int

    @property
    def deliveries_per_second(self) -> float:
        """What got through."""
        return self.outcome.deliveries / self.outcome.seconds

    @property
    def messages_per_second(self) -> float:
        """What was written and got through to everybody."""
        return self.outcome.messages / self.outcome.seconds

    @property
    def cpu_per_delivery(self) -> float:
        """Seconds of the server's CPU time."""
        return self.server_cpu / self.outcome.deliveries


@contextmanager
def running(system: System, core: int | None) -> Iterator[Server]:
    """Run a system for the length of a block."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        with on_core(core):
            server = system.start(Path(folder))
        try:
            yield server
        finally:
            server.stop()


def measure(system: System, case: Case, manner: Manner) -> list[Row]:
    """Return a row for saturation and one for each rate that the system can hold."""
    with running(system, manner.core) as server:
        seats = system.gather(server, case.shape)
        load = Load(case.shape.payload, seats, system.manners)
        load.capture(len(seats) - 1, CAPTURED)
        try:
            run = _Run(system, server, load)
            run.warm_up()
            best = run.saturate(case.windows, manner.seconds)
            rows = [best]
            rows += [
                run.at(rate, Plan(manner.seconds, messages(system, case.shape, rate)))
                for rate in case.rates
                if rate < HELD * best.deliveries_per_second
            ]
            faults = system.examine(load.captured())
        finally:
            load.close()
    if faults:
        raise FaultError(f"{system.name}: {faults}")
    return rows


def messages(system: System, shape: Shape, deliveries: float) -> float:
    """Return the messages that make so many deliveries."""
    return deliveries / (shape.members - (not system.manners.echoes))


@dataclass(frozen=True)
class _Run:
    system: System
    server: Server
    load: Load

    def warm_up(self) -> None:
        self.load.run(Plan(0.5, window=2))

    def saturate(self, windows: tuple[int, ...], seconds: float) -> Row:
        runs = [self.at(SATURATION, Plan(seconds, window=window)) for window in windows]
        return max(runs, key=lambda row: row.deliveries_per_second)

    def at(self, rate: int | None, plan: Plan) -> Row:
        before = self.server.cpu()
        outcome = self.load.run(plan)
        cpu = self.server.cpu() - before
        if outcome.faults or not outcome.deliveries:
            raise FaultError(f"{self.system.name}, {plan}: {outcome.faults}")
        return Row(
            self.system.name,
            self.system.durability,
            rate,
            outcome,
            cpu,
            self.server.resident(),
        )
