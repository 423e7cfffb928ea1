"""Rows as Markdown."""

from collections.abc import Iterable, Sequence

from bench.relay.measuring import Row
from bench.relay.memory import Idle

_HEAD = (
    "| | on disk | deliveries/s | messages/s | server CPU, us per delivery | p50 ms "
    "| p99 ms | p99.9 ms | server | generator | late ms | MB |\n"
    "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
)


def calmest(rows: Sequence[Row]) -> Row:
    """Return the row of the round that the machine disturbed least.

    At saturation that is the fastest, else the one whose generator was least late.
    """
    if rows[0].rate is None:
        return max(rows, key=lambda row: row.deliveries_per_second)
    return min(rows, key=lambda row: row.outcome.lateness.percentile(0.99))


def heading(rate: int | None) -> str:
    """Return the title of a table and its head."""
    title = "saturation" if rate is None else f"{rate:,} deliveries/s, Poisson"
    return f"\n#### {title}\n\n{_HEAD}"


def line(row: Row) -> str:
    """Return one row of a table of loads."""
    outcome = row.outcome
    times = (1e3 * outcome.latency.percentile(share) for share in (0.5, 0.99, 0.999))
    late = 1e3 * outcome.lateness.percentile(0.99)
    return _cells(
        row.system,
        row.durability,
        f"{row.deliveries_per_second:,.0f}",
        f"{row.messages_per_second:,.0f}",
        f"{1e6 * row.cpu_per_delivery:.2f}",
        *(f"{time:.2f}" for time in times),
        f"{row.server_cpu / outcome.seconds:.0%}",
        f"{outcome.cpu / outcome.seconds:.0%}",
        f"{late:.2f}",
        f"{row.resident / 1e6:.0f}",
    )


def idle_heading() -> str:
    """Return the head of the table of idle systems."""
    return (
        "\n| | ready after, s | MB | connections | KiB per connection |\n"
        "|---|---:|---:|---:|---:|"
    )


def idle_line(row: Idle) -> str:
    """Return one row of the table of idle systems."""
    return _cells(
        row.system,
        f"{row.ready_after:.2f}",
        f"{row.resident / 1e6:.1f}",
        f"{row.connections:,}",
        f"{row.per_connection / 1024:.1f}",
    )


def _cells(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def rates_of(rows: Iterable[Row]) -> list[int | None]:
    """Return the rates there are rows for: rising, saturation last."""
    return sorted({row.rate for row in rows}, key=lambda rate: rate or 1e18)
