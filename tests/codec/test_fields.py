from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.codec import (
    Codec,
    CodecError,
    Enumerated,
    Nested,
    Opaque,
    Optional,
    OversizeError,
    Struct,
    TruncatedError,
    Uint,
    Variant,
    Vector,
    uint8,
    uint16,
    uint32,
    uint64,
)


class Colour(IntEnum):
    RED = 1
    BLUE = 7


@dataclass(frozen=True, slots=True)
class Circle(Struct):
    radius: Annotated[int, uint16]


@dataclass(frozen=True, slots=True)
class Label(Struct):
    text: Annotated[bytes, Opaque(8)]


SHAPE: Codec[Circle | Label] = Variant(
    uint8, {1: (Circle, Nested(Circle)), 2: (Label, Nested(Label))}
)

# Every kind of field, with the values it holds.
KINDS: list[tuple[Codec[Any], st.SearchStrategy[Any]]] = [
    (uint8, st.integers(0, 2**8 - 1)),
    (uint16, st.integers(0, 2**16 - 1)),
    (uint32, st.integers(0, 2**32 - 1)),
    (uint64, st.integers(0, 2**64 - 1)),
    (Enumerated(2, Colour), st.sampled_from(Colour)),
    (Opaque(300), st.binary(max_size=300)),
    (Vector(uint16, 300), st.lists(st.integers(0, 2**16 - 1), max_size=150).map(tuple)),
    (
        Vector(Vector(Opaque(9), 80), 200),
        st.lists(
            st.lists(st.binary(max_size=9), max_size=4).map(tuple), max_size=4
        ).map(tuple),
    ),
    (Optional(uint8), st.none() | st.integers(0, 255)),
    (
        SHAPE,
        st.builds(Circle, st.integers(0, 2**16 - 1))
        | st.builds(Label, st.binary(max_size=8)),
    ),
]
CODECS = [codec for codec, _ in KINDS]


@given(
    st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(st.just(kind[0]), kind[1]))
)
def test_every_value_is_read_as_it_was_written(case: tuple[Codec[Any], Any]) -> None:
    codec, value = case
    assert codec.decode(codec.encode(value)) == value


@given(st.sampled_from(CODECS), st.binary(max_size=40))
def test_any_bytes_are_the_one_encoding_of_a_value_or_a_codec_error(
    codec: Codec[Any], data: bytes
) -> None:
    try:
        value = codec.decode(data)
    except CodecError:
        return
    assert codec.encode(value) == data


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: type(codec).__name__)
def test_no_field_takes_bytes_that_are_left_over(codec: Codec[Any]) -> None:
    for value in (0, 7, b"", (), None, Circle(5)):
        try:
            encoded = codec.encode(value)
        except (AttributeError, KeyError, TypeError):
            continue  # not a value of this kind
        with pytest.raises(CodecError):
            codec.decode(encoded + b"\0")
        return
    pytest.fail("no value of this kind was tried")


def test_integers_are_written_most_significant_byte_first() -> None:
    assert uint32.encode(0x01020304) == b"\1\2\3\4"
    assert uint64.encode(1) == bytes(7) + b"\1"


@pytest.mark.parametrize("value", [-1, 256, 2**20])
def test_an_integer_that_does_not_fit_is_refused(value: int) -> None:
    with pytest.raises(OversizeError):
        Uint(1).encode(value)


def test_a_number_without_a_name_is_no_member_of_an_enumeration() -> None:
    colour = Enumerated(1, Colour)
    assert colour.decode(b"\7") is Colour.BLUE
    with pytest.raises(CodecError, match="2 is no Colour"):
        colour.decode(b"\2")


def test_a_byte_string_keeps_to_its_limit_both_ways() -> None:
    assert Opaque(3).decode(b"\3abc") == b"abc"
    with pytest.raises(OversizeError):
        Opaque(3).encode(b"abcd")
    with pytest.raises(OversizeError):
        Opaque(3).decode(b"\4abcd")


def test_the_limit_of_a_vector_counts_bytes_not_elements() -> None:
    numbers = Vector(uint16, 4)
    assert numbers.encode((1, 2)) == b"\4\0\1\0\2"
    with pytest.raises(OversizeError):
        numbers.encode((1, 2, 3))
    with pytest.raises(OversizeError):
        numbers.decode(b"\6\0\1\0\2\0\3")


def test_the_number_of_elements_of_a_vector_can_be_limited() -> None:
    few = Vector(Optional(uint8), 10, most=2)
    assert few.decode(b"\2\0\0") == (None, None)
    assert few.encode((None, None)) == b"\2\0\0"
    with pytest.raises(CodecError, match="more than 2 values"):
        few.encode((None, None, None))
    # The third is not even read: it would be another error.
    with pytest.raises(CodecError, match="more than 2 values"):
        few.decode(b"\3\0\0\2")


def test_an_element_that_crosses_the_end_of_its_vector_is_refused() -> None:
    # The second number begins inside the vector; its other half stands outside.
    with pytest.raises(TruncatedError):
        Vector(uint16, 10).decode(b"\3\0\1\0\2")


def test_an_inner_vector_that_crosses_the_end_of_the_outer_is_refused() -> None:
    nested = Vector(Vector(uint8, 10), 20)
    assert nested.decode(b"\3\2\1\2") == ((1, 2),)
    with pytest.raises(TruncatedError):
        nested.decode(b"\2\2\1\2")


def test_after_an_inner_vector_reading_goes_on_in_the_outer_one() -> None:
    nested = Vector(Vector(uint8, 10), 20)
    assert nested.decode(b"\5\1\1\0\1\2") == ((1,), (), (2,))


def test_a_presence_byte_is_zero_or_one() -> None:
    maybe = Optional(uint8)
    assert maybe.encode(None) == b"\0"
    assert maybe.decode(b"\0") is None
    assert maybe.decode(b"\1\0") == 0
    with pytest.raises(CodecError, match="presence byte 2"):
        maybe.decode(b"\2\0")


def test_a_variant_is_the_number_of_its_type_and_the_value() -> None:
    assert SHAPE.encode(Circle(5)) == b"\1\0\5"
    assert SHAPE.decode(b"\2\2hi") == Label(b"hi")


def test_an_unknown_variant_is_refused_for_its_length_is_unknown() -> None:
    with pytest.raises(CodecError, match="unknown variant 3"):
        SHAPE.decode(b"\3\0\5")


@pytest.mark.parametrize(
    "cut",
    [lambda data: data[:-1], lambda data: data[:1]],
    ids=["last", "all but first"],
)
def test_values_that_are_cut_short_are_refused(
    cut: Callable[[bytes], bytes],
) -> None:
    values: list[tuple[Codec[Any], Any]] = [
        (uint32, 5),
        (Opaque(9), b"abc"),
        (SHAPE, Label(b"abc")),
    ]
    for codec, value in values:
        with pytest.raises(TruncatedError):
            codec.decode(cut(codec.encode(value)))
