import ssl

import pytest

from tertulia.agent.address import Address
from tertulia.agent.errors import LinkFailedError


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://relay.example", "wss://relay.example:443/v1/ws"),
        ("https://relay.example:8000/", "wss://relay.example:8000/v1/ws"),
        ("http://127.0.0.1:80", "ws://127.0.0.1:80/v1/ws"),
        ("http://relay.example", "ws://relay.example:80/v1/ws"),
        ("https://[::1]:8000", "wss://[::1]:8000/v1/ws"),
    ],
)
def test_a_base_address_leads_to_the_link(base: str, url: str) -> None:
    assert Address.parse(base).websocket_url == url


@pytest.mark.parametrize(
    "base",
    [
        "",
        "relay.example",
        "ftp://relay.example",
        "https://",
        "https://relay.example:port",
        "https://relay.example/path",
        "https://relay.example?query",
        "https://relay.example#fragment",
        "https://name@relay.example",
        "https://[relay.example",
    ],
)
def test_anything_else_is_no_address(base: str) -> None:
    with pytest.raises(LinkFailedError) as caught:
        Address.parse(base)
    assert caught.value.reason == "bad_address"


def test_without_tls_there_is_no_context() -> None:
    assert Address.parse("http://relay.example").tls(trusted=False) is None


def test_the_system_is_asked_only_where_the_session_wants_it() -> None:
    address = Address.parse("https://relay.example")
    own, trusted = address.tls(trusted=False), address.tls(trusted=True)
    assert own is not None
    assert trusted is not None
    assert own.verify_mode is ssl.CERT_NONE
    assert trusted.verify_mode is ssl.CERT_REQUIRED
    assert trusted.check_hostname
    assert own.minimum_version is trusted.minimum_version is ssl.TLSVersion.TLSv1_3
