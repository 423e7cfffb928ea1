import stat
from pathlib import Path

import pytest

from tertulia.server.errors import ExposedKeyError, FolderError
from tertulia.server.folder import DataFolder, read_secret_file, write_secret_file


def test_a_new_folder_is_for_its_owner_only(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "a" / "b")
    folder.prepare()
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    folder.prepare()


def test_a_file_in_the_way_is_said(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    with pytest.raises(FolderError):
        DataFolder(tmp_path / "a").prepare()


def test_a_secret_is_written_whole_and_for_us_only(tmp_path: Path) -> None:
    path = tmp_path / "key"
    (tmp_path / ".key.new").write_text("what a crash left")
    assert read_secret_file(path) is None
    write_secret_file(path, b"secret")
    assert read_secret_file(path) == b"secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["key"]


def test_a_secret_is_never_written_over(tmp_path: Path) -> None:
    write_secret_file(tmp_path / "key", b"first")
    with pytest.raises(FolderError):
        write_secret_file(tmp_path / "key", b"second")
    assert read_secret_file(tmp_path / "key") == b"first"


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    write_secret_file(tmp_path / "key", b"secret")
    (tmp_path / "key").chmod(0o640)
    with pytest.raises(ExposedKeyError):
        read_secret_file(tmp_path / "key")


def test_a_folder_is_no_secret(tmp_path: Path) -> None:
    with pytest.raises(FolderError):
        read_secret_file(tmp_path)
