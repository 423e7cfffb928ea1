from http import HTTPStatus

import pytest

from tertulia.server.http_messages import (
    CONTENT_SECURITY_POLICY,
    SECURITY_HEADERS,
    Request,
    Response,
    plain_json,
    text,
)


def test_every_head_has_length_policy_and_connection() -> None:
    head = text(HTTPStatus.OK, "hello", X_Own="1").head(keep_alive=True).decode()
    assert head.startswith("HTTP/1.1 200 OK\r\n")
    assert "Content-Length: 6\r\n" in head
    assert "X-Own: 1\r\n" in head
    assert "Connection: keep-alive\r\n" in head
    assert all(
        f"{name}: {value}\r\n" in head for name, value in SECURITY_HEADERS.items()
    )
    assert head.endswith("\r\n\r\n")


def test_an_answer_without_content_has_no_length() -> None:
    head = Response(HTTPStatus.NO_CONTENT).head(keep_alive=False)
    assert b"Content-Length" not in head
    assert b"Connection: close" in head


def test_the_policy_allows_nothing_inline_and_nothing_foreign() -> None:
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY
    assert "*" not in CONTENT_SECURITY_POLICY


@pytest.mark.parametrize(
    ("length", "size"), [("5", 5), ("", None), ("-1", None), ("٣", None), ("1_0", None)]
)
def test_a_length_is_digits(length: str, size: int | None) -> None:
    assert Request("PUT", "/", {"content-length": length}).content_length == size


def test_programs_get_json() -> None:
    answer = plain_json(HTTPStatus.CONFLICT, {"code": "x"}, {"Retry-After": "2"})
    assert answer.body == b'{"code": "x"}\n'
    assert answer.headers["Retry-After"] == "2"
