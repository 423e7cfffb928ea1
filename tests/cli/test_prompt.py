"""The prompt, at a pseudo-terminal: what is typed and what arrives do not mix."""

import os
import sys
from collections.abc import Iterator

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from tertulia.cli.prompt import LineCompleter
from tertulia.cli.screen import Names

NAMES = Names(rooms=["Garden", "Kitchen"], members=["Ana", "José Luis"])


def completed(text: str) -> list[str]:
    completer = LineCompleter(NAMES)
    document = Document(text)
    return [
        text[: len(text) + found.start_position] + found.text
        for found in completer.get_completions(document, CompleteEvent())
    ]


@pytest.mark.parametrize(
    ("text", "candidates"),
    [
        ("/he", ["/help"]),
        ("/RO", ["/rooms", "/room "]),
        ("/room k", ["/room Kitchen"]),
        ("/remove jo", ["/remove José Luis"]),
        ("/invite ", ["/invite list", "/invite revoke"]),
        ("/topic G", []),
        ("/nope x", []),
        ("@a", ["@Ana"]),
        ("hello @jo", ["hello @José Luis"]),
        ("hello jo", []),
        ("//he", []),
        ("", []),
    ],
)
def test_tab_completes_commands_names_and_rooms(
    text: str, candidates: list[str]
) -> None:
    assert completed(text) == candidates


pty = pytest.importorskip("pty", reason="Windows has no pseudo-terminals")

PROGRAM = """
import asyncio
from tests.cli.fake_agent import GARDEN, FakeAgent, as_agent, message
from tertulia.cli.conversation import Conversation
from tertulia.cli.prompt import open_prompt
from tertulia.cli.screen import Names
from tertulia.cli.talking import talk

async def play():
    agent, names = FakeAgent(), Names()
    say = agent._say
    def answer(room, text):
        kept = say(room, text)
        agent.arrive(message("I heard " + text))
        return kept
    agent._say = answer
    async with open_prompt(names) as screen:
        ending = await talk(Conversation(as_agent(agent), screen, GARDEN.room, names))
    print("ENDED", ending)

asyncio.run(play())
"""


class Terminal:
    """A pseudo-terminal with the program at its other end."""

    def __init__(self, process: int, descriptor: int) -> None:
        self.process = process
        self._descriptor = descriptor
        self.seen = ""

    def types(self, text: str) -> None:
        os.write(self._descriptor, text.encode())

    def shows(self, text: str) -> str:
        """Read until `text` is there; return all that was read since the last time."""
        while text not in self.seen:
            try:
                piece = os.read(self._descriptor, 4096)
            except OSError:  # the other end is closed
                piece = b""
            assert piece, f"{text!r} does not come: {self.seen!r}"
            self.seen += piece.decode("utf-8", "replace")
        end = self.seen.index(text) + len(text)
        seen, self.seen = self.seen[:end], self.seen[end:]
        return seen


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    environment = {**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    process, descriptor = pty.fork()
    if process == 0:
        command = [sys.executable, "-c", PROGRAM]
        os.execve(command[0], command, environment)
    try:
        yield Terminal(process, descriptor)
    finally:
        os.close(descriptor)
        os.waitpid(process, 0)


def test_a_conversation_at_a_terminal(terminal: Terminal) -> None:
    terminal.shows("You are in Garden, 2 members.")
    terminal.shows(">")
    terminal.types("hello\r")
    terminal.shows("Blas: I heard hello")
    terminal.types("/mem\t")
    terminal.shows("/members")
    terminal.types("\r")
    terminal.shows("Ana, you, owner")
    # A pasted text of several lines is one message.
    terminal.types("\x1b[200~one\rtwo\x1b[201~\r")
    terminal.shows("Blas: I heard one")
    terminal.shows("    two")
    terminal.types("FIN\r")
    terminal.shows("ENDED None")


@pytest.mark.parametrize(
    ("key", "ending"), [("\x04", "END_OF_INPUT"), ("\x03", "INTERRUPTED")]
)
def test_keys_that_end(terminal: Terminal, key: str, ending: str) -> None:
    terminal.shows("2 members.")
    terminal.shows(">")
    terminal.types(key)
    terminal.shows(f"ENDED Ending.{ending}")
