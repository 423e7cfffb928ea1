import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest

from tertulia import __version__
from tertulia.cli import main
from tertulia.cli.main import build_parser
from tertulia.cli.words import ExitCode
from tertulia.errors import OfflineError
from tertulia.l10n import choose_language

LANGUAGE_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in LANGUAGE_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    yield
    choose_language({})


def replace_server(
    monkeypatch: pytest.MonkeyPatch, run: Callable[[argparse.Namespace], int]
) -> None:
    monkeypatch.setattr("tertulia.cli.classic.run_server", run)


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        main(["--version"])
    assert ending.value.code == ExitCode.OK
    assert capsys.readouterr().out == f"tertulia {__version__}\n"


def test_without_a_command_it_shows_what_there_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([]) == ExitCode.USAGE
    output = capsys.readouterr().out
    assert output.startswith("usage: tertulia")
    assert "classic" in output


def test_the_arguments_of_the_process_are_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "argv", ["tertulia", "classic", "server", "--port", "9"])
    replace_server(monkeypatch, lambda arguments: int(arguments.port))
    assert main() == 9


def test_an_error_becomes_three_sentences_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_arguments: argparse.Namespace) -> NoReturn:
        raise OfflineError("no route")

    replace_server(monkeypatch, fail)
    assert main(["classic", "server"]) == ExitCode.UNAVAILABLE
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.splitlines() == [
        "Nobody can be reached: no route",
        "Nothing was lost.",
        "Check the network and try again.",
    ]


def test_an_interruption_is_no_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_arguments: argparse.Namespace) -> NoReturn:
        raise KeyboardInterrupt

    replace_server(monkeypatch, interrupt)
    assert main(["classic", "server"]) == ExitCode.INTERRUPTED
    assert capsys.readouterr() == ("", "")


def test_what_cannot_be_understood_is_a_usage_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ending:
        main(["clasic"])
    assert ending.value.code == ExitCode.USAGE
    assert "error: argument COMMAND: invalid choice: 'clasic'" in (
        capsys.readouterr().err
    )


def test_help_and_complaints_are_spanish_where_the_environment_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LANG", "es_ES.UTF-8")
    assert main([]) == ExitCode.USAGE
    shown = capsys.readouterr().out
    assert shown.startswith("uso: tertulia [-h] [--version] ORDEN")
    assert "muestra esta ayuda y sale" in shown
    with pytest.raises(SystemExit):
        main(["--nope"])
    assert "argumentos desconocidos: --nope" in capsys.readouterr().err


COMMANDS = {
    "serve": (),
    "admin": (),
    "doctor": (),
    "classic": (),
    "host": (),
    "join": ("https://x/i#AA",),
    "chat": (),
    "send": ("Garden",),
    "listen": (),
    "rooms": (),
    "members": (),
    "export": (),
    "invite": (),
    "lock": (),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_knows_what_to_run(command: str) -> None:
    assert callable(build_parser().parse_args([command, *COMMANDS[command]]).run)


def test_the_end_of_the_input_at_a_question_is_no_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def leave(_arguments: argparse.Namespace) -> NoReturn:
        raise EOFError

    replace_server(monkeypatch, leave)
    assert main(["classic", "server"]) == ExitCode.INTERRUPTED


ENDLESS = """
import sys
from tertulia.cli import main, serve

def run(_arguments):
    while True:
        print("x" * 1000)

serve.run = run
sys.exit(main(["serve"]))
"""


def test_a_reader_that_goes_ends_the_command_quietly() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        assert program.stdout.readline()
        program.stdout.close()
        assert program.wait(60) == ExitCode.OK
        assert program.stderr.read() == b""
