"""A vault in a folder of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tertulia.vault import Vault, create_vault
from tests.vault.samples import KEY


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vault.db"


@pytest.fixture
def vault(path: Path) -> Iterator[Vault]:
    vault = create_vault(path, KEY)
    yield vault
    vault.close()
