import stat
from pathlib import Path

import pytest

from tertulia.vault import ExposedVaultKeyError, ProfileFolder, VaultStorageError
from tertulia.vault.folder import read_secret_file, write_secret_file


def test_a_new_folder_is_for_its_owner_only(tmp_path: Path) -> None:
    profile = ProfileFolder(tmp_path / "a" / "b")
    profile.prepare()
    profile.prepare()
    assert stat.S_IMODE(profile.path.stat().st_mode) == 0o700
    names = [path.name for path in (profile.vault, profile.key, profile.lock)]
    assert names == ["vault.db", "key", "lock"]


def test_a_file_in_the_way_is_said(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    with pytest.raises(VaultStorageError):
        ProfileFolder(tmp_path / "a").prepare()


def test_a_secret_is_written_and_replaced_for_us_only(tmp_path: Path) -> None:
    path = tmp_path / "key"
    (tmp_path / "key.new").write_text("what a crash left")
    assert read_secret_file(path) is None
    for content in (b"first, and longer", b"second"):
        write_secret_file(path, content)
        assert read_secret_file(path) == content
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["key"]


def test_the_old_secret_stays_until_the_new_one_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(f"the disk is gone under {descriptor}")

    write_secret_file(tmp_path / "key", b"first")
    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(VaultStorageError):
        write_secret_file(tmp_path / "key", b"second")
    assert read_secret_file(tmp_path / "key") == b"first"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_secret_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    write_secret_file(tmp_path / "key", b"secret")
    (tmp_path / "key").chmod(mode)
    with pytest.raises(ExposedVaultKeyError) as caught:
        read_secret_file(tmp_path / "key")
    assert caught.value.path == str(tmp_path / "key")


def test_a_folder_is_no_secret(tmp_path: Path) -> None:
    with pytest.raises(VaultStorageError):
        read_secret_file(tmp_path)


def test_systems_without_modes_are_trusted_with_their_own_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_secret_file(tmp_path / "key", b"secret")
    (tmp_path / "key").chmod(0o644)
    monkeypatch.setattr("tertulia.vault.folder.IS_POSIX", False)
    assert read_secret_file(tmp_path / "key") == b"secret"
    write_secret_file(tmp_path / "key", b"another")
    assert read_secret_file(tmp_path / "key") == b"another"
