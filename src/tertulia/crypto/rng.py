"""Where random bytes come from: a function that is passed in, never a global."""

import os
from collections.abc import Callable
from typing import TypeAlias

# Given a size, returns that many fresh random bytes. Tests pass a seeded one.
Rng: TypeAlias = Callable[[int], bytes]


def system_rng(size: int) -> bytes:
    """Return `size` random bytes from the operating system."""
    return os.urandom(size)
