"""What a relay counts, and its text for Prometheus. Numbers only: nobody's name."""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Final

from msgspec.structs import asdict as to_dict

from tertulia.relay import Counts, Usage


def _counter(words: str) -> int:
    return field(default=0, metadata={"words": words})


@dataclass(slots=True)
class Metrics:
    """Counters that only rise; the event loop's own, so no lock guards them."""

    accepted: int = _counter("connections accepted")
    turned_away: int = _counter("connections refused because there were too many")
    requests: int = _counter("HTTP requests answered")
    bad_requests: int = _counter("connections that sent no valid HTTP")
    timeouts: int = _counter("connections cut off because they were silent or slow")
    frames_in: int = _counter("frames received")
    frames_out: int = _counter("frames handed to connections")
    bytes_out: int = _counter("bytes of frames handed to connections")
    writes: int = _counter("writes to connections, several frames in one")
    slow_readers: int = _counter("connections told to catch up")
    bugs: int = _counter("errors that a program without faults would not have")


_STATUS: Final = Path("/proc/self/status")


def exposition(metrics: Metrics, counts: Counts, usage: Usage) -> str:
    """Return everything in Prometheus' text format."""
    return "".join(_lines(metrics, counts, usage))


def _lines(metrics: Metrics, counts: Counts, usage: Usage) -> Iterator[str]:
    for item in fields(metrics):
        yield from _sample(
            f"tertulia_{item.name}_total",
            "counter",
            item.metadata["words"],
            getattr(metrics, item.name),
        )
    for name, value in _numbers(counts):
        yield from _sample(f"tertulia_{name}", "gauge", "now", value)
    for name, value in _numbers(usage):
        yield from _sample(f"tertulia_stored_{name}", "gauge", "stored", value)
    yield from _sample(
        "process_cpu_seconds_total", "counter", "CPU time used", time.process_time()
    )
    memory = resident_memory()
    if memory is not None:
        yield from _sample(
            "process_resident_memory_bytes", "gauge", "memory in use", memory
        )


def _numbers(value: Counts | Usage) -> Iterator[tuple[str, int]]:
    return iter(
        (asdict(value) if isinstance(value, Counts) else to_dict(value)).items()
    )


def _sample(name: str, kind: str, words: str, value: float) -> Iterator[str]:
    yield f"# HELP {name} {words}\n# TYPE {name} {kind}\n{name} {value}\n"


def resident_memory() -> int | None:
    """Return how many bytes of memory this process holds, or held at most.

    None on a system that tells neither.
    """
    if _STATUS.exists():
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    try:
        import resource  # noqa: PLC0415
    except ImportError:  # Windows has none
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
