import resource

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
