import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.codec import OversizeError, Reader, encode_opaque, encode_varint

LARGEST = 2**30 - 1


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        # The examples of RFC 9000, appendix A.1, and the edges of each size.
        (37, "25"),
        (15293, "7bbd"),
        (494878333, "9d7f3e7d"),
        (0, "00"),
        (63, "3f"),
        (64, "4040"),
        (16383, "7fff"),
        (16384, "80004000"),
        (LARGEST, "bfffffff"),
    ],
)
def test_a_length_takes_the_fewest_bytes(value: int, encoded: str) -> None:
    assert encode_varint(value).hex() == encoded


@given(st.integers(0, LARGEST))
def test_every_length_is_read_as_it_was_written(value: int) -> None:
    source = Reader(encode_varint(value))
    assert source.varint() == value
    source.finish()


def test_a_length_that_needs_eight_bytes_is_refused() -> None:
    with pytest.raises(OversizeError) as caught:
        encode_varint(LARGEST + 1)
    assert (caught.value.size, caught.value.limit) == (LARGEST + 1, LARGEST)


@given(st.binary(max_size=100))
def test_an_opaque_is_its_length_and_itself(data: bytes) -> None:
    encoded = encode_opaque(data)
    assert encoded.endswith(data)
    assert Reader(encoded).opaque(len(data)) == data
