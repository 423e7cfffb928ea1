"""A server under test: its process, its port, its CPU time and its memory."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.relay.load import LOOPBACK

START: Final = 60.0  # seconds; Erlang takes its time
STOP: Final = 20.0


class DidNotStartError(Exception):
    """A server that is installed did not begin to listen."""


@dataclass(frozen=True)
class Server:
    """A running server and whatever it started in turn."""

    popen: subprocess.Popen[bytes] | subprocess.Popen[str]
    port: int
    tls: bool = False
    ready_after: float = 0.0

    def cpu(self) -> float:
        """Return the CPU seconds of all its threads, user and system."""
        return sum(map(_cpu, self._processes()))

    def resident(self) -> int:
        """Return the bytes it has in memory."""
        return sum(map(_resident, self._processes()))

    def _processes(self) -> list[int]:
        found = [self.popen.pid]
        for process in found:
            found += _children(process)
        return found

    def stop(self) -> None:
        """Ask it to end, then make it."""
        for process in reversed(self._processes()):
            _signal(process, signal.SIGTERM)
        try:
            self.popen.communicate(timeout=STOP)
        except subprocess.TimeoutExpired:
            for process in reversed(self._processes()):
                _signal(process, signal.SIGKILL)
            self.popen.communicate(timeout=STOP)


def _signal(process: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)


def _children(process: int) -> list[int]:
    found = []
    for thread in Path(f"/proc/{process}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(word) for word in thread.read_text().split()]
    return found


def _cpu(process: int) -> float:
    # The clock of another process, as clock_getcpuclockid(3) names it: what
    # /proc/PID/stat has, in nanoseconds instead of hundredths.
    with contextlib.suppress(OSError):
        return time.clock_gettime((~process << 3) | 2)
    return 0.0


def _resident(process: int) -> int:
    with contextlib.suppress(OSError):
        pages = Path(f"/proc/{process}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    return 0


@contextlib.contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """Let what is started in the block run on one core only."""
    before = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def free_port() -> int:
    """Return a port that was free just now, for programs that cannot choose one."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def start(
    command: Sequence[str], port: int, folder: Path, more: Mapping[str, str] = {}
) -> Server:
    """Start a program; return once it listens; raise DidNotStartError."""
    begun = time.monotonic()
    log = folder / "log"
    with log.open("wb") as output:
        popen = subprocess.Popen(  # noqa: S603
            command,
            stdout=output,
            stderr=output,
            cwd=folder,
            env={**os.environ, **more},
        )
    server = Server(popen, port)
    while time.monotonic() < begun + START and popen.poll() is None:
        try:
            socket.create_connection((LOOPBACK, port), 1).close()
        except OSError:
            time.sleep(0.01)
        else:
            took = time.monotonic() - begun
            return Server(popen, port, ready_after=took)
    server.stop()
    raise DidNotStartError(log.read_text(errors="replace")[-2000:])
