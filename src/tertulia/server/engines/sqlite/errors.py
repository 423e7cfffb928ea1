"""Why a store cannot be opened, and what its operator can do."""

from pathlib import Path
from typing import ClassVar

from tertulia.errors import VaultError


class StoreError(VaultError):
    """The store of a relay cannot be used as it is."""

    code: ClassVar[str] = "store"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path


class DamagedStoreError(StoreError):
    """The file is no database of a relay, or parts of it are destroyed."""

    code: ClassVar[str] = "store_damaged"
    sentence: ClassVar[str] = (
        "{path} is damaged or not a relay's store ({reason});"
        " restore a backup into another folder"
    )

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path)
        self.reason = reason


class NewerStoreError(StoreError):
    """The store was written by a later version of this program."""

    code: ClassVar[str] = "store_newer"
    sentence: ClassVar[str] = (
        "{path} has version {version}, this program knows {known}: update it"
    )

    def __init__(self, path: Path, version: int, known: int) -> None:
        super().__init__(path)
        self.version = version
        self.known = known


class StoreInUseError(StoreError):
    """Another process has the store open."""

    code: ClassVar[str] = "store_in_use"
    sentence: ClassVar[str] = "{path} is in use by another relay: stop that one first"


class StoreExistsError(StoreError):
    """A restore or backup would overwrite something."""

    code: ClassVar[str] = "store_exists"
    sentence: ClassVar[str] = "{path} already holds something: name an empty folder"
