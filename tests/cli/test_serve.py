from pathlib import Path

from tertulia.cli.serve import find_addresses, in_groups, welcome
from tertulia.server import Config, Ready
from tertulia.server.reach import Reach

READY = Ready(
    Reach("https://192.0.2.1:8000", ("https://[2001:db8::1]:8000",)),
    8000,
    "ab" * 32,
    "unix:x",
    "https://192.0.2.1:8000/i#AA",
)


def test_a_person_is_told_all_addresses_identity_storage_and_invite() -> None:
    words = "\n".join(welcome(Config(Path("/data")), READY))
    for wanted in (
        "https://192.0.2.1:8000",
        "https://[2001:db8::1]:8000",
        "abab abab",
        "/data",
        "https://192.0.2.1:8000/i#AA",
    ):
        assert wanted in words
    assert "WARNING" not in words


def test_http_and_loneliness_are_warned_of() -> None:
    alone = Ready(Reach("http://127.0.0.1:8000", (), False), 8000, "ab", "x", None)  # noqa: FBT003
    words = "\n".join(welcome(Config(Path("/data"), http=True), alone))
    assert "WARNING: no TLS" in words
    assert "Only programs on this machine" in words
    assert "link" not in words


def test_a_fingerprint_is_shown_in_groups() -> None:
    assert in_groups("0123456789") == "0123 4567 89"


def test_names_are_what_others_use() -> None:
    assert find_addresses("chat.example") == ["chat.example"]
    assert find_addresses("localhost") == []
    assert find_addresses("127.0.0.1") == []
    assert all(find_addresses(""))
