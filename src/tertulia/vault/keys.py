"""Where the vault's key comes from: the system keyring, a passphrase, or a file.

The key itself is random and never changes; what changes is where it is kept, so that
setting a passphrase rewrites a small file and not the database. All of these expect
their caller to hold the profile's lock.
"""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Final, assert_never

import msgspec

from tertulia.crypto import (
    AES256GCM,
    PASSPHRASE_COST,
    PASSPHRASE_SALT_SIZE,
    DecryptionError,
    PassphraseCost,
    Secret,
    passphrase_key,
    system_rng,
)
from tertulia.vault.errors import (
    EmptyPassphraseError,
    LockedVaultError,
    UnusableKeyringError,
    VaultExistsError,
    WrongPassphraseError,
)
from tertulia.vault.folder import ProfileFolder
from tertulia.vault.key_record import (
    AnyKeyRecord,
    InFile,
    InKeyring,
    UnderPassphrase,
    read_record,
    write_record,
)
from tertulia.vault.store import KEY_SIZE, key_name
from tertulia.vault.system_keyring import SYSTEM_KEYRING, SystemKeyring

_LABEL: Final = b"Tertulia 1 vault key"


class KeySource(StrEnum):
    """Where the key is kept."""

    KEYRING = "keyring"
    PASSPHRASE = "passphrase"  # noqa: S105 - the word itself
    FILE = "file"


def create_key(
    folder: Path,
    choice: KeySource | None = None,
    passphrase: str = "",
    keyring: SystemKeyring = SYSTEM_KEYRING,
) -> tuple[Secret, KeySource]:
    """Make the key of a new vault, and return it with where it is kept.

    Without a choice that is the system keyring, or else a file. Raises VaultExistsError,
    UnusableKeyringError, EmptyPassphraseError or VaultStorageError.
    """
    profile = ProfileFolder(folder)
    profile.prepare()
    for path in (profile.key, profile.vault):
        if path.exists():
            raise VaultExistsError(path)
    key = Secret(system_rng(KEY_SIZE))
    if choice is None:
        record = _anywhere(key, keyring)
    else:
        record = _kept(key, choice, passphrase, keyring)
    write_record(profile.key, record)
    return key, _source(record)


def unlock(
    folder: Path,
    passphrase: Callable[[], str] | None,
    keyring: SystemKeyring = SYSTEM_KEYRING,
) -> tuple[Secret, KeySource]:
    """Return the key and where it is kept; `passphrase` is called only if one is set.

    Raises MissingVaultError, LockedVaultError, WrongPassphraseError,
    ExposedVaultKeyError, DamagedVaultError, NewerVaultError or VaultStorageError.
    """
    path = ProfileFolder(folder).key
    record = read_record(path)
    match record:
        case InFile():
            key = record.key
        case InKeyring():
            key = _from_keyring(path, record.name, keyring)
        case UnderPassphrase():
            if passphrase is None:
                raise LockedVaultError(path, "a passphrase is set")
            key = _unsealed(path, record, passphrase())
        case _:
            assert_never(record)
    _clear_leftover(path, record, keyring)
    return key, _source(record)


def change_key(
    folder: Path,
    key: Secret,
    choice: KeySource,
    passphrase: str = "",
    keyring: SystemKeyring = SYSTEM_KEYRING,
) -> None:
    """Keep the key elsewhere from now on, or under another passphrase.

    Raises UnusableKeyringError, EmptyPassphraseError or what reading and writing the
    file raises; then all is as it was.
    """
    path = ProfileFolder(folder).key
    before = read_record(path)
    record = _kept(key, choice, passphrase, keyring)
    if not isinstance(record, InKeyring):
        left = before.name if isinstance(before, InKeyring) else before.leftover
        record = msgspec.structs.replace(record, leftover=left)
    write_record(path, record)
    _clear_leftover(path, record, keyring)


def _anywhere(key: Secret, keyring: SystemKeyring) -> AnyKeyRecord:
    try:
        return _kept(key, KeySource.KEYRING, "", keyring)
    except UnusableKeyringError:
        return InFile(key=key)


def _kept(
    key: Secret, choice: KeySource, passphrase: str, keyring: SystemKeyring
) -> AnyKeyRecord:
    match choice:
        case KeySource.FILE:
            return InFile(key=key)
        case KeySource.KEYRING:
            name = key_name(key).hex()
            keyring.put(name, key)
            return InKeyring(name=name)
        case KeySource.PASSPHRASE:
            return _sealed(key, passphrase)
        case _:
            assert_never(choice)


def _source(record: AnyKeyRecord) -> KeySource:
    match record:
        case InFile():
            return KeySource.FILE
        case InKeyring():
            return KeySource.KEYRING
        case UnderPassphrase():
            return KeySource.PASSPHRASE
        case _:
            assert_never(record)


def _from_keyring(path: Path, name: str, keyring: SystemKeyring) -> Secret:
    try:
        key = keyring.get(name)
    except UnusableKeyringError as error:
        raise LockedVaultError(path, str(error)) from error
    if key is None or key_name(key).hex() != name:
        raise LockedVaultError(path, "the system keyring does not have its key")
    return key


def _sealed(key: Secret, passphrase: str) -> UnderPassphrase:
    if not passphrase:
        raise EmptyPassphraseError
    cost, salt = PASSPHRASE_COST, system_rng(PASSPHRASE_SALT_SIZE)
    sealing_key = passphrase_key(passphrase, salt, cost)
    nonce = system_rng(AES256GCM.nonce_size)
    return UnderPassphrase(
        salt=salt,
        nonce=nonce,
        sealed=AES256GCM.seal(sealing_key, nonce, _LABEL, key.reveal()),
        memory=cost.memory,
        passes=cost.passes,
        lanes=cost.lanes,
    )


def _unsealed(path: Path, record: UnderPassphrase, passphrase: str) -> Secret:
    cost = PassphraseCost(record.memory, record.passes, record.lanes)
    sealing_key = passphrase_key(passphrase, record.salt, cost)
    try:
        return Secret(AES256GCM.open(sealing_key, record.nonce, _LABEL, record.sealed))
    except DecryptionError:
        raise WrongPassphraseError(path) from None


def _clear_leftover(path: Path, record: AnyKeyRecord, keyring: SystemKeyring) -> None:
    """Take out of the keyring what is now kept elsewhere; if not now, next time."""
    if not record.leftover:
        return
    try:
        keyring.remove(record.leftover)
    except UnusableKeyringError:
        return
    write_record(path, msgspec.structs.replace(record, leftover=""))
