"""Bytes to values and back: the TLS presentation language as RFC 9420 uses it."""

from tertulia.codec.errors import CodecError, OversizeError, TruncatedError
from tertulia.codec.fields import (
    Codec,
    Enumerated,
    Opaque,
    Optional,
    Uint,
    Variant,
    Vector,
    uint8,
    uint16,
    uint32,
    uint64,
)
from tertulia.codec.reader import Reader
from tertulia.codec.struct import EncodedOnce, Nested, Struct
from tertulia.codec.varint import encode_opaque, encode_varint

__all__ = [
    "Codec",
    "CodecError",
    "EncodedOnce",
    "Enumerated",
    "Nested",
    "Opaque",
    "Optional",
    "OversizeError",
    "Reader",
    "Struct",
    "TruncatedError",
    "Uint",
    "Variant",
    "Vector",
    "encode_opaque",
    "encode_varint",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]
