import argparse
import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tertulia.cli import terminal
from tertulia.cli.host import WantedRoom, _notice
from tertulia.cli.screen import Ending, Names
from tertulia.cli.terminal import add_conversation_options, add_large_option, converse
from tertulia.client import limits
from tertulia.l10n import choose_language
from tests.cli.commands import Commands
from tests.cli.fake_agent import GARDEN, FakeAgent, as_agent, room_view
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


@pytest.fixture(params=["en", "es"])
def devices(request: pytest.FixtureRequest) -> Iterator[str]:
    """Speak a language; return its word for devices."""
    choose_language({"LANGUAGE": request.param})
    yield {"en": "devices", "es": "dispositivos"}[request.param]
    choose_language({})


def test_words_name_the_bound_of_hybrid_rooms(devices: str) -> None:
    bound = f" {limits.HYBRID_DEVICES} {devices}"
    parser = argparse.ArgumentParser()
    add_large_option(parser)
    assert bound in " ".join(parser.format_help().split())
    notice = _notice(WantedRoom("Garden", large=True), room_view("Garden", hybrid=True))
    assert bound in str(notice)
