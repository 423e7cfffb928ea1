"""The vault's file: how it is encrypted, made, opened and brought to this version.

Each page is encrypted with ChaCha20-Poly1305 under a key of its own, so that a damaged
or altered page is noticed when it is read. The key is given as it is; no passphrase
derivation runs here. The first 16 bytes of the file, where the cipher would keep a salt,
name the vault's key: thus a wrong key and a damaged file are told apart.

The connection holds the file for itself, which also keeps SQLite's index of the -wal
file in memory. While it is open this process must not open the file in any other way:
on POSIX that would drop SQLite's lock.
"""

from collections.abc import Sequence
from contextlib import closing
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

import apsw

from tertulia.crypto import HKDF_SHA256, Secret
from tertulia.errors import BugError
from tertulia.vault.errors import (
    DamagedVaultError,
    MissingVaultError,
    NewerVaultError,
    VaultExistsError,
    WrongKeyError,
)
from tertulia.vault.failures import failures
from tertulia.vault.folder import new_secret_file, settle
from tertulia.vault.transaction import transaction

KEY_SIZE: Final = 32
_NAME_SIZE: Final = 16

_SETTINGS: Final[Sequence[tuple[str, str | int]]] = (
    ("locking_mode", "EXCLUSIVE"),  # before the first look into the file
    ("temp_store", "MEMORY"),  # nothing readable in temporary files
    ("secure_delete", "ON"),  # a deleted key leaves its page
    ("cache_size", -8_000),  # KiB
    ("journal_mode", "WAL"),
    ("synchronous", "FULL"),  # a save that returned survives a power cut
    ("fullfsync", "ON"),  # what macOS calls the same
    ("journal_size_limit", 4 * 1024 * 1024),  # a big catch-up leaves no big -wal
)


def schema_steps(folder: Traversable | None = None) -> list[str]:
    """Return the scripts from nothing to this version: schema.sql, upgrade_2.sql, ..."""
    folder = folder or files("tertulia.vault") / "schema"
    steps = [(folder / "schema.sql").read_text(encoding="utf-8")]
    while (upgrade := folder / f"upgrade_{len(steps) + 1}.sql").is_file():
        steps.append(upgrade.read_text(encoding="utf-8"))
    return steps


def key_name(key: Secret) -> bytes:
    """Return what names the key of a vault without telling anything of it."""
    return HKDF_SHA256.expand(key.reveal(), b"Tertulia 1 vault name", _NAME_SIZE)


def create(path: Path, key: Secret, steps: Sequence[str]) -> None:
    """Make a vault of the last version without any rows, whole or not at all.

    Raises VaultExistsError or VaultStorageError.
    """
    with failures(path):
        if path.exists():
            raise VaultExistsError(path)
        temporary = new_secret_file(path)
        with closing(_connect(temporary, key)) as database:
            _upgrade(database, 0, steps)
        settle(temporary, path)


def open_store(path: Path, key: Secret, steps: Sequence[str]) -> apsw.Connection:
    """Return a connection to a vault of the last version, upgraded if need be.

    Raises VaultError.
    """
    with failures(path):
        if not path.exists():
            raise MissingVaultError(path)
        database = _unlocked(path, key)
        try:
            _bring_up(database, path, key, steps)
        except BaseException:
            database.close()
            raise
        return database


def _unlocked(path: Path, key: Secret) -> apsw.Connection:
    try:
        return _connect(path, key)
    except apsw.NotADBError:
        # By now the connection is closed: reading the file drops nobody's lock.
        if _has_name(path, key):
            raise
        raise WrongKeyError(path) from None


def _has_name(path: Path, key: Secret) -> bool:
    with path.open("rb") as file:
        return file.read(_NAME_SIZE) == key_name(key)


def _connect(path: Path, key: Secret) -> apsw.Connection:
    database = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        # Closing with a wrong key must not touch what a crash left in the -wal file.
        database.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        _set_key(database, key)
        for name, value in _SETTINGS:
            database.pragma(name, value)
        database.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
    except BaseException:
        database.close()
        raise
    return database


def _set_key(database: apsw.Connection, key: Secret) -> None:
    if len(key) != KEY_SIZE:
        raise BugError(f"a vault's key has {KEY_SIZE} bytes, not {len(key)}")
    page_key = HKDF_SHA256.expand(key.reveal(), b"Tertulia 1 vault pages", KEY_SIZE)
    database.pragma("cipher", "chacha20")
    database.pragma("key", f"raw:{page_key.hex()}{key_name(key).hex()}")


def _bring_up(
    database: apsw.Connection, path: Path, key: Secret, steps: Sequence[str]
) -> None:
    version: int = database.pragma("user_version")
    if version > len(steps):
        raise NewerVaultError(path, version, len(steps))
    if version == 0:
        raise DamagedVaultError(path, "it is empty")
    if version < len(steps):
        _check(database, path)
        _back_up(database, path.with_name(f"{path.name}.v{version}.bak"), key)
        _upgrade(database, version, steps)


def _check(database: apsw.Connection, path: Path) -> None:
    found: str = database.pragma("quick_check", 1)
    if found != "ok":
        raise DamagedVaultError(path, found.splitlines()[-1])


def _back_up(database: apsw.Connection, target: Path, key: Secret) -> None:
    """Copy the database, encrypted as it is; an older copy is replaced."""
    temporary = new_secret_file(target)
    with closing(apsw.Connection(str(temporary))) as copy:
        _set_key(copy, key)
        with copy.backup("main", database, "main") as backup:
            backup.step()
    settle(temporary, target)


def _upgrade(database: apsw.Connection, version: int, steps: Sequence[str]) -> None:
    for number, script in enumerate(steps[version:], start=version + 1):
        with transaction(database):
            database.execute(script)
            database.pragma("user_version", number)
