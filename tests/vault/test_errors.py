from pathlib import Path

import pytest

from tertulia.errors import TertuliaError, UsageError, VaultError
from tertulia.vault import (
    DamagedVaultError,
    EmptyPassphraseError,
    ExposedVaultKeyError,
    LockedVaultError,
    MissingVaultError,
    NewerVaultError,
    UnusableKeyringError,
    VaultExistsError,
    VaultInUseError,
    VaultStorageError,
    WrongKeyError,
    WrongPassphraseError,
)

PATH = Path("x")

ERRORS = [
    (
        MissingVaultError(PATH),
        "x is missing: bring back a copy of the folder, or begin a new profile",
    ),
    (VaultExistsError(PATH), "x is there already and is not overwritten"),
    (VaultInUseError(PATH), "x is in use by another process of this profile"),
    (
        WrongKeyError(PATH),
        "x does not open with this key: the key is another profile's,"
        " or the start of the file is destroyed",
    ),
    (WrongPassphraseError(PATH), "the passphrase does not open x"),
    (LockedVaultError(PATH, "why"), "x is locked: why"),
    (
        DamagedVaultError(PATH, "why"),
        "x is damaged (why): bring back a copy of the folder, or begin a new profile",
    ),
    (NewerVaultError(PATH, 3, 2), "x has version 3, this program knows 2: update it"),
    (VaultStorageError(PATH, "why"), "x cannot be read or written: why"),
    (
        ExposedVaultKeyError(PATH),
        "x holds the key of this profile and other users may read it (chmod 600)",
    ),
    (UnusableKeyringError("why"), "the system keyring cannot be used: why"),
]


@pytest.mark.parametrize(("error", "sentence"), ERRORS)
def test_each_error_says_what_is_and_what_to_do(
    error: TertuliaError, sentence: str
) -> None:
    assert isinstance(error, VaultError)
    assert str(error) == sentence


def test_an_empty_passphrase_is_the_caller_s_mistake() -> None:
    assert isinstance(EmptyPassphraseError(), UsageError)
    assert str(EmptyPassphraseError()) == "an empty passphrase protects nothing"


def test_codes_are_different() -> None:
    codes = {error.code for error, _ in ERRORS} | {EmptyPassphraseError.code}
    assert len(codes) == len(ERRORS) + 1
