"""The catalogue in use, chosen once when a program starts.

English is the language of the source; `locale/LANGUAGE/LC_MESSAGES/tertulia.mo`
holds the others. A process speaks one language: the entry point calls
`choose_language` with the environment, everything else calls `_`. Only faces may
import this package: rules and protocols carry facts, not sentences.

Sentences that `argparse` composes come from the standard library's own gettext. It is
pointed at our catalogue while that is in use, and back otherwise; it looks for the
language in the environment of the process.
"""

import gettext
from collections.abc import Mapping
from pathlib import Path

DOMAIN = "tertulia"
LOCALE_DIR = Path(__file__).parent / "locale"

# What gettext(1) reads, in its order of precedence.
LANGUAGE_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")

# The domain of the standard library's gettext unless a program sets another.
_STANDARD_DOMAIN = "messages"

_in_use: list[gettext.NullTranslations] = [gettext.NullTranslations()]


def languages_wanted(environment: Mapping[str, str]) -> list[str]:
    """Return the languages the environment asks for, the preferred one first.

    As in gettext(1): the first variable set decides, `LANGUAGE` may list several
    separated by colons, and the locale `C` or `POSIX` overrules `LANGUAGE`.
    """
    values = {name: environment.get(name, "") for name in LANGUAGE_VARIABLES}
    locale = values["LC_ALL"] or values["LC_MESSAGES"] or values["LANG"]
    if locale.partition(".")[0] in {"C", "POSIX"}:
        return []
    return [name for name in (values["LANGUAGE"] or locale).split(":") if name]


def choose_language(environment: Mapping[str, str]) -> None:
    """Speak the language that `environment` asks for, or else English."""
    wanted = languages_wanted(environment)
    # An English speaker who lists Spanish second wants English, which is the source.
    before_english = wanted[: _index_of_english(wanted)]
    _in_use[0] = gettext.translation(
        DOMAIN, LOCALE_DIR, languages=before_english or ["en"], fallback=True
    )
    speaks_english = not isinstance(_in_use[0], gettext.GNUTranslations)
    gettext.bindtextdomain(DOMAIN, str(LOCALE_DIR))
    gettext.textdomain(_STANDARD_DOMAIN if speaks_english else DOMAIN)


def _index_of_english(wanted: list[str]) -> int:
    for index, name in enumerate(wanted):
        if name.lower().startswith("en"):
            return index
    return len(wanted)


def _(message: str) -> str:
    """Return `message` in the language in use."""
    return _in_use[0].gettext(message)


def ngettext(one: str, many: str, count: int) -> str:
    """Return `one` or `many`, as `count` demands, in the language in use."""
    return _in_use[0].ngettext(one, many, count)
