"""The relay of a host, as the process it is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running_relay import environment

PATIENCE = 60


def started(data: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "tertulia.cli.leash", "--json"),
            *("--data", str(data), "--listen", "127.0.0.1:0"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment(),
    )


@pytest.mark.skipif(sys.platform == "win32", reason="tried on POSIX systems only")
def test_it_ends_when_nobody_holds_its_input_any_more(tmp_path: Path) -> None:
    with started(tmp_path / "relay") as relay:
        assert relay.stdin is not None
        assert relay.stdout is not None
        line = json.loads(relay.stdout.readline())
        assert line["event"] == "ready"
        with started(tmp_path / "relay") as second:
            assert second.stdout is not None
            failed = json.loads(second.stdout.readline())
            assert (failed["event"], failed["code"]) == ("failed", "store_in_use")
            assert second.wait(PATIENCE) == failed["exit_code"]
            assert all(failed["words"])
        relay.stdin.close()
        assert relay.wait(PATIENCE) == 0
