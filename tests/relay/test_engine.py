"""The port: every engine has all of its calls."""

import inspect

import pytest

from tertulia.relay import Engine
from tertulia.server.engines import MemoryEngine, SqliteEngine


@pytest.mark.parametrize("engine", [MemoryEngine, SqliteEngine])
def test_an_engine_answers_the_whole_port(engine: type) -> None:
    wanted = {
        name: member
        for name, member in inspect.getmembers(Engine)
        if not name.startswith("_") and callable(member)
    }
    assert len(wanted) > 40
    for name, member in wanted.items():
        answered = getattr(engine, name)
        assert inspect.iscoroutinefunction(answered) == inspect.iscoroutinefunction(
            member
        ), name
