from pathlib import Path
from random import Random

import pytest

from tertulia.errors import VaultError
from tertulia.server import DataFolder, restore_relay, verify_relay
from tertulia.server.backups import back_up
from tertulia.server.engines import SqliteEngine
from tertulia.server.identity import load_identity
from tests.running_relay import run

RNG = Random(1).randbytes


def backed_up(folder: DataFolder, target: Path) -> None:
    async def story() -> None:
        folder.prepare()
        load_identity(folder, RNG)
        engine = await SqliteEngine.open(folder.path, RNG)
        try:
            await back_up(folder, engine.backup, target)
        finally:
            await engine.close()

    run(story())


def test_a_backup_carries_the_identity(tmp_path: Path) -> None:
    relay, backup, new = (DataFolder(tmp_path / name) for name in "abc")
    backed_up(relay, backup.path)
    assert verify_relay(backup, RNG) == []
    restore_relay(backup, new, RNG)
    assert load_identity(new, RNG) == load_identity(relay, RNG)
    assert verify_relay(new, RNG) == []


def test_nothing_is_restored_over_a_relay(tmp_path: Path) -> None:
    relay, backup = DataFolder(tmp_path / "a"), DataFolder(tmp_path / "b")
    backed_up(relay, backup.path)
    with pytest.raises(VaultError):
        restore_relay(backup, relay, RNG)
    with pytest.raises(VaultError):
        restore_relay(DataFolder(tmp_path), DataFolder(tmp_path / "c"), RNG)


def test_verifying_names_what_is_missing(tmp_path: Path) -> None:
    relay, backup = DataFolder(tmp_path / "a"), DataFolder(tmp_path / "b")
    backed_up(relay, backup.path)
    backup.identity_key.write_text("zz")
    assert any("identity" in problem for problem in verify_relay(backup, RNG))
    backup.identity_key.unlink()
    assert any("missing" in problem for problem in verify_relay(backup, RNG))
