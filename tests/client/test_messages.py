"""Lines as stored, and as a face sees them."""

from dataclasses import replace

from tertulia.client.messages import (
    StoredMessage,
    message_id,
    message_view,
    put_message,
    view_of,
)
from tertulia.client.rows import MessageRow
from tertulia.client.views import MessageKind, MessageState, MessageView, Person
from tertulia.wire import account_id
from tests.client.script import decode
from tests.client.society import person

ANA, LUIS = person("Ana"), person("Luis")
ROOM, MESSAGE = b"r" * 16, b"m" * 32
SAID = StoredMessage(
    account_id(ANA.account_public),
    "Ana",
    1_000,
    MessageKind.TEXT,
    "hola",
    MessageState.FAILED,
    "room_full",
)


def test_a_message_is_named_by_its_device_and_key() -> None:
    assert message_id(b"d" * 16, b"k" * 16) == b"d" * 16 + b"k" * 16


def test_each_further_notice_about_an_entry_has_a_name_of_its_own() -> None:
    names = {message_id(b"d" * 16, b"k" * 16, index) for index in range(100)}
    assert len(names) == 100
    assert {len(name) for name in names} == {32}


def test_a_line_is_stored_as_it_is_seen() -> None:
    row = put_message(ROOM, MESSAGE, 7, SAID).row
    assert row == MessageRow(ROOM, MESSAGE, 7, row.body)
    assert decode(row.body, StoredMessage) == SAID
    assert message_view(row, LUIS) == view_of(ROOM, MESSAGE, 7, SAID, LUIS)


def test_a_face_sees_who_said_what_and_what_became_of_it() -> None:
    assert view_of(ROOM, MESSAGE, 7, SAID, LUIS) == MessageView(
        ROOM,
        MESSAGE,
        Person(account_id(ANA.account_public), "Ana", is_me=False),
        1_000,
        MessageKind.TEXT,
        "hola",
        MessageState.FAILED,
        7,
        "room_full",
    )


def test_lines_of_all_my_devices_are_mine() -> None:
    other = replace(ANA, device=b"o" * 16)
    assert view_of(ROOM, MESSAGE, None, SAID, other).sender.is_me
