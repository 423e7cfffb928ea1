"""What is generated from the frames is current, and staleness is found."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(TOOLS))
    return importlib.import_module("wire")


def test_the_committed_files_are_current(wire: ModuleType) -> None:
    assert wire.main(["check"]) == 0
    assert "wire" in sys.modules


def test_stale_files_are_found_and_mended(
    wire: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(wire, "ROOT", tmp_path)
    assert wire.main(["check"]) == 1
    assert "docs/protocol/frames.md is stale" in capsys.readouterr().err
    assert wire.main(["update"]) == 0
    assert wire.main(["check"]) == 0
    (tmp_path / "web/wire/generated.ts").write_text("changed")
    assert wire.main(["check"]) == 1
