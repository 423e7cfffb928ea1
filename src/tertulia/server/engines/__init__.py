"""What the relay stores its rooms in; all answer the same port."""

from tertulia.server.engines.memory import MemoryEngine
from tertulia.server.engines.sqlite import (
    DamagedStoreError,
    NewerStoreError,
    SqliteEngine,
    StoreError,
    StoreExistsError,
    StoreInUseError,
    restore,
    verify,
)

__all__ = [
    "DamagedStoreError",
    "MemoryEngine",
    "NewerStoreError",
    "SqliteEngine",
    "StoreError",
    "StoreExistsError",
    "StoreInUseError",
    "restore",
    "verify",
]
