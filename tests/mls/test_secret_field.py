import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.codec import OversizeError, TruncatedError
from tertulia.crypto import Secret
from tertulia.mls.secret_field import SecretField

FIELD = SecretField(4)


@given(st.binary(max_size=4))
def test_a_secret_is_read_as_it_was_written(data: bytes) -> None:
    encoded = FIELD.encode(Secret(data))
    assert encoded == bytes((len(data),)) + data
    assert FIELD.decode(encoded) == Secret(data)


def test_what_is_read_hides_itself() -> None:
    assert "abcd" not in repr(FIELD.decode(b"\4abcd"))


def test_the_limit_holds_both_ways() -> None:
    with pytest.raises(OversizeError):
        FIELD.encode(Secret(b"abcde"))
    with pytest.raises(OversizeError):
        FIELD.decode(b"\5abcde")


def test_a_secret_may_not_be_cut_short() -> None:
    with pytest.raises(TruncatedError):
        FIELD.decode(b"\4abc")
