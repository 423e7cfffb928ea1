import json

import pytest

from tertulia.client import CreateInvite, InviteView, RevokeInvite
from tests.cli.commands import Commands
from tests.cli.fake_agent import ANA, GARDEN

LIMITED = InviteView(b"\x0b" * 16, ANA, None, 3, "https://x/i#limited")


def test_the_standing_link_is_made_once_and_printed_alone(commands: Commands) -> None:
    link = "https://192.0.2.1:8000/i#invite0\n"
    assert commands.run("invite") == (0, link, "")
    assert commands.run("invite", "Garden") == (0, link, "")
    assert commands.agent.asked == [CreateInvite(GARDEN.room)]


def test_a_link_can_have_an_end(commands: Commands) -> None:
    _code, output, _errors = commands.run(
        "invite", "Garden", "--expires", "7d", "--uses", "2", "--json"
    )
    line = json.loads(output)
    assert (line["event"], line["uses"]) == ("invite", 2)
    assert line["expires"] > 0
    assert line["link"].startswith("https://")


@pytest.mark.parametrize("option", [("--expires", "soon"), ("--uses", "0")])
def test_an_end_that_is_none_is_refused(
    commands: Commands, option: tuple[str, str]
) -> None:
    code, _output, errors = commands.run("invite", *option)
    assert code == 2
    assert f"{option[1]} is not" in errors


def test_links_are_listed_and_revoked(commands: Commands) -> None:
    commands.agent.made = [LIMITED]
    assert "3 uses" in commands.run("invite", "Garden", "list")[1]
    line = json.loads(commands.run("invite", "Garden", "list", "--json")[1])
    assert line["id"] == "0b" * 16
    assert commands.run("invite", "Garden", "revoke", "0b0b") == (0, "", "")
    assert commands.agent.asked == [RevokeInvite(GARDEN.room, LIMITED.invite)]


def test_which_to_revoke_has_to_be_said(commands: Commands) -> None:
    code, _output, errors = commands.run("invite", "Garden", "revoke")
    assert code == 2
    assert "tertulia invite ROOM revoke ID" in errors
    assert commands.run("invite", "Garden", "revoke", "ff")[0] == 2
