from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.cli.folding import INDENT
from tertulia.cli.lines import (
    MARK,
    beginning,
    local_time,
    message_lines,
    notice,
    room_line,
    shown_name,
)
from tertulia.client import MessageKind, MessageState, RoomStatus
from tests.cli.fake_agent import ANA, BLAS, GARDEN, message, person, room_view


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ana", "Ana"),
        ("José Luis Ñandú-Pérez", "José Luis Ñandú-Pérez"),
        ("李小龙", "李小龙"),
        ("R2D2", "R2D2"),
        ("Blas: hello", '"Blas: hello"'),
        ("* Blas was removed.", '"* Blas was removed."'),
        (">", '">"'),
        ('Ana": x', '"Ana\': x"'),
        ("Ana #1a2b", '"Ana #1a2b"'),
        (" Ana", '" Ana"'),
        ("a\nb", "a b"),
        ("\x1b[2J", '"�[2J"'),
        ("", '""'),
    ],
)
def test_only_plain_names_stand_bare(name: str, shown: str) -> None:
    assert shown_name(name) == shown


def test_a_tag_follows_the_name_and_cannot_be_chosen() -> None:
    assert shown_name("Ana", "1a2b") == "Ana #1a2b"
    assert shown_name("Ana #1a2b") != shown_name("Ana", "1a2b")


@given(name=st.text(max_size=64), text=st.text(max_size=200))
def test_no_name_and_no_text_makes_a_line_of_somebody_else(
    name: str, text: str
) -> None:
    first, *rest = message_lines(message(text, person(name)), {})
    spoken = shown_name(name)
    assert first.startswith(f"{spoken}: ")
    assert not first.startswith((MARK, ">", INDENT))
    # What stands before the first colon outside of quotes is the whole name.
    if spoken.startswith('"'):
        assert spoken.count('"') == 2
    else:
        assert ":" not in spoken
    assert all(line.startswith(INDENT) for line in rest)
    assert not any(character in "".join([first, *rest]) for character in "\n\r\x1b\x9b")


NOTICES = [
    (MessageKind.JOINED, "", "* Blas has come in."),
    (MessageKind.LEFT, "", "* Blas has left."),
    (MessageKind.REMOVED, "Cris", "* Blas removed Cris."),
    (MessageKind.REMOVED, "", "* Blas was removed."),
    (MessageKind.RENAMED_ROOM, "Patio", "* Blas calls this room Patio now."),
    (MessageKind.CHANGED_TOPIC, "Roses\n", "* Blas sets the topic: Roses "),
    (MessageKind.RENAMED_MEMBER, "Bla", "* Bla is called Blas now."),
    (MessageKind.VOID, "", "* A message of Blas cannot be opened by anybody."),
    (
        MessageKind.UNKNOWN,
        "",
        "* Blas sent something that this version does not know: update it.",
    ),
]


@pytest.mark.parametrize(("kind", "text", "line"), NOTICES)
def test_what_is_no_text_is_told(kind: MessageKind, text: str, line: str) -> None:
    assert message_lines(message(text, kind=kind), {}) == [line]


def test_every_kind_has_its_line() -> None:
    told = {kind for kind, _text, _line in NOTICES} | {MessageKind.TEXT}
    assert told == set(MessageKind)


def test_a_text_of_several_lines_is_indented() -> None:
    shown = message_lines(message("one\n* Cris has left.\nCris: bye"), {})
    assert shown == ["Blas: one", "    * Cris has left.", "    Cris: bye"]


def test_names_that_look_alike_are_told_apart() -> None:
    tags = {BLAS.account: "90ab"}
    assert message_lines(message("hi"), tags) == ["Blas #90ab: hi"]


def test_own_messages_say_what_is_not_fine() -> None:
    queued = message("hi", ANA, state=MessageState.QUEUED)
    failed = message("hi", ANA, state=MessageState.FAILED)
    stored = message("hi", ANA)
    assert message_lines(queued, {})[1:] == ["* That has not been sent yet."]
    assert message_lines(failed, {})[1:] == ["* That was not sent."]
    assert message_lines(stored, {}) == ["Ana: hi"]


def test_a_notice_of_several_lines_is_indented() -> None:
    assert notice("a\nb") == ["* a", "    b"]


def test_the_beginning_of_a_text_is_short_and_on_one_line() -> None:
    assert beginning("one\n two") == "one two"
    assert beginning("word " * 20, 10) == "word word…"


@pytest.mark.parametrize(
    ("facts", "end"),
    [
        ({}, "2 members"),
        ({"members": 1}, "1 member"),
        ({"status": RoomStatus.JOINING}, "entering"),
        ({"status": RoomStatus.LEFT}, "left"),
        ({"status": RoomStatus.REMOVED}, "you were removed"),
        ({"status": RoomStatus.LOST}, "out of step, coming back by itself"),
        (
            {"status": RoomStatus.OUTDATED},
            "needs a newer version of this program, or of `cryptography`",
        ),
        ({"waiting": 3}, "3 not sent yet"),
        ({"topic": "Roses"}, "Garden  Roses  2 members"),
    ],
)
def test_a_room_in_a_list(facts: dict[str, Any], end: str) -> None:
    line = room_line(room_view("Garden", **facts))
    assert line.startswith(f"{GARDEN.room.hex()[:8]}  Garden")
    assert line.endswith(end)


def test_a_room_with_news_says_how_many() -> None:
    assert room_line(GARDEN, unread=2).endswith("2 new")


def test_times_are_of_this_zone() -> None:
    assert len(local_time(0)) == len("1970-01-01 00:00")
