"""The handshake of RFC 6455, section 4.2, by the library that knows its rules."""

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from websockets.datastructures import Headers
from websockets.http11 import Request as HandshakeRequest
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from tertulia.server.http_messages import Request, Response, text
from tertulia.wire import SUBPROTOCOL

# What a client does wrong is counted, not logged: it could fill the disk.
_SILENT: Final = logging.getLogger("tertulia.server.websockets")
_SILENT.disabled = True


def shake_hands(request: Request) -> bytes | Response:
    """Return the response that accepts a WebSocket, or the one that refuses it."""
    server = ServerProtocol(
        subprotocols=[Subprotocol(SUBPROTOCOL)],
        select_subprotocol=_require_ours,
        logger=_SILENT,
    )
    answer = server.accept(
        HandshakeRequest(request.target, Headers(request.headers), request.method)
    )
    if answer.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
        return text(HTTPStatus(answer.status_code), "This is a WebSocket of Tertulia.")
    return bytes(answer.serialize())


def _require_ours(
    server: ServerProtocol,  # noqa: ARG001 -- the library's signature
    offered: Sequence[Subprotocol],
) -> Subprotocol | None:
    from websockets.exceptions import NegotiationError  # noqa: PLC0415

    if SUBPROTOCOL not in offered:
        raise NegotiationError("another subprotocol")
    return Subprotocol(SUBPROTOCOL)
