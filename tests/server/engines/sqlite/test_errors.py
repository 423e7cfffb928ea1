"""What an operator is told about a store that cannot be used."""

from pathlib import Path

import pytest

from tertulia.errors import VaultError
from tertulia.server.engines.sqlite.errors import (
    DamagedStoreError,
    NewerStoreError,
    StoreError,
    StoreExistsError,
    StoreInUseError,
)

PATH = Path("relay.db")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (DamagedStoreError(PATH, "bad page"), "restore a backup"),
        (NewerStoreError(PATH, 3, 1), "version 3, this program knows 1: update"),
        (StoreInUseError(PATH), "stop that one first"),
        (StoreExistsError(PATH), "name an empty folder"),
    ],
)
def test_every_error_names_the_place_and_what_to_do(
    error: StoreError, words: str
) -> None:
    assert isinstance(error, VaultError)
    assert error.path == PATH
    assert str(error).startswith("relay.db ")
    assert words in str(error)


def test_codes_differ() -> None:
    kinds = StoreError.__subclasses__()
    assert len({kind.code for kind in kinds}) == len(kinds)
