import sys

import pytest

from tertulia.cli.own_command import own_command


@pytest.mark.parametrize(
    ("called", "installed", "typed"),
    [
        (".venv/bin/tertulia", None, ".venv/bin/tertulia"),
        (".venv/bin/tertulia", "/usr/bin/tertulia", "tertulia"),
        ("/src/__main__.py", None, "tertulia"),
    ],
)
def test_what_one_types_is_what_was_typed(
    called: str, installed: str | None, typed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [called])
    monkeypatch.setattr("shutil.which", lambda _name: installed)
    assert own_command() == typed
