"""What an engine may report when it cannot do its work."""

from typing import ClassVar

from tertulia.errors import OfflineError


class StorageError(OfflineError):
    """The engine could not store or read; nothing of the change happened."""

    code: ClassVar[str] = "storage"
    sentence: ClassVar[str] = "the store failed: {reason}"

    def __init__(self, reason: str, *, is_full: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_full = is_full
