"""Official test vectors, read from folders that the environment names."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

MLS_SOURCE = "mlswg/mls-implementations, folder test-vectors"
HPKE_SOURCE = "the package cryptography-vectors, folder HPKE"


def mls_vectors(name: str) -> list[Any]:
    """Return the cases of an RFC 9420 vector file, such as `tree-math`."""
    return _load("TERTULIA_MLS_VECTORS", name, MLS_SOURCE)


def hpke_vectors(name: str) -> list[Any]:
    """Return the cases of an HPKE vector file, such as `rfc9180-base`."""
    return _load("TERTULIA_HPKE_VECTORS", name, HPKE_SOURCE)


def _load(variable: str, name: str, source: str) -> list[Any]:
    folder = os.environ.get(variable)
    if folder is None:
        sentence = f"{variable} is not set: put the files of {source} there"
        if os.environ.get("TERTULIA_REQUIRE_ALL") == "1":
            pytest.fail(sentence)
        pytest.skip(sentence)
    cases: list[Any] = json.loads((Path(folder) / f"{name}.json").read_text())
    return cases
