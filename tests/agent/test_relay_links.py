import pytest

from tertulia.agent.relay_links import relay_of
from tertulia.client import RelayRow
from tertulia.wire import LinkError, ServerInviteLink

FINGERPRINT = bytes(range(32))
LINK = ServerInviteLink(
    FINGERPRINT, bytes(16), bytes(32), (b"other.example:8000",)
).url("https://relay.example")


def test_an_invite_link_leads_to_its_relay() -> None:
    assert relay_of(LINK) == RelayRow(
        FINGERPRINT,
        ("https://relay.example", "https://other.example:8000"),
        counter=0,
        invite=LINK,
    )


def test_an_address_with_a_fingerprint_does_without_an_invite() -> None:
    text = f" http://127.0.0.1:8000/#{FINGERPRINT.hex()}\n"
    expected = RelayRow(FINGERPRINT, ("http://127.0.0.1:8000",), counter=0)
    assert relay_of(text) == expected


@pytest.mark.parametrize("text", ["", "https://relay.example", LINK[:-4]])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(LinkError):
        relay_of(text)
