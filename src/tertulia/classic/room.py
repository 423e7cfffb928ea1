"""Who is in the room, and what waits to be sent to each.

A message is put into the outbox of everybody but its sender under one lock, so all read
the same messages in the same order and nobody enters or leaves halfway through. Putting
never waits: an outbox has a limit, and whoever is too slow to keep below it leaves the
room. Sending from an outbox is the work of that member's own thread, where a slow
reader delays nobody else.
"""

import contextlib
import socket
import threading
from collections import deque

from tertulia.classic.notices import Address

# Bytes that may wait for one member: eight messages of the largest size.
OUTBOX_LIMIT = 2 * 1024 * 1024

# Above so many waiting messages or bytes, catching up matters more than a line for each.
CROWD = 20
CROWD_SIZE = OUTBOX_LIMIT // 8

# Two threads and one file descriptor for each: well within what systems allow.
MEMBERS_LIMIT = 200


class Outbox:
    """Messages on their way to one member, in order, up to a limit."""

    def __init__(self, limit: int = OUTBOX_LIMIT) -> None:
        self._limit = limit
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._closed = False
        self._changed = threading.Condition()

    def put(self, message: bytes) -> bool:
        """Add `message`; return False if there is no room for it."""
        with self._changed:
            if self._size + len(message) > self._limit:
                return False
            self._waiting.append(message)
            self._size += len(message)
            self._changed.notify()
            return True

    def take(self) -> bytes | None:
        """Wait for the next message; return None once the outbox is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting)
            if self._closed:
                return None
            message = self._waiting.popleft()
            self._size -= len(message)
            return message

    def rest(self, seconds: float) -> None:
        """Wait so long before the next message, unless a crowd of them waits."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or self._is_crowded(), timeout=seconds
            )

    def close(self) -> None:
        """Let whoever takes from this outbox stop."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _is_crowded(self) -> bool:
        return len(self._waiting) > CROWD or self._size > CROWD_SIZE


class Member:
    """One connected client."""

    def __init__(self, connection: socket.socket, address: Address) -> None:
        self.connection = connection
        self.address = address
        self.outbox = Outbox()

    def disconnect(self) -> None:
        """End the connection, which wakes every thread that waits on it."""
        self.outbox.close()
        with contextlib.suppress(OSError):  # the other side was faster
            self.connection.shutdown(socket.SHUT_RDWR)


class Room:
    """The members, safe to use from all their threads at once."""

    def __init__(self, limit: int = MEMBERS_LIMIT) -> None:
        self._limit = limit
        self._members: list[Member] = []
        self._lock = threading.Lock()

    def enter(self, member: Member) -> bool:
        """Add `member`; return False if the room is full."""
        with self._lock:
            if len(self._members) >= self._limit:
                return False
            self._members.append(member)
            return True

    def leave(self, member: Member) -> None:
        """Remove `member`, who may have been removed before."""
        with self._lock, contextlib.suppress(ValueError):
            self._members.remove(member)

    def members(self) -> list[Member]:
        """Return who is in the room now."""
        with self._lock:
            return list(self._members)

    def relay(self, message: bytes, sender: Member) -> list[Member]:
        """Pass `message` to all but `sender`; remove and return who is too slow."""
        with self._lock:
            others = [member for member in self._members if member is not sender]
            slow = [member for member in others if not member.outbox.put(message)]
            for member in slow:
                self._members.remove(member)
            return slow
