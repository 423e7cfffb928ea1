from dataclasses import dataclass
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.client.fields import (
    Between,
    Sized,
    SizedSecret,
    UnknownVersionError,
    Utf8,
    Versioned,
)
from tertulia.codec import CodecError, OversizeError, TruncatedError, uint8, uint16
from tertulia.crypto import Secret


@given(st.binary(min_size=4, max_size=4))
def test_what_has_its_size_is_read_as_written(data: bytes) -> None:
    encoded = b"\4" + data
    assert Sized(4).encode(data) == SizedSecret(4).encode(Secret(data)) == encoded
    assert Sized(4).decode(encoded) == data
    assert SizedSecret(4).decode(encoded) == Secret(data)


@pytest.mark.parametrize("size", [0, 3, 5])
def test_another_size_is_refused_both_ways(size: int) -> None:
    data = bytes(size)
    encoded = bytes((size,)) + data
    with pytest.raises(CodecError):
        Sized(4).encode(data)
    with pytest.raises(CodecError):
        Sized(4).decode(encoded)
    with pytest.raises(CodecError):
        SizedSecret(4).encode(Secret(data))
    with pytest.raises(CodecError):
        SizedSecret(4).decode(encoded)


@given(st.text(max_size=20).filter(lambda text: len(text.encode()) <= 60))
def test_text_is_read_as_written(text: str) -> None:
    field = Utf8(60)
    assert field.decode(field.encode(text)) == text


def test_text_is_utf8_within_its_limit() -> None:
    field = Utf8(4)
    assert field.encode("ñññ"[:2]) == b"\4\xc3\xb1\xc3\xb1"
    with pytest.raises(OversizeError):
        field.encode("ñññ")
    with pytest.raises(CodecError, match="no UTF-8"):
        field.encode("\ud800")
    for data in (b"\xff", b"\xed\xa0\x80", b"\xc0\x80"):
        with pytest.raises(CodecError, match="not UTF-8"):
            field.decode(bytes((len(data),)) + data)


def test_a_number_lies_between_its_bounds() -> None:
    field = Between(uint8, 2, 4)
    for number in (2, 3, 4):
        assert field.decode(field.encode(number)) == number
    for number in (0, 1, 5, 255):
        with pytest.raises(CodecError, match="2 to 4"):
            field.encode(number)
        with pytest.raises(CodecError, match="2 to 4"):
            field.decode(bytes((number,)))
    with pytest.raises(CodecError):
        field.encode(-1)


@dataclass(frozen=True, slots=True)
class Note(Versioned):
    """A struct to try versions with."""

    number: Annotated[int, uint8]


@dataclass(frozen=True, slots=True)
class LaterNote(Note):
    """The same, of another version, written in two bytes."""

    version = 0x0203
    version_codec = uint16


def test_a_struct_starts_with_its_version() -> None:
    assert Note(7).encode() == b"\1\7"
    assert Note.decode(b"\1\7") == Note(7)
    assert LaterNote(7).encode() == b"\2\3\7"
    assert LaterNote.decode(b"\2\3\7") == LaterNote(7)


def test_another_version_is_told_from_nonsense() -> None:
    with pytest.raises(UnknownVersionError) as caught:
        Note.decode(b"\2 whatever this is")
    assert caught.value.version == 2
    assert "version 2" in str(caught.value)
    with pytest.raises(TruncatedError):
        Note.decode(b"")
