"""Fields of the client's structs, beyond those that the codec offers.

Each has one encoding per value, as everything in `tertulia.codec`: what is signed or
compared byte for byte must not have two spellings.
"""

from typing import ClassVar, Final, Self

from typing_extensions import override

from tertulia.codec import (
    Codec,
    CodecError,
    Opaque,
    Reader,
    Struct,
    Uint,
    encode_varint,
    uint8,
)
from tertulia.crypto import Secret
from tertulia.mls import SecretField


class Sized(Codec[bytes]):
    """`opaque<V>` of exactly one size: keys, ids, hashes, signatures."""

    __slots__ = ("size",)

    def __init__(self, size: int) -> None:
        self.size = size

    @override
    def write(self, value: bytes, out: bytearray) -> None:
        """Append length and bytes; raise CodecError."""
        check_size(len(value), self.size)
        out += encode_varint(self.size)
        out += value

    @override
    def read(self, source: Reader) -> bytes:
        """Read length and bytes; raise CodecError."""
        value = source.opaque(self.size)
        check_size(len(value), self.size)
        return value


class SizedSecret(SecretField):
    """`opaque<V>` whose value is a Secret of exactly one size."""

    __slots__ = ()

    @override
    def write(self, value: Secret, out: bytearray) -> None:
        """Append length and bytes; raise CodecError."""
        check_size(len(value), self.limit)
        super().write(value, out)

    @override
    def read(self, source: Reader) -> Secret:
        """Read length and bytes; raise CodecError."""
        value = super().read(source)
        check_size(len(value), self.limit)
        return value


def check_size(size: int, wanted: int) -> None:
    """Raise CodecError unless both are equal."""
    if size != wanted:
        raise CodecError(f"{size} bytes where there must be {wanted}")


class Utf8(Codec[str]):
    """Text as `opaque<V>` in UTF-8, of at most `limit` bytes."""

    __slots__ = ("_bytes",)

    def __init__(self, limit: int) -> None:
        self._bytes = Opaque(limit)

    @override
    def write(self, value: str, out: bytearray) -> None:
        """Append length and text; raise CodecError for lone surrogates."""
        try:
            data = value.encode()
        except UnicodeEncodeError:
            raise CodecError("text that has no UTF-8") from None
        self._bytes.write(data, out)

    @override
    def read(self, source: Reader) -> str:
        """Read length and text; raise CodecError."""
        try:
            return self._bytes.read(source).decode()
        except UnicodeDecodeError:
            raise CodecError("text that is not UTF-8") from None


class Between(Codec[int]):
    """An integer that must lie between two others, both included."""

    __slots__ = ("_codec", "_first", "_last")

    def __init__(self, codec: Uint, first: int, last: int) -> None:
        self._codec = codec
        self._first = first
        self._last = last

    @override
    def write(self, value: int, out: bytearray) -> None:
        """Append `value`; raise CodecError."""
        self._codec.write(self._checked(value), out)

    @override
    def read(self, source: Reader) -> int:
        """Read the integer; raise CodecError."""
        return self._checked(self._codec.read(source))

    def _checked(self, value: int) -> int:
        if not self._first <= value <= self._last:
            raise CodecError(f"{value} is not in {self._first} to {self._last}")
        return value


class UnknownVersionError(CodecError):
    """The bytes are of a version of their struct that is not known here."""

    code: ClassVar[str] = "unknown_version"

    def __init__(self, version: int) -> None:
        super().__init__(f"of version {version}, which is not known here")
        self.version = version


class Versioned(Struct):
    """A struct whose encoding starts with its version, which is no field.

    Reading another version raises UnknownVersionError.
    """

    __slots__ = ()
    version: ClassVar[int] = 1
    version_codec: ClassVar[Uint] = uint8

    @override
    def write(self, out: bytearray) -> None:
        """Append version and fields; raise OversizeError."""
        self.version_codec.write(self.version, out)
        super().write(out)

    @override
    @classmethod
    def read(cls, source: Reader) -> Self:
        """Read version and fields; raise UnknownVersionError, CodecError."""
        version = cls.version_codec.read(source)
        if version != cls.version:
            raise UnknownVersionError(version)
        return super().read(source)


ID: Final = Sized(16)
KEY: Final = Sized(32)
HASH: Final = Sized(32)
SIGNATURE: Final = Sized(64)
SECRET: Final = SizedSecret(32)
