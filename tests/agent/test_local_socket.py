import socket
import stat
from pathlib import Path

import pytest

from tertulia.agent import local_socket
from tertulia.agent.errors import HolderGoneError, ProfileFolderError
from tertulia.agent.local_socket import NAME, bind, find, is_owner, unbind


def connects(folder: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        try:
            client.connect(str(find(folder)))
        except OSError:
            return False
        return is_owner(client)


@pytest.fixture
def long_folder(tmp_path: Path) -> Path:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    return folder


def test_a_holder_is_found_by_its_owner_only(tmp_path: Path) -> None:
    with bind(tmp_path):
        assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600
        assert connects(tmp_path)
    unbind(tmp_path)
    assert not (tmp_path / NAME).exists()
    assert not connects(tmp_path)


def test_a_path_may_be_longer_than_sockets_allow(long_folder: Path) -> None:
    with bind(long_folder):
        place = find(long_folder)
        assert place.parent != long_folder
        assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
        assert connects(long_folder)
    unbind(long_folder)
    assert not place.parent.exists()


@pytest.mark.parametrize("is_long", [False, True])
def test_what_a_killed_holder_left_is_replaced(
    tmp_path: Path, long_folder: Path, *, is_long: bool
) -> None:
    folder = long_folder if is_long else tmp_path
    bind(folder).close()  # the file stays
    left = find(folder)
    assert not connects(folder)
    with bind(folder):
        assert connects(folder)
        assert find(folder) == left or not left.exists()
    unbind(folder)


def test_a_place_without_a_profile_is_no_holder(tmp_path: Path) -> None:
    assert not connects(tmp_path / "none")


def test_a_link_that_leads_nowhere_is_no_holder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / NAME).symlink_to(tmp_path / "gone" / NAME)

    def fail(_path: Path) -> Path:
        raise OSError

    monkeypatch.setattr(Path, "readlink", fail)
    with pytest.raises(HolderGoneError):
        find(tmp_path)


def test_a_folder_that_is_none_cannot_have_a_socket(tmp_path: Path) -> None:
    with pytest.raises(ProfileFolderError):
        bind(tmp_path / "none")


class Peer:
    """The other end, of some user."""

    def __init__(self, user: int) -> None:
        self._credentials = local_socket._CREDENTIALS.pack(1, user, 1)

    def getsockopt(self, _level: int, _option: int, _size: int, /) -> bytes:
        return self._credentials


@pytest.mark.skipif(
    not hasattr(socket, "SO_PEERCRED"), reason="this system does not say who connects"
)
def test_another_user_is_not_the_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert is_owner(Peer(1000))
    assert not is_owner(Peer(1001))


def test_where_the_system_does_not_say_modes_have_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(socket, "SO_PEERCRED", raising=False)
    assert is_owner(Peer(1))
