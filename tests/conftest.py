"""Settings shared by all tests."""

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

from tests.mls.vectors.tally import summary

# `quick` runs all day, `deep` at night: HYPOTHESIS_PROFILE=deep make test
settings.register_profile("quick", max_examples=25, deadline=None)
settings.register_profile(
    "deep",
    max_examples=2_000,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

# A shell starts what runs in the background with Ctrl-C switched off, and programs that
# tests start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was checked against vectors, and what skipping hid."""
    vectors = summary(terminalreporter.stats.get("passed", []))
    if vectors is not None:
        terminalreporter.write_line(vectors)
    skipped = len(terminalreporter.stats.get("skipped", []))
    if skipped:
        terminalreporter.write_line(f"{skipped} skipped: see the reasons above")
