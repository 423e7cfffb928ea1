import io
import os
import sys
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from tertulia.classic.terminal import Log, Pipes, Screen, open_terminal, visible


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sí, ¿qué? Ñandú, 漢字, 👩\u200d🚀", "Sí, ¿qué? Ñandú, 漢字, 👩\u200d🚀"),
        ("a\tb", "a\tb"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\r\nb\x00\x7f\x9b", "a\\r\\nb\\x00\\x7f\\x9b"),
        ("\u202egnp\u2069", "\\u202egnp\\u2069"),
        ("a\u2028b", "a\\u2028b"),
    ],
)
def test_text_passes_and_commands_are_spelled_out(text: str, expected: str) -> None:
    assert visible(text) == expected


@given(st.text())
def test_no_text_reaches_a_second_line_or_the_terminals_ear(text: str) -> None:
    shown = visible(text)
    assert len(shown.splitlines()) <= 1
    assert not any(ord(c) < 32 and c != "\t" for c in shown)


def test_a_log_writes_whole_lines(capsys: pytest.CaptureFixture[str]) -> None:
    log = Log()

    def write_lines() -> None:
        for _ in range(100):
            log.say("x" * 50)

    threads = [threading.Thread(target=write_lines) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert capsys.readouterr().out == ("x" * 50 + "\n") * 400


def test_a_log_that_nobody_reads_harms_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed(io.StringIO):
        @override
        def write(self, _text: str, /) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Closed())
    Log().say("into the void")


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.BufferedWriter]:
    """The other end of a pipe that is standard input."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as standard_input, os.fdopen(writing, "wb") as writer:
        monkeypatch.setattr(sys, "stdin", standard_input)
        yield writer


def test_pipes_yield_lines_with_and_without_a_line_end(
    typed: io.BufferedWriter,
) -> None:
    typed.write("uno\r\n\nSí\nfin de línea".encode())
    typed.close()
    terminal = open_terminal()
    assert isinstance(terminal, Pipes)
    assert list(terminal.lines()) == ["uno", "", "Sí", "fin de línea"]
    terminal.close()


def test_pipes_survive_what_is_not_utf8(typed: io.BufferedWriter) -> None:
    typed.write(b"a\xffb\n")
    typed.close()
    assert list(Pipes().lines()) == ["a\ufffdb"]


def test_a_question_takes_the_first_line_that_is_not_blank(
    typed: io.BufferedWriter, capsys: pytest.CaptureFixture[str]
) -> None:
    typed.write(b"\n \n Ana \nhola\n")
    typed.close()
    terminal = Pipes()
    assert terminal.ask("Name: ") == "Ana"
    assert list(terminal.lines()) == ["hola"]
    assert capsys.readouterr().out == "Name: "


def test_a_question_nobody_answers_is_an_end_of_file(typed: io.BufferedWriter) -> None:
    typed.close()
    with pytest.raises(EOFError):
        Pipes().ask("Name: ")


def test_pipes_show_lines(
    typed: io.BufferedWriter, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not typed.closed
    Pipes().show("Ana: hola")
    assert capsys.readouterr().out == "Ana: hola\n"


pty = pytest.importorskip("pty")


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The master side of a terminal that is standard input."""
    master, slave = pty.openpty()
    with os.fdopen(slave) as standard_input:
        monkeypatch.setattr(sys, "stdin", standard_input)
        yield master
        os.close(master)


def test_a_screen_asks_prompts_and_ends_at_control_d(
    keyboard: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")  # restored if it is overwritten
    screen = Screen()
    os.write(keyboard, b" \n Ana \nhola\n\x04")
    assert screen.ask("Name: ") == "Ana"
    assert list(screen.lines()) == ["hola"]
    screen.close()
    assert capsys.readouterr().out == "Name: Name: >>\n"


def test_a_line_that_arrives_takes_the_place_of_the_prompt(
    keyboard: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert keyboard
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    screen = Screen()
    screen.show("before")
    screen._prompting = True
    screen._being_typed = lambda: "ho"
    screen.show("Ana: hola")
    screen.close()
    assert capsys.readouterr().out == "before\n\r   \rAna: hola\n>ho\n"
