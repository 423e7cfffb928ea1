import json
from pathlib import Path

import pytest

from tertulia.crypto import Secret
from tertulia.vault import DamagedVaultError, MissingVaultError, NewerVaultError
from tertulia.vault.folder import write_secret_file
from tertulia.vault.key_record import (
    AnyKeyRecord,
    InFile,
    InKeyring,
    UnderPassphrase,
    read_record,
    write_record,
)

KEY = Secret(bytes(range(32)))
SEALED = UnderPassphrase(
    salt=bytes(16),
    nonce=bytes(12),
    sealed=b"sealed",
    memory=65536,
    passes=3,
    lanes=4,
)
RECORDS: list[AnyKeyRecord] = [
    InFile(key=KEY),
    InFile(key=KEY, leftover="a name"),
    InKeyring(name="a name"),
    SEALED,
]


@pytest.mark.parametrize("record", RECORDS)
def test_a_record_comes_back_as_it_was(path: Path, record: AnyKeyRecord) -> None:
    write_record(path, record)
    assert read_record(path) == record


def test_the_file_is_what_the_documentation_says(path: Path) -> None:
    write_record(path, SEALED)
    assert json.loads(path.read_text()) == {
        "kept": "passphrase",
        "version": 1,
        "leftover": "",
        "salt": "AAAAAAAAAAAAAAAAAAAAAA==",
        "nonce": "AAAAAAAAAAAAAAAA",
        "sealed": "c2VhbGVk",
        "memory": 65536,
        "passes": 3,
        "lanes": 4,
    }
    write_record(path, InFile(key=Secret(bytes(32))))
    assert json.loads(path.read_text())["key"] == "A" * 43 + "="


def test_a_key_is_not_shown(path: Path) -> None:
    assert KEY.reveal().hex() not in repr(InFile(key=KEY))
    write_record(path, InFile(key=KEY))
    assert "<Secret 32 bytes>" in repr(read_record(path))


def test_a_missing_file_is_told_apart(path: Path) -> None:
    with pytest.raises(MissingVaultError):
        read_record(path)


def test_a_newer_file_is_refused_whatever_it_says(path: Path) -> None:
    write_secret_file(path, b'{"version": 2, "kept": "under the doormat"}')
    with pytest.raises(NewerVaultError) as caught:
        read_record(path)
    assert (caught.value.version, caught.value.known) == (2, 1)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b'{"kept": "file"}',
        b'{"version": 1, "kept": "under the doormat"}',
        b'{"version": 1, "kept": "file"}',
        b'{"version": 1, "kept": "file", "key": 5}',
        b'{"version": 1, "kept": "file", "key": "AAAA"}',
        b'{"version": 1, "kept": "file", "key": "no base64"}',
        b'{"version": 1, "kept": "keyring", "name": "\xff"}',
        b'{"version": 1, "kept": "keyring", "name": "a", "more": 1}',
    ],
)
def test_a_damaged_file_is_said(path: Path, content: bytes) -> None:
    write_secret_file(path, content)
    with pytest.raises(DamagedVaultError):
        read_record(path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("memory", 2**40),
        ("memory", 1),
        ("passes", 0),
        ("passes", 10**6),
        ("lanes", 0),
        ("lanes", 65),
        ("salt", "AAAA"),
        ("nonce", "AAAA"),
    ],
)
def test_a_cost_that_nobody_chose_is_damage(
    path: Path, field: str, value: object
) -> None:
    write_record(path, SEALED)
    record = json.loads(path.read_text()) | {field: value}
    write_secret_file(path, json.dumps(record).encode())
    with pytest.raises(DamagedVaultError):
        read_record(path)
