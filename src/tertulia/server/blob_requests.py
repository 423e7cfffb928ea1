"""Blobs over HTTP: `/v1/blobs/ID`, opened by the ticket a session got.

    HEAD  how much has arrived                    → 200, `Upload-Offset`
    PUT   one piece, at `Upload-Offset: N`        → 204, `Upload-Offset` after it
    GET   all of it, or one `Range: bytes=A-B`    → 200 or 206

A piece is announced by its Content-Length and is at most `limits.BLOB_CHUNK`. Its
ticket is checked before its first byte is kept. Browsers of other origins get nothing.
"""

import base64
import binascii
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from msgspec import to_builtins
from msgspec.structs import asdict

from tertulia.relay import Refusal, Relay
from tertulia.server.clock import Clock
from tertulia.server.http_connection import Exchange
from tertulia.server.http_messages import (
    Request,
    Response,
    Stream,
    plain_json,
    text,
)
from tertulia.wire import BLOBS_PATH, ErrorCode, limits

STATUS: Final[Mapping[ErrorCode, HTTPStatus]] = MappingProxyType(
    {
        ErrorCode.TICKET_INVALID: HTTPStatus.UNAUTHORIZED,
        ErrorCode.NOT_FOUND: HTTPStatus.NOT_FOUND,
        ErrorCode.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        ErrorCode.BLOB_MISMATCH: HTTPStatus.CONFLICT,
        ErrorCode.BLOB_INCOMPLETE: HTTPStatus.CONFLICT,
        ErrorCode.RATE_LIMITED: HTTPStatus.TOO_MANY_REQUESTS,
        ErrorCode.ACCOUNT_FULL: HTTPStatus.INSUFFICIENT_STORAGE,
        ErrorCode.ROOM_FULL: HTTPStatus.INSUFFICIENT_STORAGE,
        ErrorCode.RELAY_FULL: HTTPStatus.INSUFFICIENT_STORAGE,
        ErrorCode.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    }
)

_PATH: Final = re.compile(re.escape(BLOBS_PATH) + r"/([0-9a-f]{32})")
_RANGE: Final = re.compile(r"bytes=(\d{1,15})-(\d{0,15})")
_OPAQUE: Final = {
    "Content-Type": "application/octet-stream",
    "Cache-Control": "no-store",
    # Whatever it is inside, no browser shows it as a page of ours.
    "Content-Disposition": "attachment",
}


@dataclass(frozen=True, slots=True)
class _Part:
    """Which bytes are wanted; `last` is missing where all to the end are."""

    first: int
    last: int | None


class BlobRequests:
    """Answers the requests for blobs."""

    def __init__(self, relay: Relay, clock: Clock) -> None:
        self._relay = relay
        self._clock = clock

    async def answer(self, exchange: Exchange) -> Response:
        """Answer one request under `BLOBS_PATH`."""
        request = exchange.request
        try:
            blob, ticket = _blob(request), _ticket(request)
            match request.method:
                case "HEAD":
                    return await self._offset(ticket, blob)
                case "PUT":
                    return await self._write(exchange, ticket, blob)
                case "GET":
                    return await self._read(request, ticket, blob)
                case _:
                    return text(
                        HTTPStatus.METHOD_NOT_ALLOWED,
                        "Only GET, HEAD and PUT.",
                        Allow="GET, HEAD, PUT",
                    )
        except Refusal as refusal:
            return _refused(refusal)

    async def _offset(self, ticket: bytes, blob: bytes) -> Response:
        offset = await self._relay.blob_offset(ticket, blob, self._clock())
        return Response(HTTPStatus.OK, _at(offset))

    async def _write(self, exchange: Exchange, ticket: bytes, blob: bytes) -> Response:
        size = exchange.request.content_length
        offset = exchange.request.headers.get("upload-offset", "")
        if size is None:
            return text(HTTPStatus.LENGTH_REQUIRED, "Content-Length is missing.")
        if not re.fullmatch(r"\d{1,15}", offset, re.ASCII):
            return text(HTTPStatus.BAD_REQUEST, "Upload-Offset is missing.")
        if size > limits.BLOB_CHUNK:
            return text(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"At most {limits.BLOB_CHUNK} bytes at once.",
            )
        await self._relay.blob_offset(ticket, blob, self._clock())
        data = await exchange.body()
        stored = await self._relay.write_blob(
            ticket, blob, (int(offset), data), self._clock()
        )
        return Response(HTTPStatus.NO_CONTENT, _at(stored.stored))

    async def _read(self, request: Request, ticket: bytes, blob: bytes) -> Response:
        part = _wanted(request.headers.get("range"))
        start = part.first if part else 0
        known, first_piece = await self._relay.read_blob(
            ticket, blob, (start, limits.BLOB_CHUNK), self._clock()
        )
        end = known.size - 1
        if part is not None and part.last is not None:
            end = min(end, part.last)
        if start > end:
            return Response(
                HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
                {"Content-Range": f"bytes */{known.size}"},
            )
        size = end + 1 - start
        pieces = self._pieces(ticket, blob, start, first_piece, size)
        headers = {**_OPAQUE, "Accept-Ranges": "bytes"}
        if part is None:
            return Response(HTTPStatus.OK, headers, Stream(size, pieces))
        headers["Content-Range"] = f"bytes {start}-{end}/{known.size}"
        return Response(HTTPStatus.PARTIAL_CONTENT, headers, Stream(size, pieces))

    async def _pieces(
        self, ticket: bytes, blob: bytes, start: int, piece: bytes, size: int
    ) -> AsyncIterator[bytes]:
        sent = 0
        while True:
            piece = piece[: size - sent]
            yield piece
            sent += len(piece)
            if sent >= size:
                return
            _known, piece = await self._relay.read_blob(
                ticket, blob, (start + sent, limits.BLOB_CHUNK), self._clock()
            )


def _blob(request: Request) -> bytes:
    found = _PATH.fullmatch(request.path)
    if found is None:
        raise Refusal(ErrorCode.NOT_FOUND)
    return bytes.fromhex(found[1])


def _ticket(request: Request) -> bytes:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Refusal(ErrorCode.TICKET_INVALID)
    try:
        padded = token + "=" * (-len(token) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Refusal(ErrorCode.TICKET_INVALID) from None


def _wanted(text_of_range: str | None) -> _Part | None:
    """Return the one range that is asked for; others are answered with everything."""
    found = _RANGE.fullmatch(text_of_range or "")
    if found is None:
        return None
    return _Part(int(found[1]), int(found[2]) if found[2] else None)


def _at(offset: int) -> dict[str, str]:
    return {"Upload-Offset": str(offset), "Cache-Control": "no-store"}


def _refused(refusal: Refusal) -> Response:
    status = STATUS.get(refusal.reason, HTTPStatus.FORBIDDEN)
    facts = {
        name: to_builtins(value)
        for name, value in asdict(refusal.facts).items()
        if value is not None
    }
    headers: dict[str, str] = {}
    if refusal.facts.retry_after is not None:
        headers["Retry-After"] = str(-(-refusal.facts.retry_after // 1000))
    if refusal.facts.place is not None:
        headers["Upload-Offset"] = str(refusal.facts.place)
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return plain_json(status, {"code": refusal.reason.value, "facts": facts}, headers)
