"""Every change there is gets carried out; what each does is tested beside its query."""

import typing
from pathlib import Path

import apsw
import pytest

from tertulia.client import RowChange, rows
from tertulia.crypto import Secret
from tertulia.vault import changes, store
from tests.vault.samples import KEY, all_of_a_room

ROOM = b"room"

CHANGES: list[RowChange] = [
    *all_of_a_room(ROOM),
    rows.PutProfile(
        rows.ProfileRow(b"a", None, b"d", b"p", Secret(b"k"), 1, "Ana"),
    ),
    rows.PutRelay(rows.RelayRow(b"relay", (), 1)),
    rows.PutEvidence(rows.EvidenceRow(ROOM, 1, "code", b"data")),
    rows.ChangeKeys(ROOM, {b"a": b"3"}),
    rows.DropEpoch(ROOM),
    rows.DropPending(ROOM),
    rows.DropOutbox(ROOM, b"key"),
    rows.DropInvite(ROOM, b"invite"),
    rows.DropMessage(ROOM, b"message"),
    rows.DropRoom(ROOM),
]


def test_the_list_above_has_every_change() -> None:
    assert {type(change) for change in CHANGES} == set(typing.get_args(RowChange))


@pytest.mark.parametrize("number", range(len(CHANGES)), ids=str)
def test_each_change_changes_something(tmp_path: Path, number: int) -> None:
    store.create(tmp_path / "vault.db", KEY, store.schema_steps())
    database = store.open_store(tmp_path / "vault.db", KEY, store.schema_steps())
    change = CHANGES[number]
    if change not in all_of_a_room(ROOM):
        for row in all_of_a_room(ROOM):
            changes.apply(database, row)
    before = content(database)
    changes.apply(database, change)
    assert content(database) != before
    database.close()


def content(database: apsw.Connection) -> list[object]:
    tables = [
        name
        for (name,) in database.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name != ?",
            ("sqlite_sequence",),
        )
    ]
    return [database.execute(f"SELECT * FROM {table}").fetchall() for table in tables]
