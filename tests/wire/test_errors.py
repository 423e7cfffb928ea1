"""What can be wrong with a frame, in words."""

from tertulia.wire import MalformedFrameError, OversizeFrameError


def test_errors_say_what_is_wrong() -> None:
    assert str(MalformedFrameError("no tag")) == "malformed frame: no tag"
    too_large = OversizeFrameError(7, 5)
    assert str(too_large) == "malformed frame: 7 bytes where at most 5 are allowed"
    assert too_large.code == "too_large"
