"""What the public port answers, and to whom.

Every request passes the same gate first: its Host must be ours. A WebSocket or a blob
asked for by a browser must come from a page of ours too.
"""

from collections.abc import Mapping
from http import HTTPStatus

from tertulia.server.blob_requests import BlobRequests
from tertulia.server.budget import Budget, Budgets
from tertulia.server.client_address import client_address
from tertulia.server.config import Config
from tertulia.server.http_connection import Exchange, Upgrade
from tertulia.server.http_messages import Request, Response, plain_json, text
from tertulia.server.static_files import StaticFile, answer_static
from tertulia.server.switchboard import Switchboard
from tertulia.server.web_origin import Authority, OriginRules, parse_authority
from tertulia.server.websocket import WebSocketUpgrade
from tertulia.server.websocket_handshake import shake_hands
from tertulia.wire import BLOBS_PATH, WEBSOCKET_PATH, limits

HEALTH_PATH = "/healthz"


class PublicSite:
    """Everything on the one port."""

    def __init__(
        self,
        config: Config,
        rules: OriginRules,
        switchboard: Switchboard,
        files: Mapping[str, StaticFile],
    ) -> None:
        self._config = config
        self._rules = rules
        self._switchboard = switchboard
        self._files = files
        bounds = config.bounds
        self._budgets = Budgets(
            Budget(bounds.send_queue, bounds.send_memory),
            # A message, and what was read together with its end.
            Budget(2 * limits.FRAME, bounds.unfinished_memory),
        )
        shell = switchboard.shell
        self._blobs = BlobRequests(switchboard.relay, shell.clock)

    async def answer(self, exchange: Exchange) -> Response | Upgrade:
        """Answer one request."""
        request = exchange.request
        shell = self._switchboard.shell
        shell.metrics.requests += 1
        authority = host_of(request, self._rules)
        if authority is None:
            return text(HTTPStatus.MISDIRECTED_REQUEST, "This is not that host.")
        if request.path == HEALTH_PATH:
            return self._health()
        if request.path == WEBSOCKET_PATH:
            return self._websocket(exchange, authority)
        if request.path.startswith(f"{BLOBS_PATH}/"):
            if not self._is_ours(request, authority):
                return _foreign()
            return await self._blobs.answer(exchange)
        return answer_static(self._files, request)

    def _health(self) -> Response:
        if self._switchboard.shell.is_stopping:
            return text(HTTPStatus.SERVICE_UNAVAILABLE, "stopping")
        return text(HTTPStatus.OK, "ok")

    def _websocket(
        self, exchange: Exchange, authority: Authority
    ) -> Response | Upgrade:
        request = exchange.request
        if not self._is_ours(request, authority):
            return _foreign()
        if self._switchboard.shell.is_stopping:
            return text(HTTPStatus.SERVICE_UNAVAILABLE, "stopping", Retry_After="5")
        answer = shake_hands(request)
        if isinstance(answer, Response):
            return answer
        address = client_address(
            exchange.peer,
            request.headers.get("x-forwarded-for"),
            self._config.web.proxies,
        )
        return WebSocketUpgrade(answer, self._switchboard, address, self._budgets)

    def _is_ours(self, request: Request, authority: Authority) -> bool:
        origin = request.headers.get("origin")
        return origin is None or self._rules.allows(origin.lower(), authority)


class RedirectSite:
    """Answers plain HTTP on the TLS port: the same, over TLS."""

    def __init__(self, rules: OriginRules) -> None:
        self._rules = rules

    async def answer(self, exchange: Exchange) -> Response | Upgrade:
        """Send the client to `https`."""
        request = exchange.request
        host = request.headers.get("host", "")
        if host_of(request, self._rules) is None or not request.target.startswith("/"):
            return text(HTTPStatus.MISDIRECTED_REQUEST, "This is not that host.")
        return Response(
            HTTPStatus.PERMANENT_REDIRECT,
            {"Location": f"https://{host}{request.target}"},
        )


def host_of(request: Request, rules: OriginRules) -> Authority | None:
    """Return the host a request is for, None if that is not us."""
    authority = parse_authority(request.headers.get("host", ""))
    return authority if authority and rules.knows(authority) else None


def _foreign() -> Response:
    return plain_json(HTTPStatus.FORBIDDEN, {"code": "foreign_origin"})
