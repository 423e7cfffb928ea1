import socket
from pathlib import Path

from tertulia.server.systemd import notify


def test_the_manager_is_told(tmp_path: Path) -> None:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path)
        notify(path, "READY=1")
        assert manager.recv(100) == b"READY=1"


def test_an_abstract_name_is_understood() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("")
        name = manager.getsockname()
        notify("@" + name[1:].decode(), "STOPPING=1")
        assert manager.recv(100) == b"STOPPING=1"


def test_no_manager_is_no_reason_to_stop(tmp_path: Path) -> None:
    notify(None, "READY=1")
    notify(str(tmp_path / "nobody"), "READY=1")
