"""Variable-size vector headers (RFC 9420 section 2.1.2, after RFC 9000 section 16).

The two top bits of the first byte tell how many bytes the length takes: 00 one,
01 two, 10 four. 11 is invalid, and so is a length in more bytes than it needs.
"""

from tertulia.codec.errors import OversizeError

MAX_LENGTH = (1 << 30) - 1


def encode_varint(value: int) -> bytes:
    """Return `value` (0 to 2^30 - 1) in the fewest bytes; raise OversizeError."""
    if value < 0x40:
        return value.to_bytes(1)
    if value < 0x4000:
        return (value | 0x4000).to_bytes(2)
    if value <= MAX_LENGTH:
        return (value | 0x8000_0000).to_bytes(4)
    raise OversizeError(value, MAX_LENGTH)


def encode_opaque(data: bytes) -> bytes:
    """Return `data` as `opaque<V>`: its length, then itself."""
    return encode_varint(len(data)) + data
