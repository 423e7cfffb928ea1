"""Copying the WAL into the database, beside the commits.

SQLite would copy within the commit that fills the WAL, and everybody would wait until
all of it is read, written and synced. So a thread of its own copies, with a connection
of its own; commits go on meanwhile, and readers wait for nobody.

A WAL begins anew only when all of it was copied. Under steady load some of it never is,
for commits go on while the thread copies. Before the WAL grows beyond MOST, the writer
copies the rest itself, between two commits: what came during the last copy.
"""

import contextlib
import queue
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Final

PAGE: Final = 4_096  # bytes; SQLite's own choice

# Bytes in the WAL. Pages that are written again and again are copied once, so rarely is
# better; but a copy keeps the disk from the commits, who reads long logs looks through
# all of the WAL, and a start after a crash reads it, in some milliseconds.
ENOUGH: Final = 8 * 1024 * 1024
MOST: Final = 4 * ENOUGH

# How much a change puts there is guessed. It writes three leaves, of the log and of two
# indexes, that the next change may write again. What it stores is written once, so
# nothing is gained by waiting, and counts more.
_LEAVES: Final = 3 * PAGE
_STORED: Final = 4


class Checkpoints:
    """When, and by whom, the WAL of one database is copied."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written = 0
        self._is_under_way = False
        # Set by the thread, when what is left is for the writer.
        self._is_left = False
        # To the thread: whether to copy, or to end.
        self._wanted: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="store checkpoints")
        self._thread.start()

    def note(self, database: sqlite3.Connection, changes: int, size: int) -> None:
        """Take note of a commit of so many changes, that store `size` bytes together.

        To be called by who made it with `database`, outside of a transaction.
        """
        self._written += changes * _LEAVES + size * _STORED
        if self._is_left:
            self._is_left = False
            checkpoint(database)
        if self._written >= ENOUGH and not self._is_under_way:
            self._written = 0
            self._is_under_way = True
            self._wanted.put(item=True)

    def close(self) -> None:
        """Copy what was asked for, then end the thread."""
        self._wanted.put(item=False)
        self._thread.join()

    def _work(self) -> None:
        with closing(sqlite3.connect(self._path, isolation_level=None)) as database:
            while self._wanted.get():
                if checkpoint(database) >= MOST:
                    # Once more, so that little is left.
                    checkpoint(database)
                    self._is_left = True
                self._is_under_way = False


def checkpoint(database: sqlite3.Connection) -> int:
    """Copy what can be copied without waiting; return the bytes of the WAL.

    A failing disk is not its matter: what was not copied is still in the WAL, and who
    writes next hears of it.
    """
    with contextlib.suppress(sqlite3.Error):
        row = database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        _, pages, _ = row
        return int(pages) * PAGE
    return 0
