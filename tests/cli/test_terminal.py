import argparse
import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tertulia.cli import terminal
from tertulia.cli.screen import Ending, Names
from tertulia.cli.terminal import add_conversation_options, converse
from tests.cli.commands import Commands
from tests.cli.fake_agent import GARDEN, FakeAgent, as_agent
from tests.cli.typing_person import ScriptedScreen


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_conversation_options(parser)
    return parser.parse_args(arguments)


def test_programs_get_json(commands: Commands) -> None:
    code, output, _errors = commands.run("chat", "--json", typed="hello\n")
    assert code == 0
    events = [json.loads(line)["event"] for line in output.splitlines()]
    assert events == ["message", "moved"]


class Tty:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor


def test_a_terminal_gets_a_prompt_unless_it_is_to_be_plain(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prompts: list[Any] = []

    @contextlib.asynccontextmanager
    async def open_prompt(names: Names) -> AsyncIterator[ScriptedScreen]:
        prompts.append(names)
        yield ScriptedScreen([], ending=Ending.INTERRUPTED)

    nothing = os.open(os.devnull, os.O_RDONLY)
    monkeypatch.setattr("tertulia.cli.prompt.open_prompt", open_prompt)
    monkeypatch.setattr(terminal, "is_plain", lambda _environment: False)
    monkeypatch.setattr(sys, "stdin", Tty(nothing))
    agent = as_agent(FakeAgent())
    ending = asyncio.run(converse(parsed(), agent, GARDEN.room))
    assert ending is Ending.INTERRUPTED
    assert prompts[0].members == ["Ana", "Blas"]
    ending = asyncio.run(converse(parsed("--plain"), agent, GARDEN.room))
    assert ending is Ending.END_OF_INPUT
    assert len(prompts) == 1
    assert capsys.readouterr().out == "* You are in Garden, 2 members.\n"
    os.close(nothing)
