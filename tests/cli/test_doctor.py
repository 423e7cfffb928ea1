import ast
from pathlib import Path

import pytest

from tertulia.cli.doctor import _sentences, _summary, as_json, words_for
from tertulia.server import Checked, Finding, Verdict, checkup

FACTS: dict[str, str | int] = {
    "path": "/p",
    "reason": "why",
    "free": 2048,
    "now": "then",
    "until": "later",
    "name": "n",
    "port": 1,
    "host": "h",
    "address": "a",
}


@pytest.mark.parametrize("key", sorted(_sentences()), ids="-".join)
def test_every_finding_has_words(key: tuple[str, str]) -> None:
    finding = Finding(Checked(key[0]), Verdict.BAD, key[1], FACTS)
    happened, advice = words_for(finding)
    assert happened
    assert "{" not in happened + advice


def test_what_is_wrong_comes_with_what_to_do() -> None:
    tree = ast.parse(Path(checkup.__file__).read_text())
    words = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    known = {what for _checked, what in _sentences()}
    assert known - words <= {"exposed_key", "folder"}, "sentences nobody uses"


def test_programs_get_the_facts() -> None:
    finding = Finding(Checked.PORT, Verdict.BAD, "taken", {"port": 1})
    assert as_json(finding) == {
        "checked": "port",
        "verdict": "bad",
        "what": "taken",
        "port": 1,
    }


def test_a_doubt_is_summed_up_as_neither_right_nor_wrong() -> None:
    assert len({_summary(verdict) for verdict in Verdict}) == len(Verdict)
    assert "??" in _summary(Verdict.DOUBTFUL)
    assert "!!" in _summary(Verdict.BAD)
