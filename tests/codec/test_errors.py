from tertulia.codec import CodecError, OversizeError, TruncatedError
from tertulia.errors import PeerError


def test_malformed_bytes_are_the_other_sides_fault() -> None:
    error = CodecError("presence byte 2")
    assert isinstance(error, PeerError)
    assert error.reason == "presence byte 2"
    assert str(error) == "malformed encoding: presence byte 2"


def test_a_truncated_value_says_what_is_missing() -> None:
    error = TruncatedError(wanted=4, left=1)
    assert (error.wanted, error.left) == (4, 1)
    assert str(error) == "malformed encoding: 4 bytes wanted, 1 left"


def test_an_oversize_value_says_what_is_allowed() -> None:
    error = OversizeError(size=300, limit=255)
    assert (error.size, error.limit) == (300, 255)
    assert str(error) == "malformed encoding: 300 bytes where at most 255 are allowed"


def test_whoever_catches_codec_errors_catches_them_all_and_can_tell_them_apart() -> (
    None
):
    errors = (CodecError("x"), TruncatedError(1, 0), OversizeError(1, 0))
    assert all(isinstance(error, CodecError) for error in errors)
    assert [error.code for error in errors] == ["malformed", "truncated", "oversize"]
