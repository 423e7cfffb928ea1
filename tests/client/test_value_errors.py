import pytest

from tertulia.client.value_errors import (
    BadContentError,
    BadNameError,
    BrokenTextError,
    EmptyTextError,
    NoAccountKeyError,
    PaddingError,
    PolicyTooLargeError,
    SealError,
    TextTooLongError,
    UpdateNeededError,
)
from tertulia.errors import PeerError, TertuliaError, UsageError

ERRORS: list[tuple[TertuliaError, type[TertuliaError], str, str]] = [
    (BadNameError("empty"), UsageError, "bad_name", "this name cannot be had: empty"),
    (EmptyTextError(), UsageError, "empty_text", "there is no text to send"),
    (
        TextTooLongError(9, 8),
        UsageError,
        "text_too_long",
        "the text takes 9 bytes, at most 8 may be sent",
    ),
    (BrokenTextError(), UsageError, "broken_text", "the text holds half a character"),
    (
        PolicyTooLargeError(),
        UsageError,
        "policy_too_large",
        "the room has too many invites, admins or bans",
    ),
    (
        NoAccountKeyError(),
        UsageError,
        "no_account_key",
        "this device does not hold the account's key",
    ),
    (BadContentError("noise"), PeerError, "bad_content", "no content: noise"),
    (PaddingError(), PeerError, "padding", "the padding has no end"),
    (SealError("cut"), PeerError, "seal", "does not open: cut"),
    (
        UpdateNeededError(3),
        PeerError,
        "update_needed",
        "the room's rules are of version 3: update",
    ),
]


@pytest.mark.parametrize(("error", "family", "code", "sentence"), ERRORS)
def test_each_error_says_what_is_wrong(
    error: TertuliaError, family: type[TertuliaError], code: str, sentence: str
) -> None:
    assert isinstance(error, family)
    assert error.code == code
    assert str(error) == sentence
