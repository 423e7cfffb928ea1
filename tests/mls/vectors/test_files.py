"""The RFC 9420 vector files: as many cases, for as many suites, as were published."""

from collections import Counter

import pytest

from tertulia.crypto import CIPHER_SUITES, HYBRID_SUITE
from tests.mls.vectors.cases import cases_of

# Cases for each suite, or of the whole file where they name none.
FOR_EVERY_SUITE = {
    "crypto-basics": 1,
    "key-schedule": 1,
    "message-protection": 1,
    "passive-client-handling-commit": 13,
    "passive-client-welcome": 8,
    "psk_secret": 11,
    "secret-tree": 3,
    "transcript-hashes": 1,
    "tree-validation": 14,
    "treekem": 11,
    "welcome": 1,
}
FOR_ONE_SUITE = {"passive-client-random": 1, "tree-operations": 5}
WITHOUT_SUITE = {"deserialization": 14, "messages": 300, "tree-math": 10}


# Those of RFC 9420; the draft of the hybrid suite has no files of its own.
OFFICIAL = [number for number in CIPHER_SUITES if number != HYBRID_SUITE]


@pytest.mark.parametrize(("file", "count"), FOR_EVERY_SUITE.items())
def test_cases_for_every_suite(file: str, count: int) -> None:
    suites = Counter(case.suite.id for case in cases_of(file))
    assert suites == dict.fromkeys(OFFICIAL, count)


@pytest.mark.parametrize(("file", "count"), FOR_ONE_SUITE.items())
def test_cases_for_the_first_suite(file: str, count: int) -> None:
    assert [case.suite.id for case in cases_of(file)] == [1] * count


@pytest.mark.parametrize(("file", "count"), WITHOUT_SUITE.items())
def test_cases_without_a_suite(file: str, count: int) -> None:
    assert len(cases_of(file)) == count
