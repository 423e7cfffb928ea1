from collections.abc import Iterator

import pytest

from tertulia.classic import (
    CannotListenError,
    PortInUseError,
    ServerGoneError,
    UnreachableError,
)
from tertulia.cli.words import ExitCode, Words, describe
from tertulia.errors import (
    BugError,
    OfflineError,
    PeerError,
    RefusedError,
    TertuliaError,
    UsageError,
    VaultError,
)
from tertulia.l10n import choose_language


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


def test_a_class_without_words_of_its_own_speaks_through_its_family() -> None:
    class OutOfPaperError(OfflineError):
        pass

    assert describe(OutOfPaperError("x")) == describe(OfflineError("x"))


CLASSIC = [
    PortInUseError("192.0.2.7", 8123),
    CannotListenError("192.0.2.7", 81, "forbidden"),
    CannotListenError("192.0.2.7", 8123, "not-here"),
    CannotListenError("192.0.2.7", 8123, "failed"),
    UnreachableError("192.0.2.7", 8123, "refused"),
    UnreachableError("192.0.2.7", 8123, "no-answer"),
    UnreachableError("192.0.2.7", 8123, "unknown-name"),
    UnreachableError("192.0.2.7", 8123, "no-route"),
    ServerGoneError("192.0.2.7", 8123),
]


@pytest.fixture
def _spanish() -> Iterator[None]:
    choose_language({"LANG": "es_ES.UTF-8"})
    yield
    choose_language({})


def sentences(words: Words) -> list[str]:
    return [words.happened, words.safe, words.next]


@pytest.mark.parametrize("error", CLASSIC, ids=str)
def test_classic_tells_each_error_in_whole_sentences(error: TertuliaError) -> None:
    for sentence in sentences(describe(error)):
        assert sentence[0].isupper() or sentence.startswith("192.0.2.7 ")
        assert "{" not in sentence
    assert str(error) not in str(describe(error)), (
        "the log's sentence is not for people"
    )


@pytest.mark.usefixtures("_spanish")
@pytest.mark.parametrize("error", CLASSIC, ids=str)
def test_classic_tells_each_error_in_spanish_too(error: TertuliaError) -> None:
    in_spanish = sentences(describe(error))
    choose_language({})
    in_english = sentences(describe(error))
    assert not set(in_spanish) & set(in_english)
    assert all("{" not in sentence for sentence in in_spanish)


@pytest.mark.parametrize("error", CLASSIC, ids=str)
def test_classic_never_claims_another_exit_code_than_its_family(
    error: TertuliaError,
) -> None:
    family = UsageError if isinstance(error, UsageError) else OfflineError
    assert describe(error).exit_code == describe(family("x")).exit_code


def test_a_port_in_use_is_named_and_another_proposed() -> None:
    words = describe(PortInUseError("0.0.0.0", 8000))
    assert words.happened == "Port 8000 is already in use by another program."
    assert "--port 8001" in words.next


def test_the_operating_system_has_a_word_where_we_have_none() -> None:
    error = CannotListenError("192.0.2.7", 8123, "failed")
    error.__cause__ = OSError(12, "Out of sockets")
    assert describe(error).happened == (
        "The system refused to listen on 192.0.2.7, port 8123: Out of sockets."
    )


def test_a_cause_without_a_word_of_the_system_is_shown_as_it_is() -> None:
    error = CannotListenError("192.0.2.7", 8123, "failed")
    error.__cause__ = OSError("odd")
    assert describe(error).happened.endswith("port 8123: odd.")


@pytest.mark.parametrize("reason", ["refused", "no-answer"])
def test_a_server_that_cannot_be_reached_makes_one_think_of_the_firewall(
    reason: str,
) -> None:
    words = describe(UnreachableError("192.0.2.7", 8123, reason))  # type: ignore[arg-type]
    assert "firewall" in str(words)
    assert "let port 8123 in" in words.next or "lets port 8123 in" in words.next
