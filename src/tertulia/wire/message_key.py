"""How a sender names an entry: a UUID of version 7 (RFC 9562, section 5.7).

    key = 48 bits of time (ms) || version 7 || 12 random bits || variant 10 || 62 random bits

Any 16 bytes are a valid key. The time in front lets a relay's index over keys grow at its
end; keys in no order would touch a page of their own each. It tells the relay when an
entry was written, which differs from when it is sent if its sender was offline.
"""

from typing import Final

from tertulia.crypto import Rng

_TIME_BITS: Final = 48
_VERSION: Final = 0x7 << 76
_VARIANT: Final = 0x2 << 62
_VERSION_AND_VARIANT: Final = 0xF << 76 | 0x3 << 62


def new_message_key(now: int, rng: Rng) -> bytes:
    """Return a key that nobody else chooses, at `now` milliseconds since 1970."""
    time = (now & (1 << _TIME_BITS) - 1) << 80
    random = int.from_bytes(rng(10)) & ~_VERSION_AND_VARIANT
    return (time | _VERSION | _VARIANT | random).to_bytes(16)
