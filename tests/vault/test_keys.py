"""Where the key is kept, how it comes back, and how it moves."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typing_extensions import override

from tertulia.crypto import PassphraseCost, Secret
from tertulia.vault import (
    EmptyPassphraseError,
    ExposedVaultKeyError,
    KeySource,
    LockedVaultError,
    MissingVaultError,
    SystemKeyring,
    UnusableKeyringError,
    VaultExistsError,
    VaultStorageError,
    WrongPassphraseError,
    change_key,
    create_key,
    key_record,
    unlock,
)
from tertulia.vault.store import key_name

NO_KEYRING = UnusableKeyringError("there is none")


@dataclass(frozen=True, slots=True)
class Ring(SystemKeyring):
    """A keyring in memory that can be out of order."""

    kept: dict[str, Secret] = field(default_factory=dict)
    faults: list[UnusableKeyringError] = field(default_factory=list)

    @override
    def get(self, name: str) -> Secret | None:
        self._fail()
        return self.kept.get(name)

    @override
    def put(self, name: str, secret: Secret) -> None:
        self._fail()
        self.kept[name] = secret

    @override
    def remove(self, name: str) -> None:
        self._fail()
        self.kept.pop(name, None)

    def _fail(self) -> None:
        if self.faults:
            raise self.faults[0]


@pytest.fixture
def ring() -> Ring:
    return Ring()


@pytest.fixture(autouse=True)
def _cheap_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Derive keys in a millisecond; what is stored is read back as it says."""
    cheap = PassphraseCost(memory=1024, passes=1, lanes=1)
    monkeypatch.setattr("tertulia.vault.keys.PASSPHRASE_COST", cheap)


def never() -> str:
    raise LookupError("nobody is to be asked")


def said(tmp_path: Path) -> dict[str, object]:
    """Return what the key file says."""
    record: dict[str, object] = json.loads((tmp_path / "key").read_text())
    return record


def test_a_keyring_is_preferred(tmp_path: Path, ring: Ring) -> None:
    key, source = create_key(tmp_path, keyring=ring)
    assert source is KeySource.KEYRING
    assert ring.kept == {key_name(key).hex(): key}
    assert key.reveal().hex() not in (tmp_path / "key").read_text()
    assert unlock(tmp_path, never, ring) == (key, source)


def test_without_a_keyring_the_key_is_in_a_file(tmp_path: Path, ring: Ring) -> None:
    ring.faults.append(NO_KEYRING)
    key, source = create_key(tmp_path / "new", keyring=ring)
    assert source is KeySource.FILE
    assert unlock(tmp_path / "new", None, ring) == (key, source)


def test_a_choice_is_kept_to(tmp_path: Path, ring: Ring) -> None:
    key, source = create_key(tmp_path / "file", KeySource.FILE, keyring=ring)
    assert (source, ring.kept) == (KeySource.FILE, {})
    ring.faults.append(NO_KEYRING)
    with pytest.raises(UnusableKeyringError):
        create_key(tmp_path / "ring", KeySource.KEYRING, keyring=ring)
    assert not (tmp_path / "ring" / "key").exists()
    another, _ = create_key(tmp_path / "ring", KeySource.FILE, keyring=ring)
    assert len(key) == len(another) == 32
    assert key != another


def test_a_passphrase_gives_the_key(tmp_path: Path, ring: Ring) -> None:
    key, source = create_key(tmp_path, KeySource.PASSPHRASE, "open sesame", ring)
    assert source is KeySource.PASSPHRASE
    assert ring.kept == {}
    assert unlock(tmp_path, lambda: "open sesame", ring) == (key, source)
    with pytest.raises(WrongPassphraseError):
        unlock(tmp_path, lambda: "open barley", ring)
    with pytest.raises(LockedVaultError, match="a passphrase is set"):
        unlock(tmp_path, None, ring)


def test_every_part_of_a_passphrase_record_counts(tmp_path: Path) -> None:
    create_key(tmp_path, KeySource.PASSPHRASE, "open sesame")
    path = tmp_path / "key"
    whole = path.read_bytes()
    other = "QUJDREVGR0hJSktMTU5PUA=="
    changes: list[tuple[str, object]] = [
        ("salt", other),
        ("nonce", other[:16]),
        ("sealed", other),
        ("sealed", ""),
        ("memory", 2048),
        ("passes", 2),
        ("lanes", 2),
    ]
    for name, value in changes:
        path.write_text(json.dumps(said(tmp_path) | {name: value}))
        with pytest.raises(WrongPassphraseError):
            unlock(tmp_path, lambda: "open sesame")
        path.write_bytes(whole)


def test_an_empty_passphrase_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmptyPassphraseError):
        create_key(tmp_path, KeySource.PASSPHRASE)
    key, _ = create_key(tmp_path, KeySource.FILE)
    with pytest.raises(EmptyPassphraseError):
        change_key(tmp_path, key, KeySource.PASSPHRASE)
    assert unlock(tmp_path, None) == (key, KeySource.FILE)


@pytest.mark.parametrize("name", ["key", "vault.db"])
def test_a_key_is_never_made_over_another(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"something")
    with pytest.raises(VaultExistsError) as caught:
        create_key(tmp_path, KeySource.FILE)
    assert caught.value.path == str(tmp_path / name)
    assert (tmp_path / name).read_bytes() == b"something"


def test_without_a_key_there_is_nothing_to_unlock(tmp_path: Path) -> None:
    with pytest.raises(MissingVaultError):
        unlock(tmp_path, never)
    with pytest.raises(MissingVaultError):
        change_key(tmp_path, Secret(bytes(32)), KeySource.FILE)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    create_key(tmp_path, KeySource.FILE)
    (tmp_path / "key").chmod(0o644)
    with pytest.raises(ExposedVaultKeyError):
        unlock(tmp_path, None)


def test_a_keyring_without_the_key_leaves_the_vault_locked(
    tmp_path: Path, ring: Ring
) -> None:
    key, _ = create_key(tmp_path, keyring=ring)
    ring.faults.append(NO_KEYRING)
    with pytest.raises(LockedVaultError, match="keyring cannot be used: there is none"):
        unlock(tmp_path, never, ring)
    ring.faults.clear()
    for kept in ({}, {key_name(key).hex(): Secret(bytes(32))}):
        ring.kept.clear()
        ring.kept.update(kept)
        with pytest.raises(LockedVaultError, match="does not have its key"):
            unlock(tmp_path, never, ring)


@pytest.mark.parametrize("before", KeySource)
@pytest.mark.parametrize("after", KeySource)
def test_a_key_moves_from_anywhere_to_anywhere(
    tmp_path: Path, ring: Ring, before: KeySource, after: KeySource
) -> None:
    key, _ = create_key(tmp_path, before, "first", ring)
    change_key(tmp_path, key, after, "second", ring)
    assert unlock(tmp_path, lambda: "second", ring) == (key, after)
    assert said(tmp_path)["leftover"] == ""
    assert list(ring.kept.values()) == [key] * (after is KeySource.KEYRING)
    if after is KeySource.PASSPHRASE:
        with pytest.raises(WrongPassphraseError):
            unlock(tmp_path, lambda: "first", ring)


def test_what_a_keyring_still_holds_is_removed_as_soon_as_it_can_be(
    tmp_path: Path, ring: Ring
) -> None:
    key, _ = create_key(tmp_path, keyring=ring)
    ring.faults.append(NO_KEYRING)
    change_key(tmp_path, key, KeySource.PASSPHRASE, "first", ring)
    change_key(tmp_path, key, KeySource.PASSPHRASE, "second", ring)
    assert unlock(tmp_path, lambda: "second", ring) == (key, KeySource.PASSPHRASE)
    assert said(tmp_path)["leftover"] == key_name(key).hex()
    assert ring.kept
    ring.faults.clear()
    assert unlock(tmp_path, lambda: "second", ring) == (key, KeySource.PASSPHRASE)
    assert said(tmp_path)["leftover"] == ""
    assert not ring.kept


def test_a_leftover_that_is_used_again_stays(tmp_path: Path, ring: Ring) -> None:
    key, _ = create_key(tmp_path, keyring=ring)
    ring.faults.append(NO_KEYRING)
    change_key(tmp_path, key, KeySource.FILE, keyring=ring)
    ring.faults.clear()
    change_key(tmp_path, key, KeySource.KEYRING, keyring=ring)
    assert unlock(tmp_path, never, ring) == (key, KeySource.KEYRING)


def test_a_change_that_fails_changes_nothing(
    tmp_path: Path, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, source = create_key(tmp_path, KeySource.FILE, keyring=ring)
    ring.faults.append(NO_KEYRING)
    with pytest.raises(UnusableKeyringError):
        change_key(tmp_path, key, KeySource.KEYRING, keyring=ring)
    assert unlock(tmp_path, never, ring) == (key, source)

    def fail(path: Path, _: object) -> None:
        raise VaultStorageError(path, "no space", is_full=True)

    monkeypatch.setattr("tertulia.vault.keys.write_record", fail)
    with pytest.raises(VaultStorageError):
        change_key(tmp_path, key, KeySource.PASSPHRASE, "first", ring)
    assert unlock(tmp_path, never, ring) == (key, source)


def test_a_moved_key_leaves_no_second_file(tmp_path: Path, ring: Ring) -> None:
    key, _ = create_key(tmp_path, KeySource.FILE, keyring=ring)
    change_key(tmp_path, key, KeySource.PASSPHRASE, "first", ring)
    assert [file.name for file in tmp_path.iterdir()] == ["key"]
    assert isinstance(
        key_record.read_record(tmp_path / "key"), key_record.UnderPassphrase
    )
