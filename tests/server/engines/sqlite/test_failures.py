"""Failures of the disk, and what is none."""

import errno
import sqlite3

from tertulia.errors import BugError
from tertulia.relay import StorageError
from tertulia.server.engines.sqlite.failures import as_failure


def test_each_failure_has_its_kind() -> None:
    own = StorageError("mine")
    assert as_failure(own) is own
    full = as_failure(OSError(errno.ENOSPC, "no space"))
    broken = as_failure(OSError(errno.EIO, "input/output error"))
    locked = as_failure(sqlite3.OperationalError("locked"))
    for failure, is_full in ((full, True), (broken, False), (locked, False)):
        assert isinstance(failure, StorageError)
        assert failure.is_full is is_full
    assert isinstance(as_failure(KeyError("x")), BugError)
