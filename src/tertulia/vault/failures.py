"""From what SQLite and the file system raise to what the profile's owner understands."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apsw

from tertulia.errors import BugError, TertuliaError
from tertulia.vault.errors import DamagedVaultError, VaultInUseError, VaultStorageError

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


@contextmanager
def failures(path: Path) -> Iterator[None]:
    """Raise a VaultError for what goes wrong inside with the file at `path`."""
    try:
        yield
    except apsw.Error as error:
        raise _of_sqlite(path, error) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise VaultStorageError(path, reason, is_full=error.errno in _FULL) from error


def _of_sqlite(path: Path, error: apsw.Error) -> TertuliaError:
    match error:
        case apsw.CorruptError() | apsw.NotADBError():
            return DamagedVaultError(path, str(error))
        case apsw.BusyError() | apsw.LockedError():
            return VaultInUseError(path)
        case apsw.FullError():
            return VaultStorageError(path, str(error), is_full=True)
        case (
            apsw.CantOpenError()
            | apsw.IOError()
            | apsw.NoMemError()
            | apsw.PermissionsError()
            | apsw.ReadOnlyError()
        ):
            return VaultStorageError(path, str(error))
        case _:
            return BugError(f"{type(error).__name__} in the vault: {error}")
