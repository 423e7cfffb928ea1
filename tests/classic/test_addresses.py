import socket
import sys
from collections.abc import Callable, Iterator

import pytest
from typing_extensions import override

from tertulia.classic import addresses
from tertulia.classic.addresses import EVERY_IPV4, EVERY_IPV6, reachable_addresses

Source = Callable[[socket.AddressFamily], Iterator[str]]


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> dict[socket.AddressFamily, list[str]]:
    """What the system is made to say about itself, by family."""
    answers: dict[socket.AddressFamily, list[str]] = {
        socket.AF_INET: [],
        socket.AF_INET6: [],
    }
    monkeypatch.setattr(addresses, "_candidates", lambda family: iter(answers[family]))
    return answers


def test_an_address_of_ours_is_the_answer_itself() -> None:
    assert reachable_addresses("192.0.2.7") == ["192.0.2.7"]


@pytest.mark.parametrize("loopback", ["127.0.0.1", "127.0.1.1", "::1"])
def test_a_loopback_address_is_never_given_out(loopback: str) -> None:
    assert reachable_addresses(loopback) == []


def test_all_candidates_once_each_the_most_likely_first(
    found: dict[socket.AddressFamily, list[str]],
) -> None:
    found[socket.AF_INET] = ["192.0.2.7", "127.0.0.1", "10.1.2.3", "192.0.2.7"]
    assert reachable_addresses(EVERY_IPV4) == ["192.0.2.7", "10.1.2.3"]


def test_ipv4_comes_first_and_link_local_ipv6_never(
    found: dict[socket.AddressFamily, list[str]],
) -> None:
    found[socket.AF_INET] = ["10.1.2.3", "0.0.0.0"]
    found[socket.AF_INET6] = ["fe80::1", "2001:db8::7", "::1"]
    assert reachable_addresses(EVERY_IPV6) == ["10.1.2.3", "2001:db8::7"]


def test_without_any_network_there_is_no_answer_and_no_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Unplugged(socket.socket):
        @override
        def connect(self, address: object) -> None:
            raise OSError(101, f"no route to {address}")

    def no_name(*_arguments: object) -> list[object]:
        raise socket.gaierror

    monkeypatch.setattr(socket, "socket", Unplugged)
    monkeypatch.setattr(socket, "if_nameindex", lambda: [(1, "lo")])
    monkeypatch.setattr(socket, "getaddrinfo", no_name)
    assert reachable_addresses(EVERY_IPV4) == []
    assert reachable_addresses(EVERY_IPV6) == []


def test_the_own_name_may_lead_to_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(*_arguments: object) -> list[tuple[object, ...]]:
        return [(0, 0, 0, "", ("2001:db8::9", 0, 0, 0))]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    assert "2001:db8::9" in reachable_addresses(EVERY_IPV6)


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for its interfaces")
def test_interfaces_tell_their_addresses() -> None:
    assert "127.0.0.1" in list(addresses._of_interfaces())
