from typing import Any

import msgspec
import pytest

from tertulia.agent import errors as agent_errors
from tertulia.agent.calls import Failed
from tertulia.agent.errors import NoSuchRoomError, ProfileFolderError
from tertulia.agent.errors_in_transit import describe, rebuild
from tertulia.client import NotMemberError, RelayRefusedError
from tertulia.errors import (
    BugError,
    OfflineError,
    TertuliaError,
    UsageError,
    VaultError,
)
from tertulia.vault import VaultStorageError
from tertulia.wire import ErrorCode, MalformedFrameError, OversizeFrameError


def moved(error: Exception) -> TertuliaError:
    """Return an error as the other end of the socket raises it."""
    data = msgspec.msgpack.encode(describe(7, error))
    failed = msgspec.msgpack.decode(data, type=Failed)
    assert failed.number == 7
    return rebuild(failed)


@pytest.mark.parametrize(
    "error",
    [
        NoSuchRoomError(bytes(16)),
        NotMemberError(bytes(16)),
        RelayRefusedError(ErrorCode.ROOM_FULL, 5),
        ProfileFolderError("/profile", "no space"),
        MalformedFrameError("no tag"),
        OversizeFrameError(2, 1),
        agent_errors.BusyError(),
        UsageError("plain"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_arrives_as_it_was(error: TertuliaError) -> None:
    arrived = moved(error)
    assert type(arrived) is type(error)
    assert str(arrived) == str(error)
    assert arrived.code == error.code
    assert vars(arrived) == vars(error)


def test_facts_of_other_types_arrive_as_text_or_lists() -> None:
    class StrangeFactsError(UsageError):
        code = "strange_facts"
        sentence = "{parts} {thing}"

    error = StrangeFactsError()
    vars(error).update(parts=(1, "two"), thing=frozenset[int]())
    assert vars(moved(error)) == {"parts": [1, "two"], "thing": "frozenset()"}


def test_an_unknown_class_arrives_as_its_family_with_code_and_sentence() -> None:
    failed = Failed(1, "offline", "from_the_future", {"fact": 1}, "what happened")
    arrived = rebuild(failed)
    assert type(arrived) is OfflineError
    assert arrived.code == "from_the_future"
    assert str(arrived) == "what happened"


def test_an_unknown_family_is_an_error_all_the_same() -> None:
    assert type(rebuild(Failed(1, "new", "new", {}, "words"))) is TertuliaError


@pytest.mark.parametrize("facts", [{}, {"path": "p"}])
def test_facts_that_do_not_fit_the_class_leave_the_family(
    facts: dict[str, Any],
) -> None:
    arrived = rebuild(Failed(1, "vault", "vault_storage", facts, "words"))
    assert type(arrived) is VaultError
    assert arrived.code == VaultStorageError.code
    assert str(arrived) == "words"


def test_what_is_no_error_of_ours_arrives_as_a_bug() -> None:
    arrived = moved(ZeroDivisionError("by zero"))
    assert type(arrived) is BugError
    assert "by zero" in str(arrived)
