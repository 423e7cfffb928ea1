"""One process at a time works on a profile: its keys, its vault, its links.

The lock is one of SQLite's on an empty file. It works on every system, is the kernel's,
and ends with the process, however that ends. Nothing else may open the file: on POSIX a
process loses its locks on a file as soon as it closes any descriptor of it.
"""

from pathlib import Path
from types import TracebackType
from typing import Self

import apsw

from tertulia.vault.failures import failures
from tertulia.vault.folder import ProfileFolder


class ProfileLock:
    """Held from the moment it is made until it is closed."""

    def __init__(self, folder: Path) -> None:
        """Take the lock of the profile in `folder`, made if it is missing.

        Raises VaultInUseError if another process has it, VaultStorageError.
        """
        profile = ProfileFolder(folder)
        profile.prepare()
        with failures(profile.lock):
            self._held = apsw.Connection(str(profile.lock))
            try:
                self._held.pragma("journal_mode", "MEMORY")  # no file for it
                self._held.execute("BEGIN EXCLUSIVE")
            except apsw.Error:
                self._held.close()
                raise

    def close(self) -> None:
        """Let another process have it."""
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
