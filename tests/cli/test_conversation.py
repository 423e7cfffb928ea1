from functools import partial

import pytest

from tertulia.cli import conversation
from tertulia.cli.screen import Ending
from tertulia.client import (
    CatchingUp,
    Connection,
    ConnectionChanged,
    JoinQueued,
    MessageKind,
    MessageState,
    RoomStatus,
    SignSeen,
    Warned,
)
from tests.cli.fake_agent import (
    ANA,
    BLAS,
    CRIS,
    GARDEN,
    RELAY,
    FakeAgent,
    message,
    person,
    room_view,
)
from tests.cli.typing_person import settle, tell

KITCHEN = room_view("Kitchen")


def test_what_a_conversation_looks_like() -> None:
    agent = FakeAgent(lines=[message("good morning"), message("hello", ANA)])
    story = tell(
        agent,
        partial(agent.arrive, message("how are you?")),
        "fine",
        partial(agent.arrive, message("", CRIS, kind=MessageKind.JOINED)),
        partial(agent.arrive, message("one\n* Blas has left.\nAna: three", CRIS)),
        "FIN",
    )
    assert story.text == "\n".join(
        [
            "* You are in Garden, 2 members.",
            "Blas: good morning",
            "Ana: hello",
            "Blas: how are you?",
            ">fine",
            "* Cris has come in.",
            "Cris: one",
            "    * Blas has left.",
            "    Ana: three",
            ">FIN",
        ]
    )
    assert story.ending is None
    assert story.names.members == ["Ana", "Blas"]
    assert story.names.rooms == ["Garden"]


def test_the_end_of_the_input_and_an_interruption_are_told_apart() -> None:
    assert tell(FakeAgent()).ending is Ending.END_OF_INPUT


def test_only_the_last_of_a_long_history_is_shown() -> None:
    agent = FakeAgent(lines=[message(f"line {number}") for number in range(100)])
    shown = tell(agent).screen.shown
    assert shown[1:] == [f"Blas: line {number}" for number in range(80, 100)]


def test_what_a_too_slow_listener_missed_is_shown_once() -> None:
    agent = FakeAgent()
    story = tell(
        agent,
        partial(agent.arrive, message("one")),
        partial(agent.arrive_unheard, message("two")),
        settle,
        partial(agent.arrive, message("three")),
    )
    assert story.screen.shown[1:] == ["Blas: one", "Blas: two", "Blas: three"]


def test_my_words_from_elsewhere_are_shown() -> None:
    agent = FakeAgent()
    story = tell(agent, partial(agent.arrive, message("from my phone", ANA)))
    assert story.screen.shown[-1] == "Ana: from my phone"


def test_people_of_one_name_are_told_apart_even_if_one_is_gone() -> None:
    false_blas = type(BLAS)(b"\x99" * 32, "Blаs")  # noqa: RUF001 -- the point
    agent = FakeAgent(lines=[message("it is me", false_blas)])
    story = tell(agent, partial(agent.arrive, message("no, me")))
    assert story.screen.shown[1].startswith("Blаs #9999")  # noqa: RUF001
    assert story.screen.shown[2].startswith(f"Blas #{BLAS.account.hex()[:4]}")


def test_news_of_another_room_is_told_once() -> None:
    agent = FakeAgent(rooms_known=[GARDEN, KITCHEN])
    elsewhere = [message(str(number), room=KITCHEN.room) for number in range(3)]
    mine = message("mine", ANA, room=KITCHEN.room)
    story = tell(
        agent,
        partial(agent.arrive, mine),
        *(partial(agent.arrive, one) for one in elsewhere),
        "/rooms",
        "/room kit",
    )
    told = [line for line in story.screen.shown if "something new" in line]
    assert told == ["* There is something new in Kitchen; /room goes there."]
    assert "  3 new" in story.text
    assert story.screen.shown[-5:] == [
        "* You are in Kitchen, 2 members.",
        "Ana: mine",
        "Blas: 0",
        "Blas: 1",
        "Blas: 2",
    ]


def test_own_messages_say_only_what_is_not_fine() -> None:
    agent = FakeAgent(is_online=False)
    story = tell(
        agent,
        "one",
        "two",
        settle,
        lambda: agent.move(agent.lines[0].message, MessageState.FAILED, "room_full"),
        lambda: agent.connect(Connection.ONLINE),
        lambda: agent.move(agent.lines[1].message, MessageState.STORED),
    )
    assert story.screen.shown[1:] == [
        "* The relay cannot be reached; it is tried again by itself.",
        ">one",
        "* That is kept here and goes out when the relay is there.",
        ">two",
        "* Not sent: “one”. The room stores as much on the relay as it may. "
        "Ask the person who runs the relay.",
        "* The relay is there again.",
    ]


def test_a_text_said_before_one_knows_that_the_relay_is_lost() -> None:
    agent = FakeAgent()
    story = tell(
        agent,
        lambda: agent.connect(Connection.OFFLINE),
        "one",
        settle,
    )
    assert story.screen.shown[-1] == (
        "* That is kept here and goes out when the relay is there."
    )


def test_what_could_not_get_out_is_told_at_the_end() -> None:
    waiting = room_view("Garden", waiting=1)
    agent = FakeAgent(is_online=False, rooms_known=[waiting])
    story = tell(agent, settle, "one", "FIN")
    assert story.screen.shown[-1] == (
        "* 1 message is kept here and goes out the next time."
    )


def test_one_waits_for_the_last_words_if_there_is_a_relay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(conversation, "LAST_WORDS", 0.01)
    waiting = room_view("Garden", waiting=1)
    agent = FakeAgent(is_online=False, rooms_known=[waiting])
    shown = tell(agent, "one", "FIN", lost_for=60).screen.shown
    assert shown[-1] == "* 1 message is kept here and goes out the next time."


def test_a_lost_relay_is_told_once_and_its_return_too() -> None:
    agent = FakeAgent()

    async def a_while() -> None:
        await settle()

    story = tell(
        agent,
        lambda: agent.connect(Connection.OFFLINE),
        a_while,
        lambda: agent.connect(Connection.CONNECTING),
        lambda: agent.connect(Connection.OFFLINE),
        a_while,
        lambda: agent.connect(Connection.ONLINE),
        lambda: agent.happen(ConnectionChanged(b"other", Connection.OFFLINE)),
        a_while,
    )
    assert story.screen.shown[1:] == [
        "* The relay cannot be reached; it is tried again by itself.",
        "* The relay is there again.",
    ]


def test_a_hiccup_is_not_told() -> None:
    agent = FakeAgent()
    story = tell(
        agent,
        lambda: agent.connect(Connection.OFFLINE),
        lambda: agent.connect(Connection.ONLINE),
        lost_for=60,
    )
    assert len(story.screen.shown) == 1


def test_a_relay_that_shuts_one_out_is_told_with_its_reason() -> None:
    agent = FakeAgent()
    story = tell(agent, lambda: agent.connect(Connection.STOPPED, "banned"))
    assert "shut this account out" in story.screen.shown[-1]


def test_the_awaited_sign_is_told() -> None:
    agent = FakeAgent(rooms_known=[room_view("Garden", sign_awaited="Blas")])
    story = tell(agent, lambda: agent.happen(SignSeen(GARDEN.room)))
    assert story.screen.shown[1:] == [
        "* Waiting for a sign from Blas.",
        "* The inviter was heard: this is the room the link meant.",
    ]


def test_only_a_long_catch_up_is_told() -> None:
    agent = FakeAgent()
    steps = [CatchingUp(GARDEN.room, done, 2_000) for done in range(0, 2_001, 250)]
    story = tell(
        agent,
        lambda: agent.happen(CatchingUp(GARDEN.room, 0, 10)),
        lambda: agent.happen(CatchingUp(KITCHEN.room, 0, 5_000)),
        *(partial(agent.happen, step) for step in steps),
    )
    told = story.screen.shown[1:]
    assert told[0] == "* Reading what was missed: 0 of 2000."
    assert told[-1] == "* All that was missed has been read."
    assert 3 <= len(told) <= 6


def test_what_happens_to_the_room_is_told() -> None:
    agent = FakeAgent()
    story = tell(
        agent,
        lambda: agent.change_room(members=3),
        lambda: agent.change_room(status=RoomStatus.LOST),
        lambda: agent.change_room(status=RoomStatus.LOST),
        lambda: agent.happen(JoinQueued(GARDEN.room, 2)),
        lambda: agent.happen(Warned(GARDEN.room, "history_disputed", "Bl:as")),
        lambda: agent.happen(Warned(KITCHEN.room, "history_disputed", "Blas")),
    )
    assert story.screen.shown[1:] == [
        "* Garden: out of step, coming back by itself.",
        "* 2 others enter before you.",
        '* WARNING: "Bl:as" has seen another history of this room than you. Either the '
        'relay shows different things, or "Bl:as" does not tell the truth.',
    ]


def test_a_name_that_is_none_is_shown_in_quotes() -> None:
    agent = FakeAgent(lines=[message("hi", person("* Ana has left."))])
    assert tell(agent).screen.shown[1] == '"* Ana has left.": hi'


def test_the_relay_of_the_events_is_that_of_the_room() -> None:
    assert GARDEN.relay == RELAY
