"""What a bench of the conversation saw, as rows of one Markdown table.

All times are in milliseconds. A cell holds median / 95th percentile of what several
rounds took; of a few rounds the second is simply the slowest.
"""

import math
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from typing_extensions import override

HEAD = "| | rounds | wall | CPU, own | CPU, relay | |\n|---|---:|---:|---:|---:|---|"


def cpu_seconds(process: int) -> float:
    """Return the CPU time a process has used, all its threads, user and system.

    The kernel has a clock for each process; /proc counts in hundredths of a second.
    """
    return time.clock_gettime((~process << 3) | 2)


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds that something took: by the wall, here, and at the relay."""

    wall: float
    own: float
    relay: float

    def each(self, count: int) -> Self:
        """Return the share of one of `count`."""
        return type(self)(self.wall / count, self.own / count, self.relay / count)


class Meter:
    """Measures from now on what this process and the relay's use."""

    def __init__(self, relay: int) -> None:
        self._relay = relay
        self._began = self._now()

    def cost(self) -> Cost:
        """Return what was used until now."""
        now, began = self._now(), self._began
        return Cost(now.wall - began.wall, now.own - began.own, now.relay - began.relay)

    def _now(self) -> Cost:
        return Cost(time.monotonic(), time.process_time(), cpu_seconds(self._relay))


@dataclass(frozen=True, slots=True)
class Row:
    """One line. CPU times may be a mean of all rounds, which is one number then."""

    what: str
    wall: Sequence[float]
    own: Sequence[float] = ()
    relay: Sequence[float] = ()
    note: str = ""

    @override
    def __str__(self) -> str:
        cells = (_cell(self.wall), _cell(self.own), _cell(self.relay), self.note)
        return f"| {self.what} | {len(self.wall)} | {' | '.join(cells)} |"


def row_of(what: str, costs: Sequence[Cost], note: str = "") -> Row:
    """Return the line of what several rounds cost."""
    return Row(
        what,
        [cost.wall for cost in costs],
        [cost.own for cost in costs],
        [cost.relay for cost in costs if cost.relay],
        note,
    )


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of a table."""
    yield HEAD
    yield from map(str, rows)


def rate(seconds: Sequence[float], what: str) -> str:
    """Say how many there are in a second if each takes so long."""
    return f"{1 / statistics.median(seconds):,.0f} {what}/s"


def ratio(ours: Sequence[float], limit: Sequence[float]) -> str:
    """Say how many times as long ours takes."""
    return f"{statistics.median(ours) / statistics.median(limit):.1f}x the limit"


def _cell(seconds: Sequence[float]) -> str:
    if not seconds:
        return "-"
    median = _milliseconds(statistics.median(seconds))
    if len(seconds) == 1:
        return median
    return f"{median} / {_milliseconds(_percentile(seconds, 95))}"


def _percentile(values: Sequence[float], percent: int) -> float:
    """Return the least value that so many percent of all do not exceed."""
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


def _milliseconds(seconds: float) -> str:
    digits = 2 if seconds < 0.1 else 0
    return f"{1000 * seconds:,.{digits}f}"
