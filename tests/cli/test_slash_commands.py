import pytest

from tertulia.cli.errors import MissingArgumentError, UnknownSlashCommandError
from tertulia.cli.slash_commands import (
    Action,
    Invocation,
    SlashCommand,
    Spoken,
    help_lines,
    read_line,
    slash_commands,
)


def test_the_table_has_every_action_once() -> None:
    rows = slash_commands()
    assert [row.action for row in rows] == list(Action)
    assert len({row.name for row in rows}) == len(rows)
    assert all(row.words for row in rows)


def test_what_has_to_be_added_is_shown() -> None:
    for row in slash_commands():
        assert bool(row.arguments) or not row.needs
    assert SlashCommand(Action.HELP, "help", "").usage == "/help"
    assert SlashCommand(Action.ROOM, "room", "", "ROOM").usage == "/room ROOM"


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("hello", "hello"),
        ("  indented", "  indented"),
        ("//etc/hosts", "/etc/hosts"),
        ("FIN?", "FIN?"),
        ("fin", "fin"),
        ("a\n/quit", "a\n/quit"),
    ],
)
def test_most_lines_are_said(line: str, text: str) -> None:
    assert read_line(line) == Spoken(text)


@pytest.mark.parametrize("line", ["", "   ", "\t\n"])
def test_blank_lines_mean_nothing(line: str) -> None:
    assert read_line(line) is None


@pytest.mark.parametrize(
    ("line", "action", "argument"),
    [
        ("FIN", Action.QUIT, ""),
        (" FIN ", Action.QUIT, ""),
        ("/quit", Action.QUIT, ""),
        ("/QUIT", Action.QUIT, ""),
        ("/topic", Action.TOPIC, ""),
        ("/topic  Roses and thorns ", Action.TOPIC, "Roses and thorns"),
    ],
)
def test_commands_are_read(line: str, action: Action, argument: str) -> None:
    read = read_line(line)
    assert isinstance(read, Invocation)
    assert (read.command.action, read.argument) == (action, argument)


@pytest.mark.parametrize("line", ["/nope", "/", "/ quit"])
def test_an_unknown_command_is_not_said_aloud(line: str) -> None:
    with pytest.raises(UnknownSlashCommandError):
        read_line(line)


def test_a_command_that_means_nothing_alone_says_what_it_needs() -> None:
    with pytest.raises(MissingArgumentError) as raised:
        read_line("/remove ")
    assert raised.value.usage == "/remove MEMBER"


def test_help_shows_all() -> None:
    lines = help_lines()
    assert len(lines) == len(Action)
    assert lines[0].startswith("/help ")
