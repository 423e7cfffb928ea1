"""Requests and responses of HTTP/1.1, as values, and the headers every answer has."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})

# Nothing is loaded from elsewhere, nothing is inline, nobody frames us, and scripts
# cannot turn text into markup. A page of ours may talk to us, and to nobody else.
CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)

SECURITY_HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "geolocation=(), payment=(), usb=()",
    }
)


@dataclass(frozen=True, slots=True)
class Request:
    """The head of a request; header names in lower case, no name twice."""

    method: str
    target: str
    headers: Mapping[str, str]
    version: str = "1.1"

    @property
    def path(self) -> str:
        """The target without its query, not decoded."""
        return self.target.partition("?")[0]

    @property
    def is_upgrade(self) -> bool:
        """Whether the client wants another protocol."""
        return "upgrade" in self.headers

    @property
    def content_length(self) -> int | None:
        """The announced size of the body; None if it is not announced."""
        text = self.headers.get("content-length", "")
        return int(text) if text.isascii() and text.isdigit() else None


@dataclass(frozen=True, slots=True)
class Stream:
    """A body that is made while it is sent."""

    size: int
    pieces: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Response:
    """An answer; `headers` come in addition to those that every answer has."""

    status: HTTPStatus
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Stream = b""

    def head(self, *, keep_alive: bool) -> bytes:
        """Return the bytes before the body."""
        size = self.body.size if isinstance(self.body, Stream) else len(self.body)
        lines = [f"HTTP/1.1 {self.status.value} {self.status.phrase}"]
        fields = {
            **SECURITY_HEADERS,
            **self.headers,
            "Connection": "keep-alive" if keep_alive else "close",
        }
        if self.status is not HTTPStatus.NO_CONTENT:
            fields.setdefault("Content-Length", str(size))
        lines += [f"{name}: {value}" for name, value in fields.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


def text(status: HTTPStatus, words: str, **headers: str) -> Response:
    """Return a short plain answer; `_` in a header's name stands for `-`."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    fields["Content-Type"] = "text/plain; charset=utf-8"
    fields["Cache-Control"] = "no-store"
    return Response(status, fields, f"{words}\n".encode())


def plain_json(
    status: HTTPStatus, value: object, headers: Mapping[str, str] = NO_HEADERS
) -> Response:
    """Return an answer for programs."""
    fields = {
        **headers,
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
    }
    return Response(status, fields, json.dumps(value).encode() + b"\n")
