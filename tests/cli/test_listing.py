import json

import pytest

from tests.cli.commands import Commands
from tests.cli.fake_agent import ANA, GARDEN, message, room_view


def objects(output: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in output.splitlines()]


def test_rooms_are_listed(commands: Commands) -> None:
    commands.agent.rooms_known.append(room_view("Kitchen", members=5))
    code, output, _errors = commands.run("rooms")
    assert code == 0
    assert output.splitlines()[1].endswith("  Kitchen  5 members")
    shown = objects(commands.run("rooms", "--json")[1])
    assert [line["name"] for line in shown] == ["Garden", "Kitchen"]
    assert {line["event"] for line in shown} == {"room"}


def test_members_are_listed(commands: Commands) -> None:
    assert commands.run("members")[1] == "Ana, you, owner\nBlas\n"
    shown = objects(commands.run("members", "Garden", "--json")[1])
    assert [line["name"] for line in shown] == ["Ana", "Blas"]
    assert shown[0]["account"] == ANA.account.hex()


def test_all_that_is_known_is_exported(commands: Commands) -> None:
    commands.agent.lines = [message(str(number)) for number in range(450)]
    commands.agent.lines.append(message("elsewhere", room=b"k" * 16))
    shown = objects(commands.run("export", "Garden", "--json")[1])
    events = [line["event"] for line in shown]
    assert events == ["room", "member", "member", *["message"] * 450]
    texts = [line["text"] for line in shown if line["event"] == "message"]
    assert texts == [str(number) for number in range(450)]
    lines = commands.run("export", "Garden")[1].splitlines()
    assert len(lines) == 450
    assert lines[-1].endswith("  Blas: 449")


@pytest.mark.parametrize("command", ["members", "export"])
def test_which_of_several_rooms_has_to_be_said(
    commands: Commands, command: str
) -> None:
    commands.agent.rooms_known = [GARDEN, room_view("Kitchen")]
    code, _output, errors = commands.run(command)
    assert code == 2
    assert "ROOM is missing" in errors
