"""Carries the relay's effects out: from sessions to connections, frames to bytes.

A frame is encoded once, whoever gets it. What a connection gets within one turn of the
event loop is written at the end of the turn, in one write.
"""

from collections.abc import Iterable
from typing import Protocol, assert_never

from websockets.frames import Frame, Opcode

from tertulia.relay import Broadcast, Effects, HangUp, Relay, Send, Session
from tertulia.server.shell import Shell
from tertulia.wire import encode, frames


class Line(Protocol):
    """The connection of one session, as the switchboard uses it."""

    def put(self, data: bytes) -> None:
        """Keep bytes until the turn ends."""

    def has_room(self) -> bool:
        """Tell whether the other side reads fast enough to get more."""

    def flush(self) -> None:
        """Write what was put."""

    def finish(self) -> None:
        """Close once everything before is out."""


class Switchboard:
    """The connections of one relay by their sessions."""

    def __init__(self, relay: Relay, shell: Shell) -> None:
        self.relay = relay
        self.shell = shell
        self._lines: dict[Session, Line] = {}
        self._unflushed: set[Line] = set()

    def join(self, session: Session, line: Line) -> None:
        """Let effects for this session reach the line."""
        self._lines[session] = line

    def leave(self, session: Session) -> None:
        """The connection is gone, or about to go."""
        self._lines.pop(session, None)
        self.relay.disconnect(session)

    def carry_out(self, effects: Effects) -> None:
        """Do what the relay wants, in its order."""
        for effect in effects:
            match effect:
                case Send(session, frame):
                    line = self._lines.get(session)
                    if line is not None:
                        self._put(line, as_message(frame))
                case Broadcast(sessions, frame):
                    self._broadcast(sessions, as_message(frame))
                case HangUp(session):
                    line = self._lines.pop(session, None)
                    if line is not None:
                        line.finish()
                case _:
                    assert_never(effect)

    def _broadcast(self, sessions: Iterable[Session], message: bytes) -> None:
        slow: list[Session] = []
        for session in sessions:
            line = self._lines.get(session)
            if line is None:
                continue
            if line.has_room():
                self._put(line, message)
            else:
                slow.append(session)
        for session in slow:
            self.shell.metrics.slow_readers += 1
            self.carry_out(self.relay.overflow(session))

    def _put(self, line: Line, message: bytes) -> None:
        metrics = self.shell.metrics
        metrics.frames_out += 1
        metrics.bytes_out += len(message)
        line.put(message)
        if not self._unflushed:
            self.shell.loop.call_soon(self._flush)
        self._unflushed.add(line)

    def _flush(self) -> None:
        lines, self._unflushed = self._unflushed, set()
        self.shell.metrics.writes += len(lines)
        for line in lines:
            line.flush()


def as_message(frame: frames.Frame) -> bytes:
    """Return a frame as the WebSocket message every receiver gets."""
    # A server's messages are not masked, so they are the same bytes for everybody.
    return Frame(Opcode.BINARY, encode(frame)).serialize(mask=False)
