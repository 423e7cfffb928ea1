"""The crash campaign, short; `make chaos` runs it long."""

from pathlib import Path

import pytest

from tests.chaos.campaign import kill_campaign
from tests.running_relay import run


@pytest.mark.slow
def test_no_promise_is_broken_by_killing_the_relay(tmp_path: Path) -> None:
    said: list[str] = []
    summary = run(kill_campaign(tmp_path / "relay", 12, 1, said.append))
    assert summary.broken == ()
    assert summary.kills == 12
    assert summary.promised > 100
    assert len(said) == 1
