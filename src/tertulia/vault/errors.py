"""Why a vault cannot be used, and what its owner can do."""

from pathlib import Path
from typing import ClassVar

from tertulia.errors import UsageError, VaultError


class VaultFileError(VaultError):
    """A file of the profile cannot be used as it is; `path` says which."""

    code: ClassVar[str] = "vault_file"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = str(path)


class MissingVaultError(VaultFileError):
    """There is no such file."""

    code: ClassVar[str] = "vault_missing"
    sentence: ClassVar[str] = (
        "{path} is missing: bring back a copy of the folder, or begin a new profile"
    )


class VaultExistsError(VaultFileError):
    """Something new would overwrite something old."""

    code: ClassVar[str] = "vault_exists"
    sentence: ClassVar[str] = "{path} is there already and is not overwritten"


class VaultInUseError(VaultFileError):
    """Another process has the vault open."""

    code: ClassVar[str] = "vault_in_use"
    sentence: ClassVar[str] = "{path} is in use by another process of this profile"


class WrongKeyError(VaultFileError):
    """The key is another vault's."""

    code: ClassVar[str] = "vault_wrong_key"
    sentence: ClassVar[str] = (
        "{path} does not open with this key: the key is another profile's,"
        " or the start of the file is destroyed"
    )


class WrongPassphraseError(WrongKeyError):
    """The passphrase is not the one that was set: ask again."""

    code: ClassVar[str] = "vault_wrong_passphrase"
    sentence: ClassVar[str] = "the passphrase does not open {path}"


class LockedVaultError(VaultFileError):
    """The key is not to be had now."""

    code: ClassVar[str] = "vault_locked"
    sentence: ClassVar[str] = "{path} is locked: {reason}"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path)
        self.reason = reason


class DamagedVaultError(VaultFileError):
    """The file is not whole, or something else altogether."""

    code: ClassVar[str] = "vault_damaged"
    sentence: ClassVar[str] = (
        "{path} is damaged ({reason}): bring back a copy of the folder,"
        " or begin a new profile"
    )

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path)
        self.reason = reason


class NewerVaultError(VaultFileError):
    """The file was written by a later version of this program."""

    code: ClassVar[str] = "vault_newer"
    sentence: ClassVar[str] = (
        "{path} has version {version}, this program knows {known}: update it"
    )

    def __init__(self, path: Path, version: int, known: int) -> None:
        super().__init__(path)
        self.version = version
        self.known = known


class VaultStorageError(VaultFileError):
    """The system does not let us read or write; nothing was half saved."""

    code: ClassVar[str] = "vault_storage"
    sentence: ClassVar[str] = "{path} cannot be read or written: {reason}"

    def __init__(self, path: Path, reason: str, *, is_full: bool = False) -> None:
        super().__init__(path)
        self.reason = reason
        self.is_full = is_full


class ExposedVaultKeyError(VaultFileError):
    """Other users of the machine may read the key."""

    code: ClassVar[str] = "vault_key_exposed"
    sentence: ClassVar[str] = (
        "{path} holds the key of this profile and other users may read it (chmod 600)"
    )


class UnusableKeyringError(VaultError):
    """The system keyring does not do what it is there for."""

    code: ClassVar[str] = "keyring"
    sentence: ClassVar[str] = "the system keyring cannot be used: {reason}"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class EmptyPassphraseError(UsageError):
    """Nothing was given as a passphrase."""

    code: ClassVar[str] = "empty_passphrase"
    sentence: ClassVar[str] = "an empty passphrase protects nothing"
