"""Whether an oracle can be had on this machine, and what to do where it cannot.

A test that needs a missing oracle is skipped with the reason; with the environment
variable TERTULIA_REQUIRE_ALL=1, as on the machine that decides, it fails instead.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

import pytest

from tests.interop.oracles.oracle import Engine
from tests.interop.oracles.ts_mls import PROJECT, TsMls

MLS_RS = "mls-rs"
TS_MLS = "ts-mls"
NAMES = (MLS_RS, TS_MLS)

REQUIRE_ALL = "TERTULIA_REQUIRE_ALL"
OLDEST_NODE = (20, 19)


@contextmanager
def engine(name: str) -> Iterator[Engine]:
    """Run an engine for the length of a `with` block, or skip the test."""
    missing = why_missing(name)
    if missing is not None:
        refuse = pytest.fail if os.environ.get(REQUIRE_ALL) == "1" else pytest.skip
        refuse(missing)
    started = _start(name)
    try:
        yield started
    finally:
        started.close()


def why_missing(name: str) -> str | None:
    """The reason why an oracle cannot be had, or None where it can."""
    return _why_no_mls_rs() if name == MLS_RS else _why_no_ts_mls()


def _start(name: str) -> Engine:
    if name == TS_MLS:
        return TsMls()
    from tests.interop.oracles.mls_rs import MlsRs  # noqa: PLC0415 - may be missing

    return MlsRs()


def _why_no_mls_rs() -> str | None:
    if find_spec("mls_rs_uniffi") is None:
        return "mls-rs: no wheel of agentvault-mls-rs-uniffi is installed"
    return None


def _why_no_ts_mls() -> str | None:
    node = shutil.which("node")
    if node is None:
        return "ts-mls: no Node on the path"
    told = subprocess.run(
        [node, "--version"], capture_output=True, text=True, check=False, timeout=60
    ).stdout.strip()
    version = tuple(int(part) for part in told.removeprefix("v").split(".")[:2] if part)
    if version < OLDEST_NODE:
        return f"ts-mls: needs Node 20.19 or newer, found {told or 'none that runs'}"
    if not (PROJECT / "node_modules" / "ts-mls").is_dir():
        return "ts-mls: not installed; run `npm ci` in tests/interop/ts_mls"
    return None
