import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.codec import CodecError, OversizeError, Reader, TruncatedError


def test_reading_goes_front_to_back() -> None:
    source = Reader(b"abcdef")
    assert source.take(2) == b"ab"
    assert (source.position, source.remaining) == (2, 4)
    assert source.uint(2) == 0x6364
    assert source.since(1) == b"bcd"
    assert source.rest() == b"ef"
    source.finish()


def test_nothing_is_read_beyond_the_end() -> None:
    source = Reader(b"abc")
    with pytest.raises(TruncatedError) as caught:
        source.take(4)
    assert (caught.value.wanted, caught.value.left) == (4, 3)
    # A refused read takes nothing.
    assert source.take(3) == b"abc"


def test_bytes_that_are_left_over_are_refused() -> None:
    source = Reader(b"abc")
    source.take(1)
    with pytest.raises(CodecError, match="2 bytes too many"):
        source.finish()


@pytest.mark.parametrize("encoded", ["c0", "c000000000000000", "ffffffffffffffff"])
def test_the_prefix_of_eight_byte_lengths_is_invalid(encoded: str) -> None:
    with pytest.raises(CodecError, match="0b11"):
        Reader(bytes.fromhex(encoded)).varint()


@pytest.mark.parametrize(
    "encoded", ["4000", "403f", "80000000", "8000003f", "80003fff"]
)
def test_lengths_in_more_bytes_than_they_need_are_refused(encoded: str) -> None:
    with pytest.raises(CodecError, match="more than needed"):
        Reader(bytes.fromhex(encoded)).varint()


@pytest.mark.parametrize("encoded", ["", "40", "800000"])
def test_a_length_may_not_be_cut_short(encoded: str) -> None:
    with pytest.raises(TruncatedError):
        Reader(bytes.fromhex(encoded)).varint()


def test_an_opaque_keeps_to_the_limit_of_its_field() -> None:
    assert Reader(b"\x03abc").opaque(3) == b"abc"
    with pytest.raises(OversizeError) as caught:
        Reader(b"\x03abc").opaque(2)
    assert (caught.value.size, caught.value.limit) == (3, 2)


def test_a_length_over_the_limit_is_refused_before_its_bytes_are_looked_for() -> None:
    with pytest.raises(OversizeError):
        Reader(bytes.fromhex("bfffffff")).opaque(1000)


def test_inside_a_part_nothing_crosses_its_end() -> None:
    source = Reader(b"abcd")
    outer = source.enter(2)
    assert source.remaining == 2
    with pytest.raises(TruncatedError):
        source.take(3)
    assert source.take(2) == b"ab"
    source.leave(outer)
    assert source.rest() == b"cd"


def test_a_part_may_not_be_longer_than_what_is_left() -> None:
    source = Reader(b"abc")
    source.take(1)
    with pytest.raises(TruncatedError) as caught:
        source.enter(3)
    assert (caught.value.wanted, caught.value.left) == (3, 2)


@given(st.binary(max_size=12))
def test_any_bytes_are_a_length_or_a_codec_error(data: bytes) -> None:
    try:
        value = Reader(data).varint()
    except CodecError:
        return
    assert 0 <= value < 2**30
