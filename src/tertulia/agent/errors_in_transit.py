"""Errors as values, so that a face handles them alike wherever they were raised.

An error travels as its family, its code and its facts. At the other end it is an
instance of the class that has this code within this family, or of the family, if this
process does not know the class: then the sentence travelled with it.
"""

from collections.abc import Iterator
from typing import Any, Final

from tertulia.agent.calls import Failed
from tertulia.errors import (
    BugError,
    OfflineError,
    PeerError,
    RefusedError,
    TertuliaError,
    UsageError,
    VaultError,
)

_FAMILIES: Final[dict[str, type[TertuliaError]]] = {
    family.code: family
    for family in (
        UsageError,
        PeerError,
        RefusedError,
        OfflineError,
        VaultError,
        BugError,
        TertuliaError,
    )
}


def describe(number: int, error: Exception) -> Failed:
    """Return an error as the outcome of a call."""
    if not isinstance(error, TertuliaError):
        return Failed(number, BugError.code, BugError.code, {}, repr(error))
    facts = {name: _plain(fact) for name, fact in vars(error).items()}
    return Failed(number, _family_of(error), error.code, facts, str(error))


def rebuild(failed: Failed) -> TertuliaError:
    """Return the error that was described."""
    family = _FAMILIES.get(failed.family, TertuliaError)
    for kind in _kinds(family):
        if kind.code == failed.code and kind is not family:
            error = kind.__new__(kind, failed.sentence)
            vars(error).update(failed.facts)
            if _speaks(error):
                return error
    stand_in = family(failed.sentence)
    if failed.code != family.code:
        vars(stand_in)["code"] = failed.code
    return stand_in


def _plain(fact: object) -> Any:
    match fact:
        case None | bool() | int() | float() | str() | bytes():
            return fact
        case tuple() | list():
            return [_plain(each) for each in fact]
        case _:
            return str(fact)


def _family_of(error: TertuliaError) -> str:
    for code, family in _FAMILIES.items():
        if isinstance(error, family):
            return code
    return TertuliaError.code


def _kinds(family: type[TertuliaError]) -> Iterator[type[TertuliaError]]:
    """Yield a class and all that derive from it, the general ones first."""
    yield family
    for kind in family.__subclasses__():
        yield from _kinds(kind)


def _speaks(error: TertuliaError) -> bool:
    """Tell whether the facts are those that the class has."""
    try:
        return bool(str(error))
    except (KeyError, TypeError, ValueError):
        return False
