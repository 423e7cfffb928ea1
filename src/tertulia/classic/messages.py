"""Where a message ends, on a wire that does not say.

The wire is UTF-8 text over TCP, and "one send is one message". TCP keeps the order of
bytes, not the borders of sends: one message may arrive in several reads, and two
messages in one read. Nothing may be added to the wire, because the first programs must
understand it. What is left to tell messages apart is time and size:

- A sender leaves a short silence after each message (`pause_after`) and turns Nagle's
  algorithm off, so the next message travels in a packet of its own.
- A reader takes what has arrived as one message. It waits for more only where more may
  be on its way: inside a character (surely), or when there are as many bytes as a
  packet may hold (perhaps). A short message therefore never waits.

This is a good guess, not a promise. Two messages that a crowded network delivers
together are shown on one line, as the first programs showed them. A promise needs
frames: a length before each message.

Bytes that are not UTF-8 become U+FFFD, the replacement character. So nobody can send
others what their programs cannot decode.
"""

import codecs
import contextlib
import select
import socket

# The smallest packet that any IPv4 network must carry holds 536 bytes of ours: a
# message that came in fewer bytes came whole.
PACKET = 536

# A silence this long ends a message that fills packets; the rest of one that was sent
# in one go follows within a few milliseconds.
SILENCE = 0.1

# How long we wait for the rest of a character before we stop believing in it.
PATIENCE = 2.0

# What a sender leaves between two messages: a short one only has to be read alone.
SHORT_PAUSE = 0.05
LONG_PAUSE = 2 * SILENCE

# More than any text a person types or pastes. A longer message is passed on in pieces
# of this size: without a limit, one sender could fill the memory of the server.
MESSAGE_LIMIT = 256 * 1024


def to_bytes(text: str) -> bytes:
    """Return `text` as it travels; what cannot travel becomes a question mark."""
    return text.encode("utf-8", "replace")


def pause_after(message: bytes) -> float:
    """Return the seconds of silence that keep the next message apart from this one."""
    return SHORT_PAUSE if len(message) < PACKET else LONG_PAUSE


def prepare(connection: socket.socket) -> None:
    """Let `connection` send at once, and notice a peer that vanished silently."""
    with contextlib.suppress(OSError):  # it may be gone already: reading will tell
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


class MessageReader:
    """Reads messages from one connection."""

    def __init__(
        self,
        connection: socket.socket,
        silence: float = SILENCE,
        patience: float = PATIENCE,
    ) -> None:
        self._connection = connection
        self._silence = silence
        self._patience = patience
        # Keeps the first bytes of an unfinished character until the others come.
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._ended = False

    def read(self) -> str | None:
        """Wait for the next message; return None when the other side has gone."""
        while not self._ended:
            if message := self._gather():
                return message
        return None

    def _gather(self) -> str:
        parts: list[str] = []
        size = 0
        while size < MESSAGE_LIMIT:
            received = self._receive(MESSAGE_LIMIT - size)
            parts.append(self._decoder.decode(received, final=self._ended))
            size += len(received)
            if self._ended or not self._more_comes(size):
                break
        return "".join(parts)

    def _receive(self, limit: int) -> bytes:
        try:
            received = self._connection.recv(limit)
        except OSError:  # reset by the peer, or shut down by us
            received = b""
        self._ended = not received
        return received

    def _more_comes(self, size: int) -> bool:
        unfinished_character, _flags = self._decoder.getstate()
        if unfinished_character:
            wait = self._patience
        elif size >= PACKET:
            wait = self._silence
        else:
            return False
        readable, _, _ = select.select([self._connection], [], [], wait)
        return bool(readable)
