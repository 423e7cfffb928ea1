"""From what SQLite and the file system raise to what the relay understands."""

import errno
import sqlite3

from tertulia.errors import BugError, TertuliaError
from tertulia.relay import StorageError


def as_failure(error: Exception) -> TertuliaError:
    """Return the failure as one of ours; what is no failure of the disk is a bug."""
    match error:
        case TertuliaError():
            return error
        case sqlite3.Error():
            code = getattr(error, "sqlite_errorcode", None)
            return StorageError(str(error), is_full=code == sqlite3.SQLITE_FULL)
        case OSError():
            is_full = error.errno in {errno.ENOSPC, errno.EDQUOT}
            return StorageError(str(error), is_full=is_full)
        case _:
            return BugError(f"{type(error).__name__} in the store: {error}")
