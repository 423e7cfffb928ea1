import inspect

import pytest

from tertulia.agent import errors
from tertulia.errors import TertuliaError

KINDS = [
    kind
    for _name, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, TertuliaError) and kind.__module__ == errors.__name__
]
FACTS = {
    "address": "https://relay.example",
    "reason": "unreachable",
    "room": bytes(16),
    "relay": bytes(32),
    "message": bytes(32),
    "count": 2,
    "seconds": 60,
    "item": "Started",
    "path": "folder",
    "ours": 1,
    "theirs": 2,
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_makes_a_sentence_of_its_facts(kind: type[TertuliaError]) -> None:
    wanted = list(inspect.signature(kind.__init__).parameters)[1:]
    facts = [FACTS[name] for name in wanted if name in FACTS]
    error = kind(*facts)
    assert str(error)
    assert set(vars(error)) == {name for name in wanted if name in FACTS}


def test_codes_are_distinct() -> None:
    codes = [kind.code for kind in KINDS]
    assert len(codes) == len(set(codes))
