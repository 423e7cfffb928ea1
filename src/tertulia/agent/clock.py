"""The one place of the client's shell that reads the wall clock."""

import time
from collections.abc import Callable
from typing import TypeAlias

# Returns milliseconds since 1970, UTC.
Clock: TypeAlias = Callable[[], int]


def system_clock() -> int:
    """Return the time of this machine."""
    return time.time_ns() // 1_000_000
