"""Making, opening and upgrading the file; keys, damage, versions."""

import shutil
import stat
from importlib.resources import files
from pathlib import Path

import apsw
import pytest

from tertulia.client import PutRelay, RelayRow
from tertulia.crypto import HKDF_SHA256, Secret
from tertulia.errors import BugError, VaultError
from tertulia.vault import (
    DamagedVaultError,
    MissingVaultError,
    NewerVaultError,
    Vault,
    VaultExistsError,
    VaultInUseError,
    WrongKeyError,
    create_vault,
    open_vault,
    store,
)
from tests.vault.samples import KEY

RELAYS = [RelayRow(b"%d" % number, (), number) for number in range(500)]
PAGE = 4096


@pytest.fixture
def closed(path: Path) -> Path:
    """Return the path of a vault of many pages that nobody has open."""
    vault = create_vault(path, KEY)
    vault.save([PutRelay(row) for row in RELAYS])
    vault.close()
    assert path.stat().st_size > 6 * PAGE
    return path


def relays(path: Path) -> list[RelayRow]:
    vault = open_vault(path, KEY)
    try:
        return vault.relays()
    finally:
        vault.close()


def overwrite(path: Path, offset: int, size: int) -> None:
    content = bytearray(path.read_bytes())
    content[offset : offset + size] = b"\xff" * size
    path.write_bytes(content)


def test_every_column_is_explained() -> None:
    scripts = "\n".join(store.schema_steps())
    lines = [line for line in scripts.splitlines() if line.startswith("  ")]
    columns = [line for line in lines if line.split()[0].islower()]
    assert len(columns) > 30
    for line in columns:
        assert " -- " in line, line


def test_a_vault_is_for_its_owner_only_and_leaves_one_file(closed: Path) -> None:
    assert stat.S_IMODE(closed.stat().st_mode) == 0o600
    assert [file.name for file in closed.parent.iterdir()] == ["vault.db"]


def test_saves_are_durable_and_nothing_is_left_readable(path: Path) -> None:
    store.create(path, KEY, store.schema_steps())
    database = store.open_store(path, KEY, store.schema_steps())
    settings = {
        name: database.pragma(name)
        for name in (
            "cipher",
            "journal_mode",
            "synchronous",
            "fullfsync",
            "secure_delete",
            "temp_store",
            "locking_mode",
        )
    }
    database.close()
    assert settings == {
        "cipher": "chacha20",
        "journal_mode": "wal",
        "synchronous": 2,
        "fullfsync": 1,
        "secure_delete": 1,
        "temp_store": 2,
        "locking_mode": "exclusive",
    }


def test_the_key_is_used_as_it_is(closed: Path) -> None:
    # Nothing but the documented derivation and the library leads to the pages.
    page_key = HKDF_SHA256.expand(KEY.reveal(), b"Tertulia 1 vault pages", 32)
    database = apsw.Connection(str(closed))
    database.pragma("cipher", "chacha20")
    database.pragma("key", f"raw:{page_key.hex()}")
    assert database.execute("SELECT count(*) FROM relay").get == len(RELAYS)
    database.close()


def test_a_vault_is_never_made_over_another(closed: Path) -> None:
    before = closed.read_bytes()
    with pytest.raises(VaultExistsError):
        create_vault(closed, KEY)
    assert closed.read_bytes() == before


def test_what_a_crash_left_does_not_hinder_a_new_vault(path: Path) -> None:
    path.with_name("vault.db.new").write_bytes(b"half a vault")
    create_vault(path, KEY).close()
    assert relays(path) == []


def test_a_vault_is_not_made_by_opening_it(path: Path) -> None:
    with pytest.raises(MissingVaultError) as caught:
        open_vault(path, KEY)
    assert caught.value.path == str(path)
    assert list(path.parent.iterdir()) == []


def test_a_vault_is_opened_once_at_a_time(vault: Vault, path: Path) -> None:
    with pytest.raises(VaultInUseError):
        open_vault(path, KEY)
    vault.save([PutRelay(RELAYS[1])])
    assert vault.relays() == RELAYS[1:2]


def test_a_wrong_key_is_refused_and_changes_nothing(closed: Path) -> None:
    before = closed.read_bytes()
    with pytest.raises(WrongKeyError) as caught:
        open_vault(closed, Secret(bytes(32)))
    assert str(closed) in str(caught.value)
    assert closed.read_bytes() == before
    assert relays(closed) == RELAYS


def test_a_wrong_key_spares_what_a_crash_left_in_the_log(
    vault: Vault, path: Path, tmp_path: Path
) -> None:
    vault.save([PutRelay(row) for row in RELAYS])
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    # The file itself must not be read while it is open; a copy is made by the system.
    for name in ("vault.db", "vault.db-wal"):
        copy_outside(path.with_name(name), crashed / name)
    before = {file.name: file.read_bytes() for file in crashed.iterdir()}
    with pytest.raises(WrongKeyError):
        open_vault(crashed / "vault.db", Secret(bytes(32)))
    assert {file.name: file.read_bytes() for file in crashed.iterdir()} == before
    assert relays(crashed / "vault.db") == RELAYS


def copy_outside(source: Path, target: Path) -> None:
    """Copy through SQLite's own file layer, which keeps the locks of this process."""
    file = apsw.VFSFile("", str(source), [apsw.SQLITE_OPEN_READONLY, 0])
    target.write_bytes(file.xRead(file.xFileSize(), 0))
    file.xClose()


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_key_of_another_size_is_our_mistake(path: Path, size: int) -> None:
    with pytest.raises(BugError):
        create_vault(path, Secret(bytes(size)))


@pytest.mark.parametrize(
    ("offset", "size"),
    [(16, 8), (100, 1), (PAGE - 1, 1), (PAGE - 20, 4)],
    ids=["header", "schema", "tag", "nonce"],
)
def test_a_damaged_first_page_is_noticed(closed: Path, offset: int, size: int) -> None:
    overwrite(closed, offset, size)
    with pytest.raises(DamagedVaultError):
        relays(closed)


def test_one_altered_byte_in_any_page_is_noticed(closed: Path) -> None:
    whole = closed.read_bytes()
    for page in range(len(whole) // PAGE):
        changed = bytearray(whole)
        changed[page * PAGE + 1000] ^= 1
        closed.write_bytes(changed)
        with pytest.raises(DamagedVaultError):
            check_all(closed)
    closed.write_bytes(whole)
    check_all(closed)


def check_all(path: Path) -> None:
    database = store.open_store(path, KEY, store.schema_steps())
    try:
        store._check(database, path)
    finally:
        database.close()


def test_a_damaged_page_fails_the_call_that_needs_it(closed: Path) -> None:
    # The last pages are rows of relays; those before hold the schema, too.
    overwrite(closed, closed.stat().st_size - 4 * PAGE, 4 * PAGE)
    vault = open_vault(closed, KEY)
    assert vault.profile() is None
    with pytest.raises(DamagedVaultError, match="malformed"):
        vault.relays()
    with pytest.raises(DamagedVaultError):
        vault.save([PutRelay(row) for row in RELAYS])
    vault.close()


@pytest.mark.parametrize("size", [1, 16, 100, PAGE, 3 * PAGE, 3 * PAGE + 100])
def test_a_truncated_file_is_damaged(closed: Path, size: int) -> None:
    closed.write_bytes(closed.read_bytes()[:size])
    with pytest.raises((DamagedVaultError, WrongKeyError)):
        relays(closed)


def test_an_empty_file_is_damaged(closed: Path) -> None:
    closed.write_bytes(b"")
    with pytest.raises(DamagedVaultError, match="it is empty"):
        open_vault(closed, KEY)


def test_something_else_is_not_opened(closed: Path) -> None:
    for content in (b"no vault at all" * 1000, b"SQLite format 3\0" + bytes(PAGE)):
        closed.write_bytes(content)
        with pytest.raises(WrongKeyError, match="start of the file"):
            open_vault(closed, KEY)


# Versions


NOW = len(store.schema_steps())  # the version of vaults


@pytest.fixture
def steps(tmp_path: Path) -> list[str]:
    """Return the schema as a later version of this program would have it."""
    folder = tmp_path / "schema"
    shutil.copytree(str(files("tertulia.vault") / "schema"), folder)
    number = len(store.schema_steps()) + 1
    for text in ("ALTER TABLE relay ADD COLUMN motto TEXT; ", "DELETE FROM profile;"):
        (folder / f"upgrade_{number}.sql").write_text(text)
        number += 1
    (folder / f"upgrade_{number + 1}.sql").write_text("no one comes before this;")
    later = store.schema_steps(folder)
    assert len(later) == len(store.schema_steps()) + 2
    return later


def test_an_older_vault_is_upgraded_after_a_backup(
    closed: Path, steps: list[str]
) -> None:
    backup = closed.with_name(f"vault.db.v{NOW}.bak")
    backup.write_bytes(b"an older backup")
    database = store.open_store(closed, KEY, steps)
    assert database.pragma("user_version") == NOW + 2
    assert database.execute("SELECT count(motto), count(*) FROM relay").get == (0, 500)
    database.close()
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert relays(backup) == RELAYS  # in this version


def test_a_newer_vault_is_refused_untouched(closed: Path, steps: list[str]) -> None:
    open_vault(closed, KEY, steps).close()
    before = closed.read_bytes()
    with pytest.raises(NewerVaultError) as caught:
        open_vault(closed, KEY)
    known = f"has version {NOW + 2}, this program knows {NOW}: update it"
    assert str(caught.value).endswith(known)
    assert closed.read_bytes() == before
    open_vault(closed, KEY, steps).close()


def test_an_upgrade_that_fails_changes_nothing(closed: Path, steps: list[str]) -> None:
    broken = [*steps[:NOW], f"{steps[NOW]} nonsense;"]
    with pytest.raises(BugError, match="nonsense"):
        open_vault(closed, KEY, broken)
    assert relays(closed) == RELAYS


def test_a_damaged_vault_is_not_upgraded(closed: Path, steps: list[str]) -> None:
    overwrite(closed, closed.stat().st_size - 100, 10)
    before = closed.read_bytes()
    with pytest.raises(VaultError, match="unable to get the page"):
        open_vault(closed, KEY, steps)
    assert closed.read_bytes() == before
    assert [file for file in closed.parent.iterdir() if file.suffix == ".bak"] == []
