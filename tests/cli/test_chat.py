import asyncio

import pytest

from tertulia.cli import chat
from tertulia.cli.chat import pick_room, room_meant
from tertulia.cli.errors import MissingOptionError, NoRoomError, NothingNamedError
from tertulia.client import RoomStatus
from tests.cli.commands import Commands
from tests.cli.fake_agent import GARDEN, FakeAgent, as_agent, message, room_view

KITCHEN = room_view("Kitchen")
LEFT = room_view("Cellar", status=RoomStatus.LEFT)


def test_one_talks_in_plain_lines_through_pipes(commands: Commands) -> None:
    commands.agent.lines = [message("hi")]
    code, output, errors = commands.run("chat", "Garden", typed="hello\n/quit\n")
    assert (code, errors) == (0, "")
    assert output == "* You are in Garden, 2 members.\nBlas: hi\n"
    assert commands.agent.lines[1].text == "hello"


def test_the_only_room_needs_no_name() -> None:
    agent = FakeAgent(rooms_known=[LEFT, GARDEN])
    assert asyncio.run(room_meant(as_agent(agent), None)) is GARDEN
    assert asyncio.run(room_meant(as_agent(agent), "cel")) is LEFT


def test_where_there_is_no_room_it_says_so(commands: Commands) -> None:
    with pytest.raises(NoRoomError):
        asyncio.run(room_meant(as_agent(FakeAgent(rooms_known=[LEFT])), None))
    commands.agent.rooms_known = []
    assert "You are in no room yet." in commands.run("chat")[2]


def test_which_of_several_is_asked_at_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    agent = as_agent(FakeAgent(rooms_known=[GARDEN, KITCHEN]))
    monkeypatch.setattr(chat, "can_ask", lambda: False)
    with pytest.raises(MissingOptionError):
        asyncio.run(room_meant(agent, None))
    monkeypatch.setattr(chat, "can_ask", lambda: True)
    monkeypatch.setattr(chat, "pick_room", lambda rooms: rooms[1])
    assert asyncio.run(room_meant(agent, None)) is KITCHEN


@pytest.mark.parametrize("answer", ["2", "kit"])
def test_a_room_is_picked_by_number_or_name(
    answer: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("tertulia.cli.profile.ask", lambda _question: answer)
    assert pick_room([GARDEN, KITCHEN]) is KITCHEN
    assert capsys.readouterr().out.splitlines()[1].startswith("  2  ")


def test_a_number_beyond_the_list_is_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tertulia.cli.profile.ask", lambda _question: "3")
    with pytest.raises(NothingNamedError):
        pick_room([GARDEN, KITCHEN])
