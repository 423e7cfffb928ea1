"""Where the operator reaches a running relay, apart from the public port.

- The control socket, in the data folder: commands and metrics, for its owner only.
- A port of the loopback interface, if asked for: metrics only, which are numbers.
"""

import asyncio
import contextlib
import http.client
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Final

import msgspec
from typing_extensions import override

from tertulia.errors import TertuliaError
from tertulia.server import commands
from tertulia.server.administration import Office, carry_out
from tertulia.server.commands import Answer, AnyCommand
from tertulia.server.config import Endpoint
from tertulia.server.errors import CannotListenError, FolderError, NotRunningError
from tertulia.server.http_connection import Exchange, HttpConnection, Upgrade
from tertulia.server.http_messages import Response, text
from tertulia.server.shell import Shell
from tertulia.server.web_origin import OriginRules, parse_authority

COMMAND_PATH: Final = "/command"
METRICS_PATH: Final = "/metrics"
MAX_COMMAND: Final = 64 * 1024
COMMAND_TIME: Final = 600  # seconds; a backup copies every blob

# What the system allows for the path of a socket, with a byte to spare.
_MAX_SOCKET_PATH: Final = 100

# A page of a stranger must not read numbers through a name that leads to loopback.
_LOOPBACK: Final = OriginRules(frozenset({"localhost"}), frozenset(), frozenset())


class MetricsSite:
    """Answers with the numbers, and nothing else."""

    def __init__(self, expose: Callable[[], Awaitable[str]]) -> None:
        self._expose = expose

    async def answer(self, exchange: Exchange) -> Response | Upgrade:
        """Answer one request of the loopback port."""
        authority = parse_authority(exchange.request.headers.get("host", ""))
        if authority is None or not _LOOPBACK.knows(authority):
            return text(HTTPStatus.MISDIRECTED_REQUEST, "This is not that host.")
        return await self.numbers(exchange)

    async def numbers(self, exchange: Exchange) -> Response:
        """Answer with the numbers, whatever host was named."""
        request = exchange.request
        if (request.method, request.path) != ("GET", METRICS_PATH):
            return text(HTTPStatus.NOT_FOUND, "There is no such page.")
        body = (await self._expose()).encode()
        kind = "text/plain; version=0.0.4; charset=utf-8"
        return Response(HTTPStatus.OK, {"Content-Type": kind}, body)


class ControlSite:
    """Answers the relay's owner."""

    def __init__(self, office: Office, metrics: MetricsSite) -> None:
        self._office = office
        self._metrics = metrics

    async def answer(self, exchange: Exchange) -> Response | Upgrade:
        """Answer one request of the control socket."""
        request = exchange.request
        if (request.method, request.path) != ("POST", COMMAND_PATH):
            return await self._metrics.numbers(exchange)
        if (request.content_length or 0) > MAX_COMMAND:
            return text(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Too long.")
        try:
            command = commands.decode_command(await exchange.body())
            answer = await carry_out(self._office, command)
        except msgspec.DecodeError as error:
            answer = Answer(refused=str(error))
        except TertuliaError as error:
            answer = Answer(refused=str(error))
        body = commands.encode_json(answer)
        return Response(HTTPStatus.OK, {"Content-Type": "application/json"}, body)


async def listen_for_metrics(
    shell: Shell, endpoint: Endpoint, site: MetricsSite
) -> tuple[asyncio.Server, int]:
    """Serve the numbers on a loopback port; raise CannotListenError."""
    try:
        server = await shell.loop.create_server(
            lambda: HttpConnection(shell, site), endpoint.host, endpoint.port
        )
    except OSError as error:
        reason = error.strerror or str(error)
        raise CannotListenError(endpoint.host, endpoint.port, reason) from error
    return server, server.sockets[0].getsockname()[1]


async def listen_for_owner(
    shell: Shell, path: Path, site: ControlSite
) -> asyncio.AbstractServer | None:
    """Serve the control socket; None on systems that have none. Raises FolderError."""
    if not hasattr(socket, "AF_UNIX"):
        return None
    control = _bind(path)
    return await shell.loop.create_unix_server(
        lambda: HttpConnection(shell, site), sock=control
    )


def _bind(path: Path) -> socket.socket:
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)  # nobody else, from the very beginning
    try:
        path.unlink(missing_ok=True)  # we hold the store: whoever made it is gone
        with _short(path) as name:
            control.bind(name)
    except OSError as error:
        control.close()
        raise FolderError(path, error.strerror or str(error)) from error
    finally:
        os.umask(mask)
    return control


@contextlib.contextmanager
def _short(path: Path) -> Iterator[str]:
    """Yield a name for `path` that the system takes for a socket."""
    name = str(path)
    if len(os.fsencode(name)) <= _MAX_SOCKET_PATH:
        yield name
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


# The other end


class _ControlConnection(http.client.HTTPConnection):
    """HTTP over the control socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=COMMAND_TIME)
        self._path = path

    @override
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        with _short(self._path) as name:
            self.sock.connect(name)


def ask_running_relay(path: Path, command: AnyCommand) -> Answer:
    """Send a command to the relay that listens at `path`; raise NotRunningError."""
    body = commands.encode_json(command)
    return commands.decode_answer(_exchange(path, "POST", COMMAND_PATH, body))


def read_metrics(path: Path) -> str:
    """Return the numbers of the relay that listens at `path`; raise NotRunningError."""
    return _exchange(path, "GET", METRICS_PATH, b"").decode()


def _exchange(path: Path, method: str, target: str, body: bytes) -> bytes:
    if not hasattr(socket, "AF_UNIX"):
        raise NotRunningError(path.parent)
    connection = _ControlConnection(path)
    try:
        connection.request(method, target, body)
        return connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        raise NotRunningError(path.parent) from None
    finally:
        connection.close()
