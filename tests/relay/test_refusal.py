"""The relay's no."""

from tertulia.relay.refusal import Refusal, not_found, too_large
from tertulia.wire import ErrorCode, frames


def test_a_refusal_keeps_code_and_facts() -> None:
    refusal = too_large(7, 5)
    assert (refusal.reason, refusal.facts) == (
        ErrorCode.TOO_LARGE,
        frames.Facts(limit=5, actual=7),
    )
    assert str(refusal) == "refused: too_large"
    assert not_found().reason is ErrorCode.NOT_FOUND
    assert not Refusal(ErrorCode.GONE).fatal
