"""Every error that a person can meet in a client has words, in both languages."""

import inspect
import string
from collections.abc import Iterator
from types import ModuleType

import pytest

import tertulia.agent.errors
import tertulia.cli.errors
import tertulia.client.errors
import tertulia.client.value_errors
import tertulia.vault.errors
from tertulia.cli import client_words
from tertulia.cli.client_words import (
    Sentences,
    known_codes,
    reason_words,
    warning_words,
    words_for,
)
from tertulia.client.errors import RelayRefusedError
from tertulia.crypto import NoMlKemError
from tertulia.errors import TertuliaError
from tertulia.l10n import choose_language
from tertulia.wire import ErrorCode, LinkError
from tests.cli.test_errors import EXAMPLES

MODULES: list[ModuleType] = [
    tertulia.agent.errors,
    tertulia.client.errors,
    tertulia.client.value_errors,
    tertulia.vault.errors,
]
# Those that only other errors or warnings of ours bring before people, or that our own
# faults raise: their family answers.
INNER = {"bad_content", "bad_key", "padding", "seal", "step_failed", "vault_file"}


def classes() -> Iterator[type[TertuliaError]]:
    for module in MODULES:
        for _name, kind in inspect.getmembers(module, inspect.isclass):
            if kind.__module__ == module.__name__ and issubclass(kind, TertuliaError):
                yield kind


@pytest.mark.parametrize("kind", list(classes()), ids=lambda kind: kind.__name__)
def test_every_class_has_words_by_its_code(kind: type[TertuliaError]) -> None:
    assert kind.code in known_codes() | INNER


def facts_of(kind: type[TertuliaError]) -> set[str]:
    facts: set[str] = set()
    for each in kind.__mro__:
        if issubclass(each, TertuliaError) and "__init__" in vars(each):
            facts |= set(inspect.signature(each.__init__).parameters)
    return facts | {"versions", "listed"}


@pytest.mark.parametrize("kind", list(classes()), ids=lambda kind: kind.__name__)
def test_words_name_only_facts_that_the_error_has(kind: type[TertuliaError]) -> None:
    sentences = client_words._sentences().get(kind.code, Sentences("", "", ""))
    named = {
        name
        for sentence in sentences
        for _text, name, _format, _conversion in string.Formatter().parse(sentence)
        if name
    }
    assert named <= facts_of(kind)


def test_the_relays_no_is_told_by_its_reason() -> None:
    told = words_for(RelayRefusedError(ErrorCode.INVITE_INVALID))
    assert told is not None
    assert told.happened.startswith("The link does not count any more")
    unheard_of = RelayRefusedError(ErrorCode.UNKNOWN)
    assert words_for(unheard_of) == client_words._refusals()["unknown"]


def test_who_lacks_ml_kem_is_told_what_to_do() -> None:
    told = words_for(NoMlKemError())
    assert told is not None
    assert "ML-KEM" in told.happened
    assert "`cryptography`" in told.next
    assert "--large" in told.next


def test_every_code_of_the_protocol_has_words() -> None:
    assert set(client_words._refusals()) == {code.value for code in ErrorCode}


def test_an_error_without_words_of_its_own_is_left_to_its_family() -> None:
    assert words_for(TertuliaError("x")) is None
    told = words_for(LinkError("cut"))
    assert told is not None
    assert told.happened == "That is no link of Tertulia, or a part of it is missing."


def test_a_lone_code_becomes_words() -> None:
    assert reason_words("room_full").startswith("The room stores as much")
    assert reason_words("wrong_relay").startswith("What answers there is not")
    assert reason_words("brand_new") == (
        "The reason is not known to this version (brand_new)."
    )
    assert "None" in reason_words(None)
    assert "{" not in reason_words("link_failed")


WARNINGS = (
    "head_contradicted",
    "history_disputed",
    "entry_void",
    "cannot_return",
    "entry_altered",
    "handshake_skipped",
    "out_of_step",
    "vault_cloned",
    "update_needed",
)


@pytest.mark.parametrize("code", WARNINGS)
def test_warnings_name_who_is_meant(code: str) -> None:
    assert "{" not in warning_words(code, "Blas")
    assert "somebody" in warning_words(code, "") or "Blas" not in warning_words(
        code, "Blas"
    )


def test_a_warning_of_a_newer_program_is_told_by_its_code() -> None:
    assert warning_words("odd", "") == "Something unusual happened (odd)."
    assert set(client_words._warnings()) == set(WARNINGS)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: error.code)
def test_all_is_told_in_spanish_too(error: TertuliaError) -> None:
    english = words_for(error)
    choose_language({"LANG": "es_ES.UTF-8"})
    try:
        spanish = words_for(error)
    finally:
        choose_language({})
    if english is None:
        assert spanish is None
    else:
        assert spanish is not None
        assert not set(english) & set(spanish)
