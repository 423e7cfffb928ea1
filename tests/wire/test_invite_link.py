"""Links: read from whatever people paste, or refused with a reason."""

import base64
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.errors import UsageError
from tertulia.wire import (
    InviteLink,
    LinkError,
    NewerLinkError,
    ParsedLink,
    RoomInviteLink,
    ServerInviteLink,
    parse_link,
)

ID = st.binary(min_size=16, max_size=16)
HASH = st.binary(min_size=32, max_size=32)
UINT64 = st.integers(0, 2**64 - 1)
ADDRESSES = st.lists(
    st.sampled_from([b"chat.example", b"192.0.2.1:8000", b"[2001:db8::1]:8000"]),
    max_size=3,
).map(tuple)
LINKS = st.one_of(
    st.builds(ServerInviteLink, HASH, ID, HASH, ADDRESSES),
    st.builds(
        RoomInviteLink,
        fingerprint=HASH,
        room=ID,
        suite=st.integers(0, 2**16 - 1),
        inviter=HASH,
        epoch=UINT64,
        place=UINT64,
        hash=HASH,
        secret=HASH,
        addresses=ADDRESSES,
    ),
)
SERVER = ServerInviteLink(bytes(32), bytes(16), b"s" * 32, ())
ROOM = RoomInviteLink(
    fingerprint=bytes(32),
    room=bytes(16),
    suite=1,
    inviter=bytes(32),
    epoch=1,
    place=2,
    hash=bytes(32),
    secret=b"s" * 32,
    addresses=(),
)
BASES = st.sampled_from(
    ["https://chat.example", "http://127.0.0.1:8000", "https://[::1]:8000"]
)


@given(LINKS, BASES)
def test_a_link_is_read_as_written(link: InviteLink, base: str) -> None:
    url = link.url(base)
    assert url.startswith(f"{base}/i#")
    assert parse_link(url) == ParsedLink(base, link)
    assert "=" not in url
    assert "+" not in url


def test_it_is_laid_out_as_documented() -> None:
    data = base64.urlsafe_b64decode(SERVER.url("").partition("#")[2] + "==")
    assert data[:3] == b"\1\0\x20"
    assert len(data) == 2 + 33 + 17 + 33 + 1
    data = base64.urlsafe_b64decode(ROOM.url("").partition("#")[2] + "==")
    assert data[:3] == b"\1\1\x20"
    assert len(data) == 2 + 33 + 17 + 2 + 33 + 8 + 8 + 33 + 33 + 1


@pytest.mark.parametrize("link", [SERVER, ROOM])
def test_a_secret_does_not_show(link: InviteLink) -> None:
    assert "ssss" not in repr(link)
    assert "ssss" not in repr(parse_link(link.url("https://h")))


PAYLOAD = SERVER.url("").partition("#")[2]


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("https://chat.example/i#", "https://chat.example"),
        ("https://chat.example:8000/i#", "https://chat.example:8000"),
        ("https://chat.example/i/#", "https://chat.example"),
        ("http://192.0.2.1:8000/i#", "http://192.0.2.1:8000"),
        ("https://[2001:db8::1]:8000/i#", "https://[2001:db8::1]:8000"),
        ("https://chat.example:/i#", "https://chat.example"),
        ("HTTPS://chat.example/i#", "https://chat.example"),
        ("tertulia://chat.example:8000/i#", "https://chat.example:8000"),
        ("tertulia:https://chat.example/i#", "https://chat.example"),
        ("tertulia:http://192.0.2.1/i#", "http://192.0.2.1"),
    ],
)
@pytest.mark.parametrize("around", ["{}", " {}\n", "<{}>", " < {} > ", "\t<{}>\r\n"])
def test_links_are_taken_as_people_paste_them(
    text: str, base: str, around: str
) -> None:
    assert parse_link(around.format(text + PAYLOAD)) == ParsedLink(base, SERVER)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "# is missing"),
        ("hello", "# is missing"),
        ("https://chat.example/i", "# is missing"),
        ("https://chat.example/i#", "cut short"),
        ("https://chat.example/i#AQ", "cut short"),
        ("https://chat.example/i#!", "damaged"),
        ("https://chat.example/i#ñ", "damaged"),
        (f"https://chat.example/i#{PAYLOAD[:-4]}", "damaged"),
        (f"https://chat.example/i#{PAYLOAD}AAAA", "damaged"),
        (f"https://chat.example/i#{PAYLOAD[:20]} {PAYLOAD[20:]}", "damaged"),
        (f"https://chat.example/#{PAYLOAD}", "begin with https://HOST/i"),
        (f"https://chat.example/other#{PAYLOAD}", "begin with https://HOST/i"),
        (f"chat.example/i#{PAYLOAD}", "begin with https://HOST/i"),
        (f"ftp://chat.example/i#{PAYLOAD}", "begin with https://HOST/i"),
        (f"javascript:alert(1)/i#{PAYLOAD}", "begin with https://HOST/i"),
        (f"#{PAYLOAD}", "begin with https://HOST/i"),
        (f"https:///i#{PAYLOAD}", "address cannot be read"),
        (f"https://:8000/i#{PAYLOAD}", "address cannot be read"),
        (f"https://h:0/i#{PAYLOAD}", "address cannot be read"),
        (f"https://h:65536/i#{PAYLOAD}", "address cannot be read"),
        (f"https://h:port/i#{PAYLOAD}", "address cannot be read"),
        (f"https://[::1/i#{PAYLOAD}", "address cannot be read"),
        (f"https://good@bad/i#{PAYLOAD}", "address cannot be read"),
        (f"https://a b/i#{PAYLOAD}", "address cannot be read"),
        (f"https://g\u043e\u043ed/i#{PAYLOAD}", "address cannot be read"),
        ("https://chat.example/i#" + "A" * 20_000, "too long"),
    ],
)
def test_what_is_no_link_is_told_why(text: str, reason: str) -> None:
    with pytest.raises(LinkError, match=reason) as caught:
        parse_link(text)
    assert caught.value.code == "bad_link"
    assert isinstance(caught.value, UsageError)


@pytest.mark.parametrize(("version", "kind"), [(2, 0), (0, 0), (1, 2), (255, 255)])
def test_a_link_that_is_yet_to_come_is_told_from_damage(
    version: int, kind: int
) -> None:
    data = bytes((version, kind)) + b"whatever it holds"
    payload = base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    with pytest.raises(NewerLinkError) as caught:
        parse_link(f"https://chat.example/i#{payload}")
    assert (caught.value.version, caught.value.kind) == (version, kind)
    assert f"version {version}, kind {kind}" in str(caught.value)


@pytest.mark.parametrize("link", [SERVER, ROOM])
def test_every_part_has_its_size(link: Any) -> None:
    for field in fields(link):
        value = getattr(link, field.name)
        if isinstance(value, bytes):
            short = replace(link, **{field.name: value[:-1]})
            with pytest.raises(LinkError, match=field.name):
                parse_link(short.url("https://h"))


@pytest.mark.parametrize(
    "address", [b"", b"a b", b"a\nb", b"good@bad", b"h/i", b"\xff", b"h#", b"h\\"]
)
def test_further_addresses_are_addresses(address: bytes) -> None:
    sound = replace(SERVER, addresses=(b"h:8000",))
    assert parse_link(sound.url("https://h")).link == sound
    with pytest.raises(LinkError, match="one of its addresses"):
        parse_link(replace(SERVER, addresses=(address,)).url("https://h"))


def test_all_ways_to_the_server_are_named_once() -> None:
    link = replace(SERVER, addresses=(b"other:8000", b"here", b"other:8000"))
    parsed = parse_link(link.url("http://here"))
    assert parsed.bases == ("http://here", "http://other:8000")


@given(st.text(max_size=80) | st.text(max_size=60).map("https://h/i#".__add__))
def test_any_text_is_a_link_or_refused(text: str) -> None:
    try:
        parse_link(text)
    except (LinkError, NewerLinkError):
        return
    pytest.fail("a link by chance")


@given(st.binary(max_size=200).map(lambda data: b"\1\1\x20" + data))
def test_any_bytes_are_a_link_or_refused(data: bytes) -> None:
    payload = base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    with pytest.raises(LinkError):
        parse_link(f"https://h/i#{payload}")
