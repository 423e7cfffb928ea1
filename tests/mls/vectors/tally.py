"""How much the vectors checked: files, cases, single checks."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import pytest

PROPERTY = "vector_case"

T = TypeVar("T")


class Tally:
    """Compares what the engine says with a vector, and counts how often."""

    def __init__(self) -> None:
        self.checks = 0

    def equal(self, ours: T, theirs: T) -> None:
        """Check that the engine's value is the vector's."""
        assert ours == theirs, f"{ours!r} instead of {theirs!r}"
        self.checks += 1

    @contextmanager
    def accepts(self) -> Iterator[None]:
        """Check that nothing in the block is refused."""
        yield
        self.checks += 1

    @contextmanager
    def refuses(self, *errors: type[Exception]) -> Iterator[None]:
        """Check that the block is refused with one of these errors."""
        with pytest.raises(errors):
            yield
        self.checks += 1


def summary(passed: Iterable[pytest.TestReport]) -> str | None:
    """Return the sum over all tests that passed, None if no vector was looked at."""
    facts = [
        value
        for report in passed
        for name, value in report.user_properties
        if name == PROPERTY and isinstance(value, str)
    ]
    if not facts:
        return None
    files, cases, checks = set(), set(), 0
    for fact in facts:
        file, index, count = fact.split()
        files.add(file)
        cases.add((file, index))
        checks += int(count)
    return f"vectors: {len(files)} files, {len(cases)} cases, {checks} checks"
