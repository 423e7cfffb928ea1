"""The encrypted local store: saves and loads what a session asks.

`ProfileLock` first: one process per profile. Then the key, from the system keyring, a
passphrase or a file (`unlock`, `create_key`); with it the `Vault`. Knows rows by their
keys and numbers only; what they mean is the client's.
"""

from tertulia.vault.errors import (
    DamagedVaultError,
    EmptyPassphraseError,
    ExposedVaultKeyError,
    LockedVaultError,
    MissingVaultError,
    NewerVaultError,
    UnusableKeyringError,
    VaultExistsError,
    VaultFileError,
    VaultInUseError,
    VaultStorageError,
    WrongKeyError,
    WrongPassphraseError,
)
from tertulia.vault.folder import ProfileFolder
from tertulia.vault.keys import KeySource, change_key, create_key, unlock
from tertulia.vault.profile_lock import ProfileLock
from tertulia.vault.system_keyring import SystemKeyring
from tertulia.vault.vault import Vault, create_vault, open_vault

__all__ = [
    "DamagedVaultError",
    "EmptyPassphraseError",
    "ExposedVaultKeyError",
    "KeySource",
    "LockedVaultError",
    "MissingVaultError",
    "NewerVaultError",
    "ProfileFolder",
    "ProfileLock",
    "SystemKeyring",
    "UnusableKeyringError",
    "Vault",
    "VaultExistsError",
    "VaultFileError",
    "VaultInUseError",
    "VaultStorageError",
    "WrongKeyError",
    "WrongPassphraseError",
    "change_key",
    "create_key",
    "create_vault",
    "open_vault",
    "unlock",
]
