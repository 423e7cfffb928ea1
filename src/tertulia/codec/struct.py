"""Structs: dataclasses whose annotations are their encoding.

    @dataclass(frozen=True, slots=True)
    class HPKECiphertext(Struct):
        kem_output: Annotated[bytes, Opaque(MAX_KEM_OUTPUT)]
        ciphertext: Annotated[bytes, Opaque(MAX_CIPHERTEXT)]

Fields are listed once, in order of the specification; encoding and decoding both
walk that list. A field is annotated with its codec, or is itself a Struct.
"""

from typing import Annotated, Any, Self, TypeVar, get_args, get_origin, get_type_hints

from typing_extensions import override

from tertulia.codec.fields import Codec
from tertulia.codec.reader import Reader

S = TypeVar("S", bound="Struct")


class Struct:
    """A value that is encoded as its fields, one after the other."""

    __slots__ = ()

    def write(self, out: bytearray) -> None:
        """Append the encoding to `out`; raise OversizeError."""
        self._write_fields(_layout(type(self)), out)

    def _write_fields(self, fields: "_Layout", out: bytearray) -> None:
        for name, codec in fields:
            codec.write(getattr(self, name), out)

    @classmethod
    def read(cls, source: Reader) -> Self:
        """Read one value; raise CodecError."""
        return cls(*[codec.read(source) for _, codec in _layout(cls)])

    def encode(self) -> bytes:
        """Return the encoding; raise OversizeError."""
        out = bytearray()
        self.write(out)
        return bytes(out)

    def encode_before(self, stop: str) -> bytes:
        """Return the encoding of the fields before `stop`, as signatures cover them."""
        layout = _layout(type(self))
        out = bytearray()
        self._write_fields(layout[: _position(layout, stop)], out)
        return bytes(out)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Return the value that `data`, all of it, encodes; raise CodecError."""
        source = Reader(data)
        value = cls.read(source)
        source.finish()
        return value


class EncodedOnce(Struct):
    """A struct that keeps its encoding: for what is signed, hashed and sent alike.

    There is one encoding per value, so what was read need not be written again. It is
    no field: a copy with other fields starts without it.
    """

    __slots__ = ("_encoding",)

    @override
    def write(self, out: bytearray) -> None:
        """Append the encoding to `out`; raise OversizeError."""
        out += self.encode()

    @classmethod
    @override
    def read(cls, source: Reader) -> Self:
        """Read one value; raise CodecError."""
        start = source.position
        value = super().read(source)
        object.__setattr__(value, "_encoding", source.since(start))
        return value

    @override
    def encode(self) -> bytes:
        """Return the encoding; raise OversizeError."""
        known: bytes | None = getattr(self, "_encoding", None)
        if known is None:
            out = bytearray()
            super().write(out)
            known = bytes(out)
            object.__setattr__(self, "_encoding", known)
        return known

    @override
    def encode_before(self, stop: str) -> bytes:
        """Return the encoding of the fields before `stop`, as signatures cover them."""
        layout = _layout(type(self))
        rest = bytearray()
        self._write_fields(layout[_position(layout, stop) :], rest)
        whole = self.encode()
        return whole[: len(whole) - len(rest)]


class Nested(Codec[S]):
    """A struct as a field or element of another."""

    __slots__ = ("_struct",)

    def __init__(self, struct: type[S]) -> None:
        self._struct = struct

    @override
    def write(self, value: S, out: bytearray) -> None:
        """Append the struct."""
        value.write(out)

    @override
    def read(self, source: Reader) -> S:
        """Read the struct."""
        return self._struct.read(source)


_Layout = tuple[tuple[str, Codec[Any]], ...]

# Annotations are read when a type is first used, for they may name later types.
_layouts: dict[type[Struct], _Layout] = {}


def _layout(struct: type[Struct]) -> _Layout:
    layout = _layouts.get(struct)
    if layout is None:
        hints = get_type_hints(struct, include_extras=True)
        layout = tuple(
            (name, _codec_of(hint)) for name, hint in hints.items() if _is_field(hint)
        )
        _layouts[struct] = layout
    return layout


def _position(layout: _Layout, name: str) -> int:
    """Return where a field stands; raise ValueError for a name that is none.

    Such a name must not pass: a signature would cover itself.
    """
    return [field for field, _ in layout].index(name)


def _is_field(hint: Any) -> bool:
    return get_origin(hint) is Annotated or isinstance(hint, type)


def _codec_of(hint: Any) -> Codec[Any]:
    if get_origin(hint) is Annotated:
        codec: Codec[Any]
        (codec,) = get_args(hint)[1:]
        return codec
    return Nested(hint)
