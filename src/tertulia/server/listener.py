"""Accepts connections on the public port and finds out what they speak.

The first byte tells TLS from plain HTTP; it is looked at, not taken. Who sends none, or
does not finish the TLS handshake, is cut off. There are never more connections than the
operator allows, nor more than a tenth of them from one place that have not become a
session, nor do they come faster from one place than the relay's rate: whoever comes
then waits in the system's queue, or is turned away before the TLS handshake.
"""

import asyncio
import contextlib
import errno
import functools
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tertulia.relay import neighbourhood
from tertulia.server.client_address import plain_address
from tertulia.server.config import Endpoint
from tertulia.server.errors import CannotListenError
from tertulia.server.http_connection import HttpConnection, Site
from tertulia.server.shell import Shell

HANDSHAKE_TIME: Final = 10.0
SHUTDOWN_TIME: Final = 5.0
BACKLOG: Final = 2048
ACCEPTED_AT_ONCE: Final = 64
PAUSE: Final = 0.5  # until we accept again, when the system or we have no room

TLS_HANDSHAKE_RECORD: Final = 0x16


def open_sockets(endpoint: Endpoint) -> list[socket.socket]:
    """Return a listening socket for an endpoint; raise CannotListenError."""
    host, port = endpoint.host, endpoint.port
    try:
        if not host:
            return [_listen_everywhere(port)]
        return [_listen(found, port) for found in _resolve(host)[:1]]
    except OSError as error:
        reason = error.strerror or str(error)
        raise CannotListenError(host or "*", port, reason) from error


def _listen_everywhere(port: int) -> socket.socket:
    if socket.has_dualstack_ipv6():
        try:
            return socket.create_server(
                ("", port),
                family=socket.AF_INET6,
                backlog=BACKLOG,
                dualstack_ipv6=True,
            )
        except OSError as error:
            if error.errno != errno.EAFNOSUPPORT:
                raise
    return socket.create_server(("", port), backlog=BACKLOG)


def _resolve(host: str) -> list[tuple[socket.AddressFamily, str]]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [(family, str(address[0])) for family, _, _, _, address in found]


def _listen(found: tuple[socket.AddressFamily, str], port: int) -> socket.socket:
    family, host = found
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


@dataclass(frozen=True, slots=True)
class Gate:
    """How many connections there may be at once, and whether an address may come."""

    limit: int
    admits: Callable[[str], bool]


class Listener:
    """The public port."""

    def __init__(
        self, shell: Shell, gate: Gate, site: Site, redirect: Site | None
    ) -> None:
        self._shell = shell
        self._gate = gate
        self._site = site
        self._redirect = redirect
        self._context: ssl.SSLContext | None = None
        self._sockets: list[socket.socket] = []
        self._settling = 0
        self._places: Counter[str] = Counter()

    def start(
        self, sockets: list[socket.socket], context: ssl.SSLContext | None
    ) -> None:
        """Accept from now on; with TLS if there is a context."""
        self._context = context
        self._sockets = sockets
        for listening in sockets:
            listening.settimeout(0)
            self._watch(listening)

    def stop(self) -> None:
        """Accept nobody any more."""
        for listening in self._sockets:
            self._shell.loop.remove_reader(listening)
            listening.close()
        self._sockets = []

    def _watch(self, listening: socket.socket) -> None:
        if listening in self._sockets:
            self._shell.loop.add_reader(listening, self._accept_some, listening)

    def _accept_some(self, listening: socket.socket) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            if self._settling + self._shell.connections >= self._gate.limit:
                self._rest(listening)
                return
            try:
                accepted, address = listening.accept()
            except (BlockingIOError, ConnectionAbortedError, InterruptedError):
                return
            except OSError as error:  # no descriptors or no memory left
                self._shell.log.warning("cannot_accept", reason=error.strerror)
                self._rest(listening)
                return
            self._admit(accepted, plain_address(address[0]))

    def _rest(self, listening: socket.socket) -> None:
        self._shell.loop.remove_reader(listening)
        self._shell.loop.call_later(PAUSE, self._watch, listening)

    def _admit(self, accepted: socket.socket, address: str) -> None:
        place = neighbourhood(address)
        most = max(1, self._gate.limit // 10)
        if self._places[place] >= most or not self._gate.admits(address):
            self._shell.metrics.turned_away += 1
            accepted.close()
            return
        self._shell.metrics.accepted += 1
        self._places[place] += 1
        self._settling += 1
        accepted.settimeout(0)
        with contextlib.suppress(OSError):
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        leave = functools.partial(self._leave, place)
        self._shell.run(self._settle(accepted, leave))

    def _leave(self, place: str) -> None:
        self._places[place] -= 1
        if self._places[place] <= 0:
            del self._places[place]

    async def _settle(self, accepted: socket.socket, leave: Callable[[], None]) -> None:
        """Make a connection of the socket, or close it."""
        connections: list[HttpConnection] = []
        try:
            async with asyncio.timeout(HANDSHAKE_TIME + SHUTDOWN_TIME):
                await self._connect(accepted, leave, connections)
        except (OSError, ssl.SSLError, TimeoutError, ConnectionError):
            self._shell.metrics.timeouts += 1
            accepted.close()
        except Exception as error:  # noqa: BLE001 -- one client must not stop the relay
            self._shell.report("settle_failed", error)
            accepted.close()
        finally:
            self._settling -= 1
            if not any(connection.has_begun for connection in connections):
                leave()

    async def _connect(
        self,
        accepted: socket.socket,
        leave: Callable[[], None],
        connections: list[HttpConnection],
    ) -> None:
        def connection(site: Site) -> HttpConnection:
            connections.append(HttpConnection(self._shell, site, leave))
            return connections[-1]

        loop = self._shell.loop
        if self._context is None:
            await loop.connect_accepted_socket(
                functools.partial(connection, self._site), accepted
            )
            return
        first = await self._first_byte(accepted)
        if first == TLS_HANDSHAKE_RECORD:
            await loop.connect_accepted_socket(
                functools.partial(connection, self._site),
                accepted,
                ssl=self._context,
                ssl_handshake_timeout=HANDSHAKE_TIME,
                ssl_shutdown_timeout=SHUTDOWN_TIME,
            )
        elif first is not None and self._redirect is not None:
            await loop.connect_accepted_socket(
                functools.partial(connection, self._redirect), accepted
            )
        else:
            accepted.close()

    async def _first_byte(self, accepted: socket.socket) -> int | None:
        """Wait for the first byte and leave it there; None if there is none."""
        loop = self._shell.loop
        readable = loop.create_future()
        loop.add_reader(accepted, _wake, readable)
        try:
            async with asyncio.timeout(HANDSHAKE_TIME):
                await readable
        finally:
            loop.remove_reader(accepted)
        seen = accepted.recv(1, socket.MSG_PEEK)
        return seen[0] if seen else None


def _wake(readable: "asyncio.Future[None]") -> None:
    if not readable.done():
        readable.set_result(None)
