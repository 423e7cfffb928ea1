"""The campaign against clients, short; `make chaos` runs it long."""

from pathlib import Path

import pytest

from tests.chaos.client_campaign import kill_clients


@pytest.mark.slow
def test_no_promise_is_broken_by_killing_clients(tmp_path: Path) -> None:
    said: list[str] = []
    summary = kill_clients(tmp_path, 15, 1, said.append)
    assert summary.broken == ()
    assert summary.kills == 15
    assert summary.hosts_killed > 0
    assert summary.acknowledged > 30
    assert len(said) == 2
