"""The relay of a bench: a process of `tertulia serve` without limits of rate."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tertulia.cli.relay_options import rate_key
from tertulia.wire import limits
from tests.running_relay import Process, launch

UNLIMITED = 1_000_000_000
FAST = (
    *(f"--rate={rate_key(rate.name)}={UNLIMITED}/{UNLIMITED}" for rate in limits.RATES),
    "--log-level=warning",
)


@contextmanager
def relay_at(folder: Path, port: int = 0) -> Iterator[Process]:
    """Run a relay for the length of a block."""
    process = launch(folder, *FAST, "--listen", f"127.0.0.1:{port}")
    try:
        yield process
    finally:
        try:
            process.stop()
        finally:
            process.popen.kill()  # one that did not stop must not stay
