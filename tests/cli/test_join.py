import json

import pytest

from tertulia.cli.join import _waiting_words
from tertulia.client import (
    Carried,
    Connection,
    ConnectionChanged,
    CreateRoom,
    JoinQueued,
    JoinRoom,
    SignSeen,
)
from tertulia.errors import OfflineError
from tertulia.wire import RoomInviteLink, ServerInviteLink
from tests.cli.commands import Commands
from tests.cli.fake_agent import GARDEN, RELAY

LINK = RoomInviteLink(
    RELAY, GARDEN.room, 1, b"\x01" * 32, 0, 0, b"\x02" * 32, b"\x03" * 32, ()
).url("https://192.0.2.1:8000")
SERVER_LINK = ServerInviteLink(RELAY, b"\x01" * 16, b"\x02" * 32, ()).url(
    "https://192.0.2.1:8000"
)


def test_one_enters_and_talks(commands: Commands) -> None:
    commands.is_new = True
    code, output, errors = commands.run("join", LINK, "--name", "Ana", typed="hello\n")
    assert (code, errors) == (0, "")
    assert output == "* You are in Garden, 2 members.\n"
    assert commands.name == "Ana"
    assert commands.agent.asked[0] == JoinRoom(LINK)
    assert commands.agent.lines[0].text == "hello"


def test_one_can_enter_only(commands: Commands) -> None:
    code, output, _errors = commands.run("join", LINK, "--no-chat")
    assert (code, output) == (0, "* You are a member of Garden now.\n")
    _code, output, _errors = commands.run("join", LINK, "--no-chat", "--json")
    assert json.loads(output) == {
        "event": "joined",
        "v": 1,
        "room": GARDEN.room.hex(),
        "name": "Garden",
        "already": False,
    }


def test_programs_are_told_that_they_are_in_before_all_else(
    commands: Commands,
) -> None:
    _code, output, _errors = commands.run("join", LINK, "--json", typed="hello\n")
    events = [json.loads(line)["event"] for line in output.splitlines()]
    assert events == ["joined", "message", "moved"]


def test_a_name_is_missing_where_nobody_can_be_asked(commands: Commands) -> None:
    commands.is_new = True
    code, _output, errors = commands.run("join", LINK)
    assert code == 2
    assert "--name is missing" in errors


@pytest.mark.parametrize("link", ["hello", "https://x/i#", LINK[:-9]])
def test_what_is_no_link_is_said_at_once(commands: Commands, link: str) -> None:
    code, _output, errors = commands.run("join", link)
    assert code == 2
    assert "That is no link of Tertulia" in errors
    assert not commands.agent.asked


def test_a_link_to_a_relay_makes_it_known(commands: Commands) -> None:
    code, output, _errors = commands.run("join", SERVER_LINK)
    assert (code, commands.agent.added) == (0, [SERVER_LINK])
    assert "That relay is known now" in output
    assert not commands.agent.asked


def test_on_a_relay_alone_one_can_make_a_room(commands: Commands) -> None:
    arguments = ("join", SERVER_LINK, "--room", "Patio", "--no-chat")
    code, output, _errors = commands.run(*arguments)
    assert (code, output) == (0, "* You are a member of Patio now.\n")
    assert commands.agent.asked == [CreateRoom("Patio")]
    assert commands.run(*arguments, "--large")[0] == 0
    assert commands.agent.asked[-1] == CreateRoom("Patio", large=True)
    commands.agent.answers = [Carried()]
    assert commands.run(*arguments)[0] == 70


def test_what_goes_wrong_is_told(commands: Commands) -> None:
    commands.agent.answers = [OfflineError("x")]
    assert commands.run("join", LINK)[0] == 69
    commands.agent.answers = [Carried()]
    assert commands.run("join", LINK)[0] == 70


def test_one_is_told_what_one_waits_for() -> None:
    assert _waiting_words(JoinQueued(GARDEN.room, 1)) == "1 other enters before you."
    offline = ConnectionChanged(RELAY, Connection.OFFLINE)
    assert "cannot be reached" in str(_waiting_words(offline))
    assert _waiting_words(SignSeen(GARDEN.room)) is None
