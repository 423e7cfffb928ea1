from typing import ClassVar

import pytest

from tertulia import errors
from tertulia.errors import TertuliaError

FAMILIES = sorted(
    (kind for kind in vars(errors).values() if isinstance(kind, type)),
    key=lambda kind: kind.__name__,
)


class LostPenError(TertuliaError):
    code: ClassVar[str] = "lost-pen"
    sentence: ClassVar[str] = "the pen of {owner} is lost"

    def __init__(self, owner: str) -> None:
        self.owner = owner


def test_a_sentence_is_composed_from_the_facts() -> None:
    assert str(LostPenError("Ana")) == "the pen of Ana is lost"


def test_facts_are_never_read_as_a_format() -> None:
    assert str(LostPenError("{code}")) == "the pen of {code} is lost"


def test_without_a_sentence_the_argument_speaks() -> None:
    assert str(TertuliaError("out of ink")) == "out of ink"


@pytest.mark.parametrize("kind", FAMILIES, ids=lambda kind: kind.__name__)
def test_every_family_descends_from_the_one_base(kind: type[Exception]) -> None:
    assert issubclass(kind, TertuliaError)


def test_codes_are_distinct() -> None:
    codes = [kind.code for kind in FAMILIES if issubclass(kind, TertuliaError)]
    assert len(codes) == len(set(codes))
