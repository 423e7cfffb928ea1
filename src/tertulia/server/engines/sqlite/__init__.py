"""The engine of one machine: an SQLite database and a folder of blobs."""

from tertulia.server.engines.sqlite.engine import SqliteEngine
from tertulia.server.engines.sqlite.errors import (
    DamagedStoreError,
    NewerStoreError,
    StoreError,
    StoreExistsError,
    StoreInUseError,
)
from tertulia.server.engines.sqlite.maintenance import restore, verify

__all__ = [
    "DamagedStoreError",
    "NewerStoreError",
    "SqliteEngine",
    "StoreError",
    "StoreExistsError",
    "StoreInUseError",
    "restore",
    "verify",
]
