"""What the kernel and the relay say about the relay's process."""

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.request import urlopen

MIB = 1024 * 1024
EVERY = 0.1  # seconds between two looks at the memory


def cpu_time(process: int) -> float:
    """Return the CPU seconds a process has used, of all its threads."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(process: int) -> int:
    """Return the bytes of memory a process holds."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def counters(url: str) -> dict[str, float]:
    """Return what the relay counts, from its page for Prometheus."""
    with urlopen(url, timeout=60) as page:
        lines = page.read().decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


@dataclass
class Use:
    """What a process used in a stretch of time."""

    cpu: float = 0.0
    seconds: float = 0.0
    memory: int = 0  # at most, bytes


class Watch:
    """Looks at a process during a block."""

    def __init__(self, process: int) -> None:
        self.use = Use()
        self._process = process
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        self._began, self._cpu = time.monotonic(), cpu_time(self._process)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._end.set()
        self._thread.join()
        self.use.cpu = cpu_time(self._process) - self._cpu
        self.use.seconds = time.monotonic() - self._began

    def _look(self) -> None:
        while True:
            self.use.memory = max(self.use.memory, resident(self._process))
            if self._end.wait(EVERY):
                return
