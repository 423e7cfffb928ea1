import re
import subprocess
import sys
from pathlib import Path

import pytest

from tertulia.relay import Counts, Usage
from tertulia.server import metrics as metrics_module
from tertulia.server.metrics import Metrics, exposition, resident_memory


def test_every_number_has_its_name_and_type() -> None:
    metrics = Metrics(frames_out=7)
    text = exposition(metrics, Counts(1, 2, 3, 4, 5), Usage(*range(7)))
    assert "tertulia_frames_out_total 7\n" in text
    assert "tertulia_connections 1\n" in text
    assert "tertulia_stored_rooms 2\n" in text
    for line in text.splitlines():
        assert re.fullmatch(r"# (HELP|TYPE) \w+ .+|\w+ [0-9.e+-]+", line)


def test_memory_in_use_is_known(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    now = resident_memory()
    monkeypatch.setattr(metrics_module, "_STATUS", tmp_path / "none")
    at_most = resident_memory()
    assert now is not None
    assert at_most is not None
    assert min(now, at_most) > 1_000_000


def test_memory_that_no_system_tells_is_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(metrics_module, "_STATUS", tmp_path / "none")
    monkeypatch.setitem(sys.modules, "resource", None)
    assert resident_memory() is None
    text = exposition(Metrics(), Counts(1, 2, 3, 4, 5), Usage(*range(7)))
    assert "process_cpu_seconds_total" in text
    assert "resident_memory" not in text


def test_the_server_is_there_on_a_system_without_resource() -> None:
    """Windows has no such module; nothing else may want it at import."""
    code = "import sys; sys.modules['resource'] = None; import tertulia.server"
    subprocess.run([sys.executable, "-c", code], check=True)
