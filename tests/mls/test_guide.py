"""The example of docs/mls.md, run as it stands there."""

import re
from pathlib import Path

import pytest

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "mls.md"


def test_the_example_of_the_guide_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    exec(compile(example, str(GUIDE), "exec"), {})
    assert capsys.readouterr().out == "¡Hola!\n¡Hola!\n"


def test_the_example_is_no_longer_than_promised() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    code = [line for line in example.splitlines() if line and line[0] != "#"]
    assert len(code) <= 25
