"""What the file `key` says: where the vault's key is, as JSON with a version.

Whatever the file says is replaced in one step, so a change of mind about where the key
is kept has happened or has not.
"""

import base64
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta, Struct

from tertulia.crypto import Secret
from tertulia.vault.errors import (
    DamagedVaultError,
    MissingVaultError,
    NewerVaultError,
)
from tertulia.vault.folder import read_secret_file, write_secret_file
from tertulia.vault.store import KEY_SIZE

_VERSION: Final = 1

# Bounds against a damaged file, far above any cost one would choose today (KiB).
_Memory: TypeAlias = Annotated[int, Meta(ge=1024, le=4 * 1024 * 1024)]
_Passes: TypeAlias = Annotated[int, Meta(ge=1, le=1_000)]
_Lanes: TypeAlias = Annotated[int, Meta(ge=1, le=64)]


class KeyRecord(Struct, frozen=True, tag_field="kept", forbid_unknown_fields=True):
    """Where the key is. `leftover` names what a keyring may still hold of it."""

    version: int = _VERSION
    leftover: str = ""


class InFile(KeyRecord, frozen=True, tag="file", kw_only=True):
    """Here."""

    key: Secret


class InKeyring(KeyRecord, frozen=True, tag="keyring", kw_only=True):
    """In the system keyring, under this name."""

    name: str


class UnderPassphrase(KeyRecord, frozen=True, tag="passphrase", kw_only=True):
    """Here, sealed under a key that Argon2id makes of a passphrase."""

    salt: Annotated[bytes, Meta(min_length=16, max_length=64)]
    nonce: Annotated[bytes, Meta(min_length=12, max_length=12)]
    sealed: bytes
    memory: _Memory
    passes: _Passes
    lanes: _Lanes


AnyKeyRecord: TypeAlias = InFile | InKeyring | UnderPassphrase


class _Version(Struct):
    version: int


def read_record(path: Path) -> AnyKeyRecord:
    """Return what the file says.

    Raises MissingVaultError, ExposedVaultKeyError, NewerVaultError, DamagedVaultError
    or VaultStorageError.
    """
    content = read_secret_file(path)
    if content is None:
        raise MissingVaultError(path)
    try:
        version = msgspec.json.decode(content, type=_Version).version
        if version > _VERSION:
            raise NewerVaultError(path, version, _VERSION)
        record: AnyKeyRecord = msgspec.json.decode(
            content, type=AnyKeyRecord, dec_hook=_secret
        )
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DamagedVaultError(path, str(error)) from error
    return record


def write_record(path: Path, record: AnyKeyRecord) -> None:
    """Write or replace the file; raise VaultStorageError."""
    write_secret_file(path, msgspec.json.encode(record, enc_hook=_text) + b"\n")


def _secret(_: type[Any], text: object) -> Secret:
    secret = Secret(base64.b64decode(str(text), validate=True))
    if len(secret) != KEY_SIZE:
        raise ValueError(f"a key has {KEY_SIZE} bytes, not {len(secret)}")
    return secret


def _text(secret: Any) -> str:
    return base64.b64encode(secret.reveal()).decode()
