"""What cannot be carried out is said in words, with facts to act on."""

import pytest

from tertulia.client import errors
from tertulia.client.errors import (
    AskedAgainError,
    FullRoomError,
    InviteRefusedError,
    NoSuchInviteError,
    NoSuchMemberError,
    NoSuchMessageError,
    NotMemberError,
    NotPermittedError,
    NotReachedError,
    RelayRefusedError,
    UnreadableRoomError,
    WrongRelayError,
)
from tertulia.errors import (
    OfflineError,
    PeerError,
    RefusedError,
    TertuliaError,
    UsageError,
)
from tertulia.wire import ErrorCode

ID = b"\xab" * 4


@pytest.mark.parametrize(
    ("error", "family", "code", "sentence"),
    [
        (
            RelayRefusedError(ErrorCode.ROOM_FULL),
            RefusedError,
            "relay_refused",
            "the relay refuses: room_full",
        ),
        (
            NotReachedError(),
            OfflineError,
            "relay_not_reached",
            "the relay was not reached in time",
        ),
        (
            NotMemberError(ID),
            UsageError,
            "not_member",
            "not a member of the room abababab",
        ),
        (
            NotPermittedError("no"),
            UsageError,
            "not_permitted",
            "the rules of the room do not allow it: no",
        ),
        (
            NoSuchMemberError(ID),
            UsageError,
            "no_such_member",
            "no member of the account abababab",
        ),
        (
            NoSuchInviteError(ID),
            UsageError,
            "no_such_invite",
            "no invite abababab",
        ),
        (
            NoSuchMessageError(ID),
            UsageError,
            "no_such_message",
            "no message abababab that could be taken back",
        ),
        (
            FullRoomError(500),
            UsageError,
            "too_many_devices",
            "the room has its 500 devices",
        ),
        (
            InviteRefusedError("too old"),
            PeerError,
            "invite_does_not_fit",
            "what the relay gave does not fit the link: too old",
        ),
        (WrongRelayError(ID), PeerError, "wrong_relay", "not the relay abababab"),
        (
            UnreadableRoomError("why"),
            PeerError,
            "room_unreadable",
            "the room cannot be read: why",
        ),
        (
            AskedAgainError(),
            UsageError,
            "asked_again",
            "the same link was used again since",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_error_has_a_family_a_code_and_a_sentence(
    error: TertuliaError, family: type[TertuliaError], code: str, sentence: str
) -> None:
    assert isinstance(error, family)
    assert error.code == code
    assert str(error) == sentence


def test_each_error_has_a_code_of_its_own() -> None:
    classes = [
        each
        for each in vars(errors).values()
        if isinstance(each, type) and each.__module__ == errors.__name__
    ]
    codes = {each.code for each in classes if issubclass(each, TertuliaError)}
    assert len(codes) == len(classes) >= 11


def test_a_refusal_knows_when_to_try_again() -> None:
    error = RelayRefusedError(ErrorCode.RATE_LIMITED, 500)
    assert (error.reason, error.retry_after) == ("rate_limited", 500)
