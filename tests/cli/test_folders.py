import sys
from pathlib import Path

import pytest

from tertulia.cli.folders import user_folder


def test_linux_asks_the_xdg_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    found = user_folder({"XDG_DATA_HOME": "/data"}, "profile")
    assert found == Path("/data/tertulia/profile")
    home = Path.home() / ".local" / "share" / "tertulia" / "relay"
    assert user_folder({"XDG_DATA_HOME": ""}, "relay") == home


def test_other_systems_have_places_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert user_folder({"LOCALAPPDATA": "/local"}, "x") == Path("/local/tertulia/x")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "Application Support" in user_folder({}, "x").parts
