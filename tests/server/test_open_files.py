import resource
import sys

import pytest

from tertulia.server.open_files import SPARE, connections_that_fit

MOST = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("limit", "wanted", "raised", "fit"),
    [
        ((1_024, 4_096), 500, None, 500),
        ((1_024, 4_096), 2_000, (2_000 + SPARE, 4_096), 2_000),
        ((1_024, 4_096), 20_000, (4_096, 4_096), 4_096 - SPARE),
        ((1_024, MOST), 20_000, (20_000 + SPARE, MOST), 20_000),
        ((MOST, MOST), 20_000, None, 20_000),
        ((16, 16), 20_000, (16, 16), 1),
    ],
)
def test_as_many_connections_as_leave_files_to_spare(
    monkeypatch: pytest.MonkeyPatch,
    limit: tuple[int, int],
    wanted: int,
    raised: tuple[int, int] | None,
    fit: int,
) -> None:
    seen: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _which: limit)
    monkeypatch.setattr(resource, "setrlimit", lambda _which, new: seen.append(new))
    assert connections_that_fit(wanted) == fit
    assert seen == ([raised] if raised else [])


@pytest.mark.parametrize("error", [ValueError, OSError])
def test_a_limit_that_cannot_be_raised_stays(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def refuse(_which: int, _new: tuple[int, int]) -> None:
        raise error

    monkeypatch.setattr(resource, "getrlimit", lambda _which: (1_024, MOST))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    assert connections_that_fit(20_000) == 1_024 - SPARE


def test_a_system_without_such_a_limit_sets_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "resource", None)
    assert connections_that_fit(20_000) == 20_000
