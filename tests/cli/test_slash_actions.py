import time

import msgspec
import pytest

from tertulia.cli.slash_actions import ACTIONS, relay_row
from tertulia.cli.slash_commands import Action
from tertulia.client import (
    CancelMessage,
    Carried,
    ChangeName,
    ChangeRoom,
    Connection,
    CreateInvite,
    CreateRoom,
    InviteView,
    JoinRoom,
    LeaveRoom,
    MessageState,
    RelayView,
    RemoveMember,
    RevokeInvite,
)
from tests.cli.fake_agent import (
    ANA,
    BLAS,
    GARDEN,
    RELAY,
    FakeAgent,
    room_view,
)
from tests.cli.typing_person import tell

ROOM = GARDEN.room
STANDING = InviteView(b"\x0a" * 16, ANA, None, None, "https://x/i#standing")


def test_every_command_is_carried_out_here_but_for_leaving() -> None:
    assert set(ACTIONS) == set(Action) - {Action.QUIT}


def test_help_shows_the_table() -> None:
    assert (
        "    /invite [TIME] [USES] | list | revoke ID  "
        in tell(FakeAgent(), "/help").text
    )


def test_rooms_are_listed_and_entered() -> None:
    agent = FakeAgent(rooms_known=[GARDEN, room_view("Kitchen", members=5)])
    story = tell(agent, "/rooms", "/room Kitchen", "hello")
    assert "Kitchen  5 members" in story.text
    assert agent.lines[0].room == agent.rooms_known[1].room


def test_a_room_that_is_not_there_is_said() -> None:
    story = tell(FakeAgent(), "/room Cellar")
    assert "* Nothing here is called Cellar." in story.text


def test_another_room_is_joined_and_made() -> None:
    agent = FakeAgent()
    story = tell(agent, "/create Kitchen", "/join https://x/i#y")
    assert agent.asked == [CreateRoom("Kitchen"), JoinRoom("https://x/i#y")]
    assert story.text.count("* You are in Kitchen") == 2
    assert "https://192.0.2.1:8000/i#made" in story.screen.shown
    assert len(story.screen.codes) == 1


def test_the_standing_link_is_shown_and_only_made_once() -> None:
    agent = FakeAgent()
    story = tell(agent, "/invite", "/invite")
    assert agent.asked == [CreateInvite(ROOM)]
    assert story.screen.shown.count("https://192.0.2.1:8000/i#invite0") == 2


def test_a_link_with_an_end_is_made_anew() -> None:
    agent = FakeAgent(made=[STANDING])
    before = time.time_ns() // 1_000_000
    tell(agent, "/invite 7d 5")
    made = agent.asked[0]
    assert isinstance(made, CreateInvite)
    assert made.uses == 5
    assert made.expires is not None
    assert 0 <= made.expires - before - 7 * 86_400_000 < 60_000


@pytest.mark.parametrize("argument", ["soon", "0", "7x"])
def test_an_end_that_is_none_is_refused(argument: str) -> None:
    agent = FakeAgent()
    assert "Type it otherwise" in tell(agent, f"/invite {argument}").text
    assert not agent.asked


def test_invites_are_listed_and_revoked() -> None:
    agent = FakeAgent(made=[STANDING])
    story = tell(agent, "/invite list", "/invite revoke", "/invite revoke 0a0a")
    assert f"    {'0a' * 4}  Ana  https://x/i#standing" in story.screen.shown
    assert "* Something is missing: /invite revoke ID." in story.text
    assert agent.asked == [RevokeInvite(ROOM, STANDING.invite)]
    assert "* That link leads nowhere now." in story.text


def test_members_are_listed_and_removed() -> None:
    agent = FakeAgent()
    story = tell(agent, "/members", "/remove @Blas", "/remove Blas")
    assert "    Ana, you, owner" in story.screen.shown
    assert "    Blas" in story.screen.shown
    assert agent.asked == [RemoveMember(ROOM, BLAS.account)]
    assert "* Nothing here is called Blas." in story.text


def test_names_and_the_topic_change() -> None:
    agent = FakeAgent()
    story = tell(agent, "/topic", "/name Patio", "/topic Roses", "/topic", "/nick Ani")
    assert "* There is no topic; /topic TOPIC sets one." in story.text
    assert "* The topic: Roses" in story.text
    assert agent.asked == [
        ChangeRoom(ROOM, name="Patio"),
        ChangeRoom(ROOM, topic="Roses"),
        ChangeName("Ani"),
    ]
    assert "* You are called Ani now." in story.text


def test_the_status_shows_person_room_and_relay() -> None:
    waiting = room_view("Garden", waiting=2, sign_awaited="Blas")
    story = tell(FakeAgent(rooms_known=[waiting]), "/status")
    for wanted in ("You are Ana #", "2 not sent yet", "connected", "sign from Blas"):
        assert wanted in story.text
    assert "quantum" not in story.text


@pytest.mark.parametrize(
    ("hybrid", "words"), [(True, "made to hold against"), (False, "could read")]
)
def test_the_status_says_what_the_keys_hold_against(
    hybrid: bool,  # noqa: FBT001
    words: str,
) -> None:
    room = room_view("Garden", hybrid=hybrid)
    assert words in tell(FakeAgent(rooms_known=[room]), "/status").text


@pytest.mark.parametrize(
    ("connection", "words"),
    [
        (Connection.ONLINE, "https://x  connected"),
        (Connection.CONNECTING, "https://x  connecting"),
        (Connection.OFFLINE, "https://x  not reached, tried again by itself"),
    ],
)
def test_a_relay_is_said_in_words(connection: Connection, words: str) -> None:
    assert relay_row(RelayView(RELAY, ("https://x",), connection)) == words


def test_a_relay_that_stopped_says_why() -> None:
    stopped = RelayView(RELAY, (), Connection.STOPPED, "banned")
    assert relay_row(stopped).startswith("07070707  The person who runs the relay")


def test_the_last_unsent_text_is_taken_back() -> None:
    agent = FakeAgent(is_online=False)
    story = tell(agent, "one", "two", "/cancel", "/cancel", "/cancel", lost_for=60)
    assert [type(command) for command in agent.asked[2:]] == [CancelMessage] * 2
    assert "* Taken back: “two”." in story.text
    assert "* All that you said here was sent." in story.text
    assert not agent.lines


def test_what_the_relay_has_stays() -> None:
    agent = FakeAgent()
    assert "All that you said" in tell(agent, "one", "/cancel").text
    assert agent.lines[0].state is MessageState.STORED


def test_leaving_asks_to_be_repeated_at_once() -> None:
    agent = FakeAgent()
    story = tell(agent, "/leave", "/members", "/leave", "/leave")
    assert agent.asked == [LeaveRoom(ROOM)]
    assert "* You have left Garden." in story.text


@pytest.mark.parametrize("line", ["/join x", "/create x", "/invite 5"])
def test_an_answer_that_does_not_fit_is_our_own_fault(line: str) -> None:
    story = tell(FakeAgent(answers=[Carried()]), line)
    assert "broke a rule of its own" in story.text


def test_a_text_that_is_answered_otherwise_is_our_own_fault_too() -> None:
    agent = FakeAgent(answers=[Carried()])
    assert "broke a rule of its own" in tell(agent, "hello").text
    assert msgspec.structs.asdict(GARDEN)["name"] == "Garden"
