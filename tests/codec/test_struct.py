from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.codec import (
    CodecError,
    EncodedOnce,
    Nested,
    Opaque,
    OversizeError,
    Struct,
    TruncatedError,
    Vector,
    uint8,
    uint16,
)


@dataclass(frozen=True, slots=True)
class Point(Struct):
    # What is no field of the encoding is left out of it.
    ORIGIN_NAME: ClassVar[str] = "origin"

    x: Annotated[int, uint8]
    y: Annotated[int, uint8]


@dataclass(frozen=True, slots=True)
class Letter(Struct):
    address: Point
    number: Annotated[int, uint16]
    stamps: Annotated[tuple[Point, ...], Vector(Nested(Point), 8)]
    text: Annotated[bytes, Opaque(10)]
    signature: Annotated[bytes, Opaque(10)]


@dataclass(frozen=True, slots=True)
class Nothing(Struct):
    pass


@dataclass(frozen=True, slots=True)
class Postcard(EncodedOnce):
    address: Point
    text: Annotated[bytes, Opaque(10)]
    signature: Annotated[bytes, Opaque(10)]


@dataclass(frozen=True, slots=True)
class Bundle(Struct):
    first: Postcard
    rest: Annotated[tuple[Postcard, ...], Vector(Nested(Postcard), 60)]


POINTS = st.builds(Point, st.integers(0, 255), st.integers(0, 255))
LETTERS = st.builds(
    Letter,
    POINTS,
    st.integers(0, 2**16 - 1),
    st.lists(POINTS, max_size=4).map(tuple),
    st.binary(max_size=10),
    st.binary(max_size=10),
)
POSTCARDS = st.builds(Postcard, POINTS, st.binary(max_size=10), st.binary(max_size=10))
LETTER = Letter(Point(1, 2), 3, (Point(4, 5),), b"hi", b"me")


def test_a_struct_is_its_fields_one_after_the_other() -> None:
    assert LETTER.encode() == b"\1\2\0\3\2\4\5\2hi\2me"


@given(LETTERS)
def test_every_struct_is_read_as_it_was_written(letter: Letter) -> None:
    assert Letter.decode(letter.encode()) == letter


@given(st.binary(max_size=40))
def test_any_bytes_are_the_one_encoding_of_a_struct_or_a_codec_error(
    data: bytes,
) -> None:
    try:
        letter = Letter.decode(data)
    except CodecError:
        return
    assert letter.encode() == data


@given(LETTERS)
def test_what_a_signature_covers_are_the_fields_before_it(letter: Letter) -> None:
    signed = letter.encode_before("signature")
    assert letter.encode() == signed + Opaque(10).encode(letter.signature)


def test_before_the_first_field_there_is_nothing() -> None:
    assert LETTER.encode_before("address") == b""


def test_a_name_that_is_no_field_is_no_place_to_stop() -> None:
    with pytest.raises(ValueError, match="signatur"):
        LETTER.encode_before("signatur")


def test_a_field_over_its_limit_is_not_written() -> None:
    with pytest.raises(OversizeError):
        Letter(Point(1, 2), 3, (), b"far too long", b"").encode()


def test_a_struct_that_is_cut_short_or_followed_by_more_is_refused() -> None:
    encoded = LETTER.encode()
    for size in range(len(encoded)):
        with pytest.raises(TruncatedError):
            Letter.decode(encoded[:size])
    with pytest.raises(CodecError, match="1 bytes too many"):
        Letter.decode(encoded + b"\0")


def test_a_struct_without_fields_takes_no_bytes() -> None:
    assert Nothing().encode() == b""
    assert Nothing.decode(b"") == Nothing()


@given(POSTCARDS, POSTCARDS)
def test_a_struct_that_keeps_its_encoding_is_written_like_any_other(
    first: Postcard, second: Postcard
) -> None:
    fields = (
        Nested(Point).encode(first.address)
        + Opaque(10).encode(first.text)
        + Opaque(10).encode(first.signature)
    )
    assert first.encode() == fields
    # Once more from memory, and as a part of others.
    assert first.encode() == fields
    bundle = Bundle(first, (second, first))
    assert bundle.encode().startswith(fields)
    assert bundle.encode().endswith(second.encode() + fields)
    assert Bundle.decode(bundle.encode()) == bundle


@given(st.binary(max_size=30))
def test_what_was_read_is_written_as_it_was(data: bytes) -> None:
    try:
        card = Postcard.decode(data)
    except CodecError:
        return
    assert card.encode() == data
    again = Postcard(card.address, card.text, card.signature)
    assert again.encode() == data
    assert (again, hash(again), repr(again)) == (card, hash(card), repr(card))


@given(POSTCARDS)
def test_a_kept_encoding_is_cut_where_a_signature_begins(made: Postcard) -> None:
    for card in (made, Postcard.decode(made.encode())):
        signed = card.encode_before("signature")
        assert card.encode() == signed + Opaque(10).encode(card.signature)
        assert card.encode_before("address") == b""
        with pytest.raises(ValueError, match="signatur"):
            card.encode_before("signatur")


@given(POSTCARDS)
def test_a_copy_with_another_field_has_an_encoding_of_its_own(card: Postcard) -> None:
    read = Postcard.decode(card.encode())
    for original in (card, read):
        other = replace(original, text=b"other")
        assert (
            other.encode() == Postcard(card.address, b"other", card.signature).encode()
        )
        assert original.encode() == card.encode()


def test_what_cannot_be_written_is_refused_each_time() -> None:
    card = Postcard(Point(1, 2), b"far too long", b"")
    for _ in range(2):
        with pytest.raises(OversizeError):
            card.encode()
