import pytest

from tertulia.client import DropRoom, EntryRow, PutEntry, PutRoom, RoomRow
from tertulia.vault import Vault, entries
from tests.vault.samples import OTHER, RELAY, ROOM


def entry(place: int, size: int = 10, room: bytes = ROOM) -> EntryRow:
    return EntryRow(room, place, b"hash %d" % place, bytes(size))


def places(vault: Vault, room: bytes = ROOM) -> list[int]:
    return [row.place for row in vault.entries(room, 0, 100)]


def test_entries_are_read_from_a_place_on(vault: Vault) -> None:
    rows = [entry(place) for place in (1, 2, 5, 9)]
    vault.save([*map(PutEntry, rows), PutEntry(entry(3, room=OTHER))])
    assert vault.entries(ROOM, 0, 10) == rows
    assert vault.entries(ROOM, 2, 1) == [entry(5)]
    assert vault.entries(ROOM, 9, 10) == []


def test_a_hash_is_found_by_its_exact_place(vault: Vault) -> None:
    vault.save([PutEntry(entry(1)), PutEntry(entry(3))])
    found = [vault.hash_at(ROOM, place) for place in (1, 2, 3)]
    assert found == [b"hash 1", None, b"hash 3"]
    assert vault.hash_at(OTHER, 1) is None


def test_an_entry_takes_the_place_of_another(vault: Vault) -> None:
    fed_back = EntryRow(ROOM, 1, b"another hash", b"another entry")
    vault.save([PutEntry(entry(1)), PutEntry(fed_back)])
    assert vault.entries(ROOM, 0, 10) == [fed_back]


def test_only_so_many_entries_stay_in_each_room(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries, "KEPT_ENTRIES", 3)
    vault.save([PutEntry(entry(place)) for place in (1, 2, 3)])
    vault.save([PutEntry(entry(1, room=OTHER))])
    assert places(vault) == [1, 2, 3]
    vault.save([PutEntry(entry(place)) for place in (4, 5)])
    assert places(vault) == [3, 4, 5]
    assert places(vault, OTHER) == [1]


def test_only_so_many_bytes_stay_but_always_the_newest(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries, "KEPT_BYTES", 25)
    vault.save([PutEntry(entry(place)) for place in (1, 2, 3)])
    assert places(vault) == [2, 3]
    vault.save([PutEntry(entry(4, size=5))])
    assert places(vault) == [2, 3, 4]
    vault.save([PutEntry(entry(5, size=100))])
    assert places(vault) == [5]


def test_a_room_may_be_dropped_in_the_save_of_its_entries(vault: Vault) -> None:
    vault.save([PutEntry(entry(1)), DropRoom(ROOM)])
    assert places(vault) == []


def test_a_room_is_loaded_with_its_newest_hashes(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entries, "RECENT_HASHES", 2)
    rows = [PutEntry(entry(place)) for place in (1, 3, 4)]
    vault.save([PutRoom(RoomRow(ROOM, RELAY, b"")), *rows])
    (room,) = vault.rooms(RELAY)
    assert room.entries == ((3, b"hash 3"), (4, b"hash 4"))
