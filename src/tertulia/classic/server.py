"""The server: passes each message to all but its sender, and reads none.

One thread accepts people; each of them gets a thread that reads, as in the first
program, and one that writes, so that somebody who does not read keeps only their own
thread waiting. All they share is the `Room`.

A thread ends with its connection. `stop` only sets a flag, which the accepting thread
looks at a few times a second: so it may be called from a signal handler, on every
system, whatever the threads are doing.
"""

import errno
import socket
import threading
import time
from collections.abc import Callable

from tertulia.classic.addresses import EVERY_IPV6
from tertulia.classic.errors import CannotListenError, PortInUseError
from tertulia.classic.messages import MessageReader, pause_after, prepare, to_bytes
from tertulia.classic.notices import departure_notice
from tertulia.classic.room import Member, Room
from tertulia.classic.terminal import visible
from tertulia.l10n import _

DEFAULT_PORT = 8000

# Seconds between two looks at the stop flag.
LOOK_AROUND = 0.2

# Seconds we give a thread whose connection has just been shut down.
JOIN_TIMEOUT = 5.0


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 lets the system choose one.

    Raises PortInUseError, CannotListenError.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    both = host == EVERY_IPV6 and socket.has_dualstack_ipv6()
    try:
        return socket.create_server((host, port), family=family, dualstack_ipv6=both)
    except socket.gaierror as error:
        raise CannotListenError(host, port, "not-here") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError(host, port) from error
        if error.errno in {errno.EACCES, errno.EPERM}:
            raise CannotListenError(host, port, "forbidden") from error
        if error.errno == errno.EADDRNOTAVAIL:
            raise CannotListenError(host, port, "not-here") from error
        raise CannotListenError(host, port, "failed") from error


class Server:
    """Relays between all who connect to `listener`, which it closes at the end."""

    def __init__(self, listener: socket.socket, say: Callable[[str], None]) -> None:
        self._listener = listener
        self._say = say
        self._room = Room()
        self._threads: list[threading.Thread] = []
        self._stopping = False

    def serve(self) -> None:
        """Accept people until `stop` is called, then end every connection."""
        self._listener.settimeout(LOOK_AROUND)
        try:
            while not self._stopping:
                self._accept()
        finally:
            self._close()

    def stop(self) -> None:
        """Make `serve` return soon."""
        self._stopping = True

    def _accept(self) -> None:
        try:
            connection, (ip, port, *_rest) = self._listener.accept()
        except TimeoutError:
            return
        except OSError:  # the caller has hung up, or the system is out of descriptors
            time.sleep(LOOK_AROUND)
            return
        # An IPv4 address that came in by an IPv6 socket is written like this.
        member = Member(connection, (ip.removeprefix("::ffff:"), port))
        self._say(
            _("Connection established from {address}").format(address=member.address)
        )
        if self._room.enter(member):
            self._start(self._attend, member)
        else:
            self._say(
                _("The room is full: {address} was turned away").format(
                    address=member.address
                )
            )
            connection.close()

    def _start(self, work: Callable[[Member], None], member: Member) -> None:
        thread = threading.Thread(target=work, args=(member,), daemon=True)
        thread.start()
        alive = [other for other in self._threads if other.is_alive()]
        self._threads = [*alive, thread]

    def _attend(self, member: Member) -> None:
        prepare(member.connection)
        writer = threading.Thread(target=_write, args=(member,), daemon=True)
        writer.start()
        try:
            self._read(member)
        finally:
            self._room.leave(member)
            member.disconnect()
            writer.join(JOIN_TIMEOUT)
            member.connection.close()
            self._say(
                _("Connection closed from {address}").format(address=member.address)
            )
            self._relay(departure_notice(member.address), member)

    def _read(self, member: Member) -> None:
        reader = MessageReader(member.connection)
        while (ciphertext := reader.read()) is not None:
            self._say(
                _("Message received from {address}: {ciphertext}").format(
                    address=member.address, ciphertext=visible(ciphertext)
                )
            )
            self._relay(ciphertext, member)

    def _relay(self, ciphertext: str, sender: Member) -> None:
        for member in self._room.relay(to_bytes(ciphertext), sender):
            self._say(
                _("Disconnected for reading too slowly: {address}").format(
                    address=member.address
                )
            )
            member.disconnect()

    def _close(self) -> None:
        self._listener.close()
        for member in self._room.members():
            member.disconnect()
        for thread in self._threads:
            thread.join(JOIN_TIMEOUT)


def _write(member: Member) -> None:
    try:
        while (message := member.outbox.take()) is not None:
            member.connection.sendall(message)
            member.outbox.rest(pause_after(message))
    except OSError:  # gone: the reading thread tells the others
        member.disconnect()
