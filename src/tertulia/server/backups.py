"""Backup and restore of a whole relay: its store, its identity and its certificate.

Without the identity a restored relay would be a stranger to everybody who pinned it.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path

from tertulia.crypto import Rng
from tertulia.server.engines import restore, verify
from tertulia.server.errors import FolderError
from tertulia.server.folder import DataFolder, read_secret_file, write_secret_file
from tertulia.server.identity import load_identity


def _secrets(folder: DataFolder) -> tuple[Path, ...]:
    return folder.identity_key, folder.certificate_key, folder.certificate


async def back_up(
    folder: DataFolder, store: Callable[[Path], Awaitable[None]], target: Path
) -> None:
    """Copy a relay into a new folder; `store` copies the store. Raises VaultError."""
    copy = DataFolder(target)
    copy.prepare()
    await store(target)
    _copy_secrets(folder, copy)


def restore_relay(backup: DataFolder, folder: DataFolder, rng: Rng) -> None:
    """Make a relay from a backup in an empty folder; raise VaultError."""
    if read_secret_file(backup.identity_key) is None:
        raise FolderError(backup.path, "this is not a relay's backup: no identity.key")
    folder.prepare()
    restore(backup.path, folder.path, rng)
    _copy_secrets(backup, folder)


def verify_relay(folder: DataFolder, rng: Rng) -> list[str]:
    """Return everything that is wrong with a relay's folder or backup."""
    problems = verify(folder.path)
    try:
        if read_secret_file(folder.identity_key) is None:
            problems.append(f"{folder.identity_key} is missing")
        else:
            load_identity(folder, rng)
    except FolderError as error:
        problems.append(str(error))
    return problems


def _copy_secrets(source: DataFolder, target: DataFolder) -> None:
    for old, new in zip(_secrets(source), _secrets(target), strict=True):
        content = read_secret_file(old)
        if content is not None:
            write_secret_file(new, content)
