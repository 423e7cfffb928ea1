"""The profile folder: everything one person keeps here, readable by its owner only.

    vault.db   the encrypted database (with -wal while it is open)
    key        where the database's key is, or the key itself
    lock       held by the one process that has the vault open

A file is written whole or not at all: to a temporary name, synced, then renamed.
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tertulia.vault.errors import ExposedVaultKeyError
from tertulia.vault.failures import failures

# Windows keeps access elsewhere, where the folder's own list decides, and syncs no folder.
IS_POSIX: Final = os.name == "posix"


@dataclass(frozen=True, slots=True)
class ProfileFolder:
    """The paths of one profile."""

    path: Path

    @property
    def vault(self) -> Path:
        """The database."""
        return self.path / "vault.db"

    @property
    def key(self) -> Path:
        """What leads to its key."""
        return self.path / "key"

    @property
    def lock(self) -> Path:
        """Held while the vault is open."""
        return self.path / "lock"

    def prepare(self) -> None:
        """Make the folder if it is missing, for its owner only; raise VaultError."""
        with failures(self.path):
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)


def read_secret_file(path: Path) -> bytes | None:
    """Return the content of an owner-only file, None if there is none.

    Raises ExposedVaultKeyError or VaultStorageError.
    """
    with failures(path):
        try:
            with path.open("rb") as file:
                if _is_exposed(os.fstat(file.fileno()).st_mode):
                    raise ExposedVaultKeyError(path)
                return file.read()
        except FileNotFoundError:
            return None


def write_secret_file(path: Path, content: bytes) -> None:
    """Write or replace an owner-only file; raise VaultStorageError."""
    with failures(path):
        temporary = new_secret_file(path)
        with temporary.open("wb") as file:
            file.write(content)
        settle(temporary, path)


def new_secret_file(path: Path) -> Path:
    """Make an empty owner-only file that is to become `path`, and return its path."""
    temporary = path.with_name(f"{path.name}.new")
    temporary.unlink(missing_ok=True)  # what a crash left behind
    os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    return temporary


def settle(temporary: Path, path: Path) -> None:
    """Give a file its name once all of it is on disk."""
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.replace(path)
    _sync_folder(path.parent)


def _is_exposed(mode: int) -> bool:
    return IS_POSIX and bool(stat.S_IMODE(mode) & 0o077)


def _sync_folder(path: Path) -> None:
    if not IS_POSIX:
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
