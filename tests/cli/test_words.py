import pytest

from tertulia.cli.words import ExitCode, describe
from tertulia.errors import (
    BugError,
    OfflineError,
    PeerError,
    RefusedError,
    TertuliaError,
    UsageError,
    VaultError,
)


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (UsageError("x"), ExitCode.USAGE),
        (PeerError("x"), ExitCode.PROTOCOL),
        (RefusedError("x"), ExitCode.REFUSED),
        (OfflineError("x"), ExitCode.UNAVAILABLE),
        (VaultError("x"), ExitCode.STORE),
        (BugError("x"), ExitCode.BUG),
    ],
)
def test_every_family_says_what_happened_what_is_safe_and_what_next(
    error: TertuliaError, exit_code: ExitCode
) -> None:
    words = describe(error)
    assert words.exit_code == exit_code
    assert words.happened.endswith(": x")
    assert words.safe
    assert words.next
    assert str(words).splitlines() == [words.happened, words.safe, words.next]


def test_an_error_of_no_family_still_speaks() -> None:
    assert str(describe(TertuliaError("x"))) == "Something went wrong: x"
