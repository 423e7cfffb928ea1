"""The cases of the official RFC 9420 vector files, one test id each.

A test marked with `every_case` gets each `Case` of a file in turn. Where the files are
missing it gets one id that says so: skipped, or failed if everything is required.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pytest

from tertulia.crypto import CipherSuite, Secret, cipher_suite
from tests.vectors import mls_vectors


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a vector file."""

    file: str
    index: int
    vector: dict[str, Any]

    @property
    def suite(self) -> CipherSuite:
        """The cipher suite that the case names."""
        return cipher_suite(self.vector["cipher_suite"])

    @property
    def name(self) -> str:
        """What tells the case from the others of its file."""
        number = self.vector.get("cipher_suite")
        return str(self.index) if number is None else f"suite{number}-{self.index}"


def every_case(file: str) -> pytest.MarkDecorator:
    """Give a test all cases of `file`, by the fixture `case`."""
    try:
        cases = cases_of(file)
    except (pytest.skip.Exception, pytest.fail.Exception):
        # It is the test, not its collection, that skips or fails.
        return pytest.mark.parametrize(
            "case", [(file, 0)], ids=["absent"], indirect=True
        )
    return pytest.mark.parametrize(
        "case",
        [(file, case.index) for case in cases],
        ids=[case.name for case in cases],
        indirect=True,
    )


@lru_cache
def cases_of(file: str) -> tuple[Case, ...]:
    """Return the cases of `file`; skip or fail where there is no such file."""
    return tuple(
        Case(file, index, vector) for index, vector in enumerate(mls_vectors(file))
    )


def octets(vector: dict[str, Any], name: str) -> bytes:
    """Return the bytes that `name` stands for."""
    return bytes.fromhex(vector[name])


def secret(vector: dict[str, Any], name: str) -> Secret:
    """Return the bytes that `name` stands for, as a secret."""
    return Secret(octets(vector, name))
