"""Codecs of single fields: integers, byte strings, vectors, optionals, variants.

Each reads what it writes and nothing else: there is one encoding per value, so
decoding and encoding again gives the same bytes. Every variable length carries the
limit its field allows, in bytes.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any, Generic, TypeVar

from typing_extensions import override

from tertulia.codec.errors import CodecError, OversizeError
from tertulia.codec.reader import Reader
from tertulia.codec.varint import encode_varint

T = TypeVar("T")
E = TypeVar("E", bound=IntEnum)


class Codec(ABC, Generic[T]):
    """How one type of value is written and read."""

    __slots__ = ()

    @abstractmethod
    def write(self, value: T, out: bytearray) -> None:
        """Append the encoding of `value` to `out`; raise OversizeError."""

    @abstractmethod
    def read(self, source: Reader) -> T:
        """Read one value; raise CodecError."""

    def encode(self, value: T) -> bytes:
        """Return the encoding of `value`."""
        out = bytearray()
        self.write(value, out)
        return bytes(out)

    def decode(self, data: bytes) -> T:
        """Return the value that `data`, all of it, encodes; raise CodecError."""
        source = Reader(data)
        value = self.read(source)
        source.finish()
        return value


class Uint(Codec[int]):
    """An unsigned integer of a fixed number of bytes, most significant first."""

    __slots__ = ("size",)

    def __init__(self, size: int) -> None:
        self.size = size

    @override
    def write(self, value: int, out: bytearray) -> None:
        """Append `value`; raise OversizeError if it does not fit."""
        if not 0 <= value < 1 << (8 * self.size):
            raise OversizeError((value.bit_length() + 7) // 8, self.size)
        out += value.to_bytes(self.size)

    @override
    def read(self, source: Reader) -> int:
        """Read the integer."""
        return source.uint(self.size)


uint8 = Uint(1)
uint16 = Uint(2)
uint32 = Uint(4)
uint64 = Uint(8)


class Enumerated(Codec[E]):
    """An integer that must be one of the members of an IntEnum."""

    __slots__ = ("_enum", "_size")

    def __init__(self, size: int, enum: type[E]) -> None:
        self._size = size
        self._enum = enum

    @override
    def write(self, value: E, out: bytearray) -> None:
        """Append the member's number."""
        out += value.to_bytes(self._size)

    @override
    def read(self, source: Reader) -> E:
        """Read a member; raise CodecError for any other number."""
        number = source.uint(self._size)
        try:
            return self._enum(number)
        except ValueError:
            raise CodecError(f"{number} is no {self._enum.__name__}") from None


class Opaque(Codec[bytes]):
    """`opaque<V>`: a byte string of variable length, at most `limit` bytes."""

    __slots__ = ("limit",)

    def __init__(self, limit: int) -> None:
        self.limit = limit

    @override
    def write(self, value: bytes, out: bytearray) -> None:
        """Append length and bytes; raise OversizeError."""
        if len(value) > self.limit:
            raise OversizeError(len(value), self.limit)
        out += encode_varint(len(value))
        out += value

    @override
    def read(self, source: Reader) -> bytes:
        """Read length and bytes."""
        return source.opaque(self.limit)


class Vector(Codec[tuple[T, ...]]):
    """`T<V>`: values one after the other, at most `limit` bytes together.

    `most` bounds their number where a value takes more memory than bytes on the wire.
    """

    __slots__ = ("_element", "limit", "most")

    def __init__(self, element: Codec[T], limit: int, most: int | None = None) -> None:
        self._element = element
        self.limit = limit
        self.most = limit if most is None else most

    @override
    def write(self, value: Sequence[T], out: bytearray) -> None:
        """Append the length in bytes and the values; raise CodecError."""
        if len(value) > self.most:
            raise self._too_many()
        body = bytearray()
        for element in value:
            self._element.write(element, body)
        if len(body) > self.limit:
            raise OversizeError(len(body), self.limit)
        out += encode_varint(len(body))
        out += body

    @override
    def read(self, source: Reader) -> tuple[T, ...]:
        """Read the values; a value that crosses the end of the vector is an error."""
        size = source.varint()
        if size > self.limit:
            raise OversizeError(size, self.limit)
        if not size:
            return ()
        outer = source.enter(size)
        elements: list[T] = []
        while source.remaining:
            if len(elements) == self.most:
                raise self._too_many()
            elements.append(self._element.read(source))
        source.leave(outer)
        return tuple(elements)

    def _too_many(self) -> CodecError:
        return CodecError(f"more than {self.most} values")


class Optional(Codec[T | None]):
    """`optional<T>`: a presence byte, 0 or 1, then perhaps the value."""

    __slots__ = ("_element",)

    def __init__(self, element: Codec[T]) -> None:
        self._element = element

    @override
    def write(self, value: T | None, out: bytearray) -> None:
        """Append presence and value."""
        if value is None:
            out.append(0)
        else:
            out.append(1)
            self._element.write(value, out)

    @override
    def read(self, source: Reader) -> T | None:
        """Read presence and value."""
        present = source.uint(1)
        if present > 1:
            raise CodecError(f"presence byte {present}")
        return self._element.read(source) if present else None


class Variant(Codec[T]):
    """`select`: a number that tells which type follows.

    `types` maps each number to the codec of its type; `number_of` tells the number
    of a value. A number that is not listed cannot be skipped, for the length of what
    follows is unknown: CodecError.
    """

    __slots__ = ("_codecs", "_numbers", "_tag")

    def __init__(self, tag: Codec[int], types: Mapping[int, tuple[type, Codec[Any]]]):
        self._tag = tag
        self._codecs = {number: codec for number, (_, codec) in types.items()}
        self._numbers = {kind: number for number, (kind, _) in types.items()}

    @override
    def write(self, value: T, out: bytearray) -> None:
        """Append number and value."""
        number = self._numbers[type(value)]
        self._tag.write(number, out)
        self._codecs[number].write(value, out)

    @override
    def read(self, source: Reader) -> T:
        """Read number and value."""
        number = self._tag.read(source)
        codec = self._codecs.get(number)
        if codec is None:
            raise CodecError(f"unknown variant {number}")
        value: T = codec.read(source)
        return value
