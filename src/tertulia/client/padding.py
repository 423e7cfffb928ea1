"""Sizes that say little: Padmé, after Nikitin et al., "Reducing Metadata Leakage from
Encrypted Files and Communication with PURBs" (2019).

A size is rounded up so far that its last bits are zero, the more of them the larger it
is: what an observer learns grows like log log size, at a cost of at most 12 %.
"""

from tertulia.client import limits
from tertulia.client.value_errors import PaddingError

_END = b"\x80"


def padded_size(size: int) -> int:
    """Return the size, no smaller than `size`, that hides it."""
    if size < 2:
        return size
    exponent = size.bit_length() - 1
    hidden = (1 << exponent - exponent.bit_length()) - 1
    return (size + hidden) & ~hidden


def padding_for(size: int) -> int:
    """Return how many bytes to add to content of `size` bytes."""
    return padded_size(max(size, limits.SMALLEST_CONTENT)) - size


def pad(data: bytes) -> bytes:
    """Return a blob that hides the size of `data`: a marked end, then zeros."""
    return (data + _END).ljust(padded_size(len(data) + 1), b"\0")


def unpad(padded: bytes) -> bytes:
    """Return what was padded; raise PaddingError."""
    data = padded.rstrip(b"\0")
    if not data.endswith(_END):
        raise PaddingError
    return data[:-1]
