"""Fixtures of the command line's tests."""

import pytest

from tests.cli.commands import Commands, install
from tests.cli.fake_agent import FakeAgent


@pytest.fixture
def commands(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Commands:
    """Commands on a profile that is in the garden with Blas."""
    return install(FakeAgent(), capsys, monkeypatch)
