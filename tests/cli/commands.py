"""Runs commands of the command line in this process, with a fake profile."""

import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tertulia.cli import main
from tests.cli.fake_agent import FakeAgent


@dataclass
class Commands:
    """The command line, with `agent` behind every profile."""

    agent: FakeAgent
    capture: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch
    is_new: bool = False
    name: str | None = None

    def run(self, *arguments: str, typed: str = "") -> tuple[int, str, str]:
        """Return the exit code and both outputs."""
        reader, writer = os.pipe()
        os.write(writer, typed.encode())
        os.close(writer)
        with open(reader, encoding="utf-8") as stdin:  # noqa: PTH123 -- a descriptor
            self.monkeypatch.setattr(sys, "stdin", stdin)
            code = main(list(arguments))
        output, errors = self.capture.readouterr()
        return code, output, errors


def install(
    agent: FakeAgent,
    capture: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Commands:
    """Put `agent` in the place of every profile."""
    commands = Commands(agent, capture, monkeypatch)

    @asynccontextmanager
    async def open_agent(
        _folder: Path,
        *,
        name: str | None = None,
        passphrase: Callable[[], str] | None = None,
    ) -> AsyncIterator[Any]:
        del passphrase
        commands.name = name
        yield agent

    monkeypatch.setattr("tertulia.agent.open_agent", open_agent)
    monkeypatch.setattr(
        "tertulia.agent.has_profile", lambda _folder: not commands.is_new
    )
    for variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG", "TERTULIA_PROFILE"):
        monkeypatch.delenv(variable, raising=False)
    return commands
