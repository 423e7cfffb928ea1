import argparse
import sys

import pytest

from tertulia.cli import main, menu
from tests.cli.commands import Commands

# The package re-exports the function of that name.
MAIN = sys.modules["tertulia.cli.main"]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    commands: list[str] = []
    for name in ("host", "chat", "join"):

        def run(arguments: argparse.Namespace, name: str = name) -> int:
            commands.append(f"{name} {getattr(arguments, 'link', '')}".strip())
            return 7

        monkeypatch.setattr(f"tertulia.cli.{name}.run", run)
    return commands


@pytest.mark.parametrize(
    ("answer", "command"),
    [
        ("h", "host"),
        ("H", "host"),
        ("r", "chat"),
        ("https://x/i#AA", "join https://x/i#AA"),
    ],
)
@pytest.mark.usefixtures("commands")
def test_what_is_answered_is_done(
    answer: str, command: str, ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(menu, "ask", lambda _question: answer)
    monkeypatch.setattr(MAIN, "_is_terminal", lambda: True)
    assert main([]) == 7
    assert ran == [command]


def test_nothing_is_an_answer_too(
    commands: Commands, ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave(_question: str) -> str:
        raise EOFError

    monkeypatch.setattr(menu, "ask", leave)
    monkeypatch.setattr(MAIN, "_is_terminal", lambda: True)
    commands.is_new = True
    code, output, _errors = commands.run()
    assert (code, ran) == (0, [])
    assert "one of your rooms" not in output
