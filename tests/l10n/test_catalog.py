import gettext
from collections.abc import Iterator, Mapping

import pytest

from tertulia.l10n import _, choose_language, ngettext
from tertulia.l10n.catalog import languages_wanted

SENTENCE = "Nothing was lost."


@pytest.fixture(autouse=True)
def english_afterwards() -> Iterator[None]:
    yield
    choose_language({})


@pytest.mark.parametrize(
    "environment",
    [
        {"LANG": "es_ES.UTF-8"},
        {"LANG": "es_MX"},
        {"LC_MESSAGES": "es_ES.UTF-8", "LANG": "en_GB.UTF-8"},
        {"LC_ALL": "es", "LC_MESSAGES": "en"},
        {"LANGUAGE": "es:en", "LANG": "en_US.UTF-8"},
        {"LANGUAGE": "fr:es", "LANG": "fr_FR.UTF-8"},
    ],
)
def test_spanish_where_the_environment_asks_for_it(
    environment: Mapping[str, str],
) -> None:
    choose_language(environment)
    assert _(SENTENCE) == "No se ha perdido nada."


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"LANG": "en_GB.UTF-8"},
        {"LANG": "fr_FR.UTF-8"},
        {"LANGUAGE": "en:es", "LANG": "es_ES.UTF-8"},
        {"LC_ALL": "C.UTF-8", "LANGUAGE": "es"},
        {"LANG": "POSIX", "LANGUAGE": "es"},
    ],
)
def test_english_everywhere_else(environment: Mapping[str, str]) -> None:
    choose_language(environment)
    assert _(SENTENCE) == SENTENCE


def test_an_unknown_sentence_stays_as_it_is() -> None:
    choose_language({"LANG": "es_ES.UTF-8"})
    assert _("no such sentence") == "no such sentence"


def test_plurals_follow_the_count() -> None:
    assert ngettext("{n} room", "{n} rooms", 1) == "{n} room"
    assert ngettext("{n} room", "{n} rooms", 2) == "{n} rooms"


def test_the_locale_that_means_no_language_wins_over_language() -> None:
    assert languages_wanted({"LC_ALL": "C", "LANGUAGE": "es"}) == []


def test_the_standard_library_speaks_spanish_with_us_and_english_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "es_ES.UTF-8")
    choose_language({"LANG": "es_ES.UTF-8"})
    assert gettext.gettext("options") == "opciones"
    choose_language({"LANG": "en_GB.UTF-8"})
    assert gettext.gettext("options") == "options"
