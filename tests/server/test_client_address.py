import pytest

from tertulia.server.client_address import (
    UNKNOWN,
    client_address,
    plain_address,
)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("", UNKNOWN),
        ("chat.example", UNKNOWN),
    ],
)
def test_an_address_has_one_spelling(text: str, plain: str) -> None:
    assert plain_address(text) == plain


@pytest.mark.parametrize(
    ("peer", "forwarded", "counts"),
    [
        ("192.0.2.1", None, "192.0.2.1"),
        ("192.0.2.1", "198.51.100.9", "192.0.2.1"),  # not a proxy of ours
        ("127.0.0.1", "198.51.100.9", "198.51.100.9"),
        ("127.0.0.1", "10.0.0.1, 198.51.100.9", "198.51.100.9"),  # the rest is hearsay
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("127.0.0.1", None, "127.0.0.1"),
    ],
)
def test_only_a_named_proxy_is_believed(
    peer: str, forwarded: str | None, counts: str
) -> None:
    assert client_address(peer, forwarded, ("127.0.0.1",)) == counts
