"""All or nothing: one transaction around some queries."""

from collections.abc import Iterator
from contextlib import contextmanager

import apsw


@contextmanager
def transaction(database: apsw.Connection) -> Iterator[None]:
    """Commit what happens inside, durably; where something fails, undo all of it."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        # After a full disk or a failed write SQLite has undone it by itself.
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise
