import pytest

from tertulia.server.http_messages import Request, Response
from tertulia.server.websocket_handshake import shake_hands

GOOD = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-version": "13",
    "sec-websocket-protocol": "tertulia.v1",
}


def test_a_handshake_is_accepted_as_the_rfc_says() -> None:
    answer = shake_hands(Request("GET", "/v1/ws", GOOD))
    assert isinstance(answer, bytes)
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in answer


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("sec-websocket-protocol", "chat", 400),
        ("sec-websocket-version", "12", 400),
        ("sec-websocket-key", "x", 400),
        ("upgrade", "h2c", 426),
    ],
)
def test_a_wrong_handshake_is_refused(name: str, value: str, status: int) -> None:
    answer = shake_hands(Request("GET", "/v1/ws", {**GOOD, name: value}))
    assert isinstance(answer, Response)
    assert answer.status == status
