import pytest

from tertulia.server.web_origin import Authority, origin_rules, parse_authority

RULES = origin_rules(("Chat.Example.",), ("https://app.example/",), http=False)


@pytest.mark.parametrize(
    ("text", "authority"),
    [
        ("chat.example", Authority("chat.example", None)),
        ("CHAT.example.:8000", Authority("chat.example", 8000)),
        ("[::1]:8000", Authority("::1", 8000)),
        ("192.0.2.1", Authority("192.0.2.1", None)),
    ],
)
def test_a_host_header_names_host_and_port(text: str, authority: Authority) -> None:
    assert parse_authority(text) == authority


@pytest.mark.parametrize(
    "text",
    ["", ":80", "a b", "a/b", "user@host", "a:b", "a:99999", "[::1", "ñ", "a\\b"],
)
def test_what_is_no_host_is_none(text: str) -> None:
    assert parse_authority(text) is None


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("chat.example", True),
        ("localhost", True),
        ("192.0.2.1", True),
        ("::1", True),
        ("evil.example", False),
        ("chat.example.evil.example", False),
    ],
)
def test_names_must_be_ours_addresses_are(host: str, known: bool) -> None:  # noqa: FBT001
    assert RULES.knows(Authority(host, None)) is known


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://chat.example:8000", True),
        ("https://app.example", True),
        ("http://chat.example:8000", False),
        ("https://chat.example", False),
        ("https://evil.example:8000", False),
        ("null", False),
        ("", False),
        ("https://", False),
    ],
)
def test_a_page_must_be_ours(origin: str, allowed: bool) -> None:  # noqa: FBT001
    assert RULES.allows(origin, Authority("chat.example", 8000)) is allowed


def test_behind_a_proxy_the_page_may_be_secure() -> None:
    rules = origin_rules(("chat.example",), (), http=True)
    assert rules.allows("https://chat.example", Authority("chat.example", None))
    assert rules.allows("http://chat.example:8000", Authority("chat.example", 8000))
    assert not rules.allows("https://chat.example:444", Authority("chat.example", None))
