import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.client import limits
from tertulia.client.padding import pad, padded_size, padding_for, unpad
from tertulia.client.value_errors import PaddingError

SIZES = st.integers(min_value=0, max_value=1 << 40)


def padme(size: int) -> int:
    """Return what the paper's algorithm says, in its own words."""
    exponent = math.floor(math.log2(size))
    significant = math.floor(math.log2(exponent)) + 1
    last_bits = exponent - significant
    mask = (1 << last_bits) - 1
    return (size + mask) & ~mask


@given(st.integers(min_value=2, max_value=1 << 40))
def test_it_is_the_algorithm_of_the_paper(size: int) -> None:
    assert padded_size(size) == padme(size)


@pytest.mark.parametrize(
    ("size", "padded"),
    [
        (0, 0),
        (1, 1),
        (2, 2),
        (8, 8),
        (9, 10),
        (100, 104),
        (1000, 1024),
        (65_537, 67_584),
    ],
)
def test_some_sizes(size: int, padded: int) -> None:
    assert padded_size(size) == padded


@given(SIZES)
def test_it_costs_at_most_twelve_in_a_hundred(size: int) -> None:
    assert size <= padded_size(size) <= 1.12 * size


@given(SIZES)
def test_a_padded_size_is_its_own(size: int) -> None:
    assert padded_size(padded_size(size)) == padded_size(size)


@given(SIZES, SIZES)
def test_more_is_never_padded_to_less(one: int, other: int) -> None:
    assert (padded_size(one) <= padded_size(other)) or one > other


def test_few_sizes_are_seen() -> None:
    seen = {padded_size(size) for size in range(1, 65_537)}
    assert len(seen) < 300


@given(st.integers(min_value=0, max_value=1 << 20))
def test_content_is_padded_to_a_padded_size(size: int) -> None:
    padded = size + padding_for(size)
    assert padded >= limits.SMALLEST_CONTENT
    assert padded == padded_size(padded)


def test_short_content_looks_alike() -> None:
    whole = {size + padding_for(size) for size in range(limits.SMALLEST_CONTENT + 1)}
    assert whole == {limits.SMALLEST_CONTENT}


@given(st.binary(max_size=300), st.integers(min_value=0, max_value=5))
def test_a_blob_is_unpadded_as_it_was(data: bytes, zeros: int) -> None:
    whole = data + bytes(zeros)
    padded = pad(whole)
    assert len(padded) == padded_size(len(whole) + 1)
    assert unpad(padded) == whole


@pytest.mark.parametrize("data", [b"", b"\0", bytes(50), b"a", b"\x80a\0"])
def test_padding_without_an_end_is_refused(data: bytes) -> None:
    with pytest.raises(PaddingError):
        unpad(data)
