import errno
from pathlib import Path

import apsw
import pytest

from tertulia.errors import BugError, TertuliaError
from tertulia.vault import (
    DamagedVaultError,
    LockedVaultError,
    VaultInUseError,
    VaultStorageError,
)
from tertulia.vault.failures import failures

PATH = Path("vault.db")


def raised_for(error: Exception) -> TertuliaError:
    with pytest.raises(TertuliaError) as caught, failures(PATH):
        raise error
    return caught.value


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (apsw.CorruptError("malformed"), DamagedVaultError),
        (apsw.NotADBError("no database"), DamagedVaultError),
        (apsw.BusyError("busy"), VaultInUseError),
        (apsw.LockedError("locked"), VaultInUseError),
        (apsw.IOError("disk"), VaultStorageError),
        (apsw.CantOpenError("no"), VaultStorageError),
        (apsw.ReadOnlyError("no"), VaultStorageError),
        (apsw.PermissionsError("no"), VaultStorageError),
        (apsw.NoMemError("no"), VaultStorageError),
        (PermissionError(errno.EACCES, "denied"), VaultStorageError),
        (apsw.ConstraintError("not null"), BugError),
    ],
)
def test_each_failure_says_how_to_react(
    error: Exception, expected: type[TertuliaError]
) -> None:
    assert type(raised_for(error)) is expected


@pytest.mark.parametrize(
    ("error", "is_full"),
    [
        (apsw.FullError("full"), True),
        (apsw.IOError("disk"), False),
        (OSError(errno.ENOSPC, "full"), True),
        (OSError(errno.EDQUOT, "quota"), True),
        (OSError("without a number"), False),
    ],
)
def test_a_full_disk_is_told_apart(error: Exception, *, is_full: bool) -> None:
    raised = raised_for(error)
    assert isinstance(raised, VaultStorageError)
    assert raised.is_full is is_full
    assert raised.reason in {"full", "disk", "quota", "without a number"}


def test_our_own_errors_pass(path: Path) -> None:
    with pytest.raises(LockedVaultError), failures(path):
        raise LockedVaultError(path, "why")
