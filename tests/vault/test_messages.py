from dataclasses import replace

import pytest

from tertulia.client import DropMessage, MessageRow, PutMessage, PutRoom, RoomRow
from tertulia.vault import Vault
from tests.vault.samples import OTHER, RELAY, ROOM


def line(number: int, room: bytes = ROOM) -> MessageRow:
    """Return a line as it is loaded, if it was the `number`th that was stored."""
    return MessageRow(room, b"message %d" % number, number, b"body", number)


def put(row: MessageRow) -> PutMessage:
    return PutMessage(replace(row, number=None))


LINES = [line(1), line(2, OTHER), line(3), line(4, OTHER), line(5)]


@pytest.fixture(autouse=True)
def _five_lines(vault: Vault) -> None:
    vault.save([put(row) for row in LINES])


def test_lines_are_numbered_over_the_whole_vault(vault: Vault) -> None:
    assert vault.messages(None, 0, 100) == LINES
    assert vault.messages(ROOM, 0, 100) == [line(1), line(3), line(5)]


def test_a_page_goes_on_after_a_number(vault: Vault) -> None:
    assert vault.messages(None, 1, 2) == LINES[1:3]
    assert vault.messages(ROOM, 1, 1) == [line(3)]
    assert vault.messages(ROOM, 5, 1) == []
    assert vault.messages(None, 0, 0) == []


def test_the_newest_lines_are_in_order_too(vault: Vault) -> None:
    assert vault.messages(None, 0, 2, newest=True) == LINES[3:]
    assert vault.messages(ROOM, 0, 2, newest=True) == [line(3), line(5)]
    assert vault.messages(ROOM, 3, 2, newest=True) == [line(5)]


def test_a_line_keeps_its_number_when_place_and_body_change(vault: Vault) -> None:
    queued = MessageRow(ROOM, b"mine", None, b"queued")
    vault.save([PutMessage(queued)])
    assert vault.message(None, b"mine") == replace(queued, number=6)
    stored = MessageRow(ROOM, b"mine", 80, b"stored", number=1)
    vault.save([put(line(7)), PutMessage(stored)])
    assert vault.message(None, b"mine") == replace(stored, number=6)
    assert vault.messages(ROOM, 5, 10) == [replace(stored, number=6), line(7)]


def test_a_number_is_never_used_twice(vault: Vault) -> None:
    vault.save([DropMessage(ROOM, b"message 5")])
    assert vault.message(None, b"message 5") is None
    vault.save([put(line(6))])
    assert vault.messages(None, 4, 10) == [line(6)]


def test_a_line_is_dropped_from_its_own_room_only(vault: Vault) -> None:
    vault.save([DropMessage(OTHER, b"message 5")])
    assert vault.message(None, b"message 5") == line(5)


def test_an_id_that_comes_up_in_two_rooms_is_two_lines(vault: Vault) -> None:
    forged = MessageRow(OTHER, b"message 5", 9, b"other words")
    vault.save([PutMessage(forged)])
    assert vault.message(None, b"message 5") == line(5)
    assert vault.messages(OTHER, 4, 10) == [replace(forged, number=6)]


def test_lines_are_counted_by_room(vault: Vault) -> None:
    vault.save([PutRoom(RoomRow(b"empty", RELAY, b""))])
    counts = [vault.count_messages(room) for room in (ROOM, OTHER, b"empty")]
    assert counts == [3, 2, 0]
