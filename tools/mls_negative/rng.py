"""Randomness that a name determines, so that vectors come out alike every time."""

import hashlib

from tertulia.crypto import Rng


def rng_of(name: str) -> Rng:
    """Return a source of bytes that depends on `name` and on what it gave before."""
    given = 0

    def rng(size: int) -> bytes:
        nonlocal given
        given += 1
        return hashlib.shake_256(f"{name}#{given}".encode()).digest(size)

    return rng
