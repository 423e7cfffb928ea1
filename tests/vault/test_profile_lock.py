import os
import subprocess
import sys
from pathlib import Path

import pytest

from tertulia.vault import ProfileLock, VaultInUseError, VaultStorageError

HOLD = """
import pathlib, sys
from tertulia.vault import ProfileLock
lock = ProfileLock(pathlib.Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_one_at_a_time_holds_a_profile(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    with ProfileLock(folder):
        with pytest.raises(VaultInUseError) as caught:
            ProfileLock(folder)
        assert caught.value.path == str(folder / "lock")
        with ProfileLock(tmp_path / "another"):
            pass
        assert [file.name for file in folder.iterdir()] == ["lock"]
    lock = ProfileLock(folder)
    lock.close()
    ProfileLock(folder).close()


def test_the_lock_is_held_against_other_processes_and_ends_with_its_own(
    tmp_path: Path,
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"held" + os.linesep.encode()
            with pytest.raises(VaultInUseError):
                ProfileLock(tmp_path)
        finally:
            process.kill()
    ProfileLock(tmp_path).close()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(VaultStorageError):
        ProfileLock(tmp_path / "file")
    (tmp_path / "lock").mkdir()
    with pytest.raises(VaultStorageError):
        ProfileLock(tmp_path)
