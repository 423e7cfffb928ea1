from pathlib import Path
from typing import Any

import pytest

from tools import mls_mutants
from tools.mls_mutants import Mutant, find_mutants

MODULE = """
def check_number(number):
    if number < 0:
        raise ValueError("negative")


def take(number, log):
    try:
        check_number(number)
    except TypeError:
        raise
    log.append(number)
    return number
"""
REFUSAL, CALL = 4, 9


@pytest.fixture
def mutants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Mutant]:
    package = tmp_path / "tertulia" / "sums"
    package.mkdir(parents=True)
    (package / "take.py").write_text(MODULE)
    monkeypatch.setattr(mls_mutants, "SOURCE", tmp_path)
    return find_mutants("sums")


def names_of(mutant: Mutant) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(mutant.code(), names)
    return names


def test_every_check_is_found_and_nothing_else(mutants: list[Mutant]) -> None:
    assert {(mutant.place, mutant.check) for mutant in mutants} == {
        (f"sums/take.py:{REFUSAL}", "raise ValueError('negative')"),
        (f"sums/take.py:{CALL}", "check_number(number)"),
    }
    assert {mutant.module for mutant in mutants} == {"tertulia.sums.take"}


def test_a_mutant_lacks_one_check_and_does_the_rest(mutants: list[Mutant]) -> None:
    for mutant in mutants:
        log: list[int] = []
        assert names_of(mutant)["take"](-1, log) == -1
        assert log == [-1]
    (uncalled,) = (mutant for mutant in mutants if mutant.line == CALL)
    with pytest.raises(ValueError, match="negative"):
        names_of(uncalled)["check_number"](-1)


def test_the_checks_of_the_engine_are_found() -> None:
    found = {(mutant.module, mutant.check) for mutant in find_mutants("mls")}
    assert ("tertulia.mls.joining", "policy.check_member(leaf)") in found
    assert ("tertulia.mls.joining", "raise InvalidError(Rule.WELCOME_LEAF)") in found
