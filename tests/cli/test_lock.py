from pathlib import Path
from typing import Any

import pytest

from tertulia.agent import KeySource
from tertulia.cli import lock
from tests.cli.commands import Commands


@pytest.fixture
def changes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[KeySource, str]]:
    made: list[tuple[KeySource, str]] = []

    def change(
        _folder: Path, _current: Any, source: KeySource, passphrase: str
    ) -> None:
        made.append((source, passphrase))

    monkeypatch.setattr("tertulia.agent.change_key_source", change)
    return made


def answer(monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
    given = list(answers)
    monkeypatch.setattr(lock, "can_ask", lambda: True)
    monkeypatch.setattr("getpass.getpass", lambda _question: given.pop(0))


def test_a_passphrase_is_asked_for_twice(
    commands: Commands,
    changes: list[tuple[KeySource, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer(monkeypatch, "secret", "secret")
    code, output, _errors = commands.run("lock")
    assert (code, changes) == (0, [(KeySource.PASSPHRASE, "secret")])
    assert "the passphrase opens this profile" in output


def test_a_slip_changes_nothing(
    commands: Commands,
    changes: list[tuple[KeySource, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer(monkeypatch, "secret", "sercet")
    assert commands.run("lock")[0] == 2
    assert not changes


@pytest.mark.parametrize(
    ("option", "source"),
    [("--keyring", KeySource.KEYRING), ("--file", KeySource.FILE)],
)
def test_a_passphrase_is_taken_away(
    commands: Commands,
    changes: list[tuple[KeySource, str]],
    option: str,
    source: KeySource,
) -> None:
    code, output, _errors = commands.run("lock", option)
    assert (code, changes) == (0, [(source, "")])
    assert "From now on" in output


def test_without_a_terminal_there_is_no_passphrase(
    commands: Commands, changes: list[tuple[KeySource, str]]
) -> None:
    assert commands.run("lock")[0] == 2
    commands.is_new = True
    assert "There is no profile" in commands.run("lock", "--file")[2]
    assert not changes
