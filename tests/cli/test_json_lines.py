import json
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.cli import json_lines
from tertulia.cli.json_lines import (
    AnyLine,
    ErrorLine,
    decode_line,
    encode_line,
    event_line,
    invite_line,
    member_line,
    message_line,
    room_line,
)
from tertulia.client import (
    AnyEvent,
    CatchingUp,
    Connection,
    ConnectionChanged,
    InviteView,
    JoinQueued,
    MemberView,
    MessageArrived,
    MessageMoved,
    MessageState,
    RoomChanged,
    SignSeen,
    Warned,
)
from tests.cli.fake_agent import ANA, BLAS, GARDEN, NOON, RELAY, message
from tools import json_lines as reference

ROOM = GARDEN.room.hex()


def as_object(line: AnyLine) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(encode_line(line))
    return found


def test_a_message_has_what_is_promised() -> None:
    shown = as_object(message_line(message("hello")))
    assert shown == {
        "event": "message",
        "v": 1,
        "room": ROOM,
        "id": message("hello").message.hex(),
        "sender": {"name": "Blas", "account": BLAS.account.hex(), "me": False},
        "time": NOON,
        "kind": "text",
        "text": "hello",
        "state": "received",
        "place": 1,
        "reason": None,
    }


def test_what_is_listed_is_an_object_each() -> None:
    assert as_object(room_line(GARDEN))["name"] == "Garden"
    owner = MemberView(ANA, 2, True, False, "ab12")  # noqa: FBT003
    shown = as_object(member_line(GARDEN.room, owner))
    assert (shown["me"], shown["devices"], shown["owner"]) == (True, 2, True)
    invite = InviteView(b"\x01" * 16, ANA, NOON, 5, "https://x")
    shown = as_object(invite_line(GARDEN.room, invite))
    assert shown["id"] == "01" * 16
    assert (shown["link"], shown["uses"], shown["expires"]) == ("https://x", 5, NOON)


EVENTS: list[tuple[AnyEvent, str]] = [
    (MessageArrived(message("x")), "message"),
    (MessageMoved(GARDEN.room, b"\x01" * 32, MessageState.FAILED), "moved"),
    (ConnectionChanged(RELAY, Connection.OFFLINE, "gone", 5), "connection"),
    (CatchingUp(GARDEN.room, 1, 2), "catching_up"),
    (JoinQueued(GARDEN.room, 3), "join_queued"),
    (SignSeen(GARDEN.room), "sign_seen"),
    (Warned(GARDEN.room, "entry_void", "Blas", 7), "warning"),
]


@pytest.mark.parametrize(("event", "name"), EVENTS, ids=lambda value: str(value)[:20])
def test_events_become_lines(event: AnyEvent, name: str) -> None:
    line = event_line(event)
    assert line is not None
    assert as_object(line)["event"] == name
    assert decode_line(encode_line(line)) == line


def test_that_a_room_changed_only_says_where_to_look() -> None:
    assert event_line(RoomChanged(GARDEN.room)) is None


def test_every_line_has_event_and_version_first_and_describes_its_fields() -> None:
    names = set()
    for kind in get_args(AnyLine):
        info: Any = msgspec.inspect.type_info(kind)
        assert info.tag_field == "event"
        assert info.fields[0].name == "v"
        names.add(info.tag)
        for field in info.fields:
            described = isinstance(field.type, msgspec.inspect.Metadata)
            assert described or field.name == "sender", field.name
    assert len(names) == len(get_args(AnyLine))


@given(text=st.text(st.characters(codec="utf-8")))
def test_a_line_is_one_line_and_commands_no_terminal(text: str) -> None:
    line = ErrorLine(code="x", words="", text=text)
    data = encode_line(line)
    assert data.decode().splitlines() == [data.decode()[:-1]]
    assert not set(data.decode()[:-1]) & set("\x00\x07\x1b\x7f\x9b\u202e\u2066\u2028")
    assert decode_line(data) == line
    assert json.loads(data)["text"] == text


def test_ordinary_letters_stay_readable() -> None:
    assert "ñ 李" in encode_line(ErrorLine(code="", words="", text="ñ 李")).decode()


def test_beyond_the_basic_plane_escapes_are_pairs() -> None:
    data = encode_line(ErrorLine(code="", words="", text="\U000e0001"))
    assert rb"\udb40\udc01" in data


def test_the_reference_page_is_of_this_declaration() -> None:
    assert reference.main(["check"]) == 0


def test_the_version_is_the_one_that_is_documented() -> None:
    assert json_lines.VERSION == 1
