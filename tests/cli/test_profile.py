import argparse
import asyncio
import signal
import sys
from pathlib import Path

import pytest

from tertulia.cli import profile
from tertulia.cli.errors import MissingOptionError, NoProfileError
from tertulia.cli.profile import (
    add_name_option,
    add_profile_option,
    ask,
    ask_passphrase,
    name_for,
    opened,
    profile_folder,
)


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_profile_option(parser)
    add_name_option(parser)
    return parser.parse_args(arguments)


@pytest.fixture
def new(tmp_path: Path) -> argparse.Namespace:
    return parsed("--profile", str(tmp_path / "new"))


def test_the_folder_is_named_or_the_users_own() -> None:
    environment = {"TERTULIA_PROFILE": "/env", "XDG_DATA_HOME": "/data"}
    assert profile_folder(parsed("--profile", "/given"), environment) == Path("/given")
    assert profile_folder(parsed(), environment) == Path("/env")
    del environment["TERTULIA_PROFILE"]
    assert profile_folder(parsed(), environment).name == "profile"


def test_a_name_that_was_given_is_not_asked_for() -> None:
    assert name_for(parsed("--name", "Ana")) == "Ana"


def test_without_a_terminal_the_missing_option_is_named(
    new: argparse.Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profile, "can_ask", lambda: False)
    with pytest.raises(MissingOptionError) as raised:
        name_for(new)
    assert raised.value.option == "--name"


@pytest.mark.parametrize(
    ("login", "answers", "name"),
    [("ana", [""], "ana"), ("ana", ["Ani"], "Ani"), ("", ["", "Ani"], "Ani")],
)
def test_only_a_new_profile_is_asked_for_a_name(
    login: str,
    answers: list[str],
    name: str,
    new: argparse.Namespace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    questions: list[str] = []

    def answer(question: str) -> str:
        questions.append(question)
        return answers.pop(0)

    monkeypatch.setattr(profile, "can_ask", lambda: True)
    monkeypatch.setattr(profile, "ask", answer)
    monkeypatch.setattr(profile, "_login_name", lambda: login)
    assert name_for(new) == name
    assert ("[ana]" in questions[0]) is (login == "ana")
    monkeypatch.setattr("tertulia.agent.has_profile", lambda _folder: True)
    assert name_for(new) is None


def test_a_system_without_login_names_proposes_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> str:
        raise OSError

    monkeypatch.setattr("getpass.getuser", fail)
    assert profile._login_name() == ""


def test_a_question_leaves_standard_output_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ask("What? ", lambda: " this \n") == "this"
    assert capsys.readouterr() == ("", "What? ")


def test_a_profile_is_not_begun_by_the_way(new: argparse.Namespace) -> None:
    async def story() -> None:
        async with opened(new):
            pass

    with pytest.raises(NoProfileError):
        asyncio.run(story())


def test_nobody_is_asked_through_pipes(monkeypatch: pytest.MonkeyPatch) -> None:
    class Tty:
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Tty())
    monkeypatch.setattr(sys, "stderr", Tty())
    assert profile.can_ask()


def test_a_passphrase_can_be_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGINT)
    handlers = []

    def answer(_question: str) -> str:
        handlers.append(signal.getsignal(signal.SIGINT))
        return "secret"

    monkeypatch.setattr("getpass.getpass", answer)

    async def story() -> tuple[str, str]:
        return ask_passphrase(), await asyncio.to_thread(ask_passphrase)

    assert asyncio.run(story()) == ("secret", "secret")
    assert handlers[0] is signal.default_int_handler
    assert signal.getsignal(signal.SIGINT) is before
