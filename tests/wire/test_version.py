"""Agreeing on a version."""

import pytest

from tertulia.wire import VERSIONS, UnsupportedVersionError, choose_version
from tertulia.wire import version as module


def test_the_highest_common_version_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_version((9, 1)) == 1
    monkeypatch.setattr(module, "VERSIONS", (1, 2, 3))
    assert choose_version((2, 1, 7)) == 2


@pytest.mark.parametrize("offered", [(), (2,)])
def test_none_in_common_is_an_error(offered: tuple[int, ...]) -> None:
    with pytest.raises(UnsupportedVersionError) as caught:
        choose_version(offered)
    assert caught.value.versions == VERSIONS
    assert str(caught.value) == "no version in common, ours are (1,)"
