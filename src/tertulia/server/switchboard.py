"""Carries the relay's effects out: from sessions to connections, frames to bytes.

A frame is encoded once, whoever gets it. What a connection gets within one turn of the
event loop is written at the end of the turn, in one write.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol, assert_never

from tertulia.relay import Broadcast, Effects, HangUp, Relay, Send, Session
from tertulia.server.shell import Shell
from tertulia.server.websocket_frames import message
from tertulia.wire import encode, frames


class Line(Protocol):
    """The connection of one session, as the switchboard uses it."""

    def put(self, data: bytes) -> None:
        """Keep bytes until the turn ends."""

    def offer(self, data: bytes) -> bool:
        """Keep bytes until the turn ends; False if the other side reads too slowly."""

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

    def _broadcast(self, sessions: Iterable[Session], data: bytes) -> None:
        lines = self._lines
        reached: list[Line] = []
        slow: list[Session] = []
        for session in sessions:
            line = lines.get(session)
            if line is None:
                continue
            if line.offer(data):
                reached.append(line)
            else:
                slow.append(session)
        self._note(reached, data)
        for session in slow:
            self.shell.metrics.slow_readers += 1
            self.carry_out(self.relay.overflow(session))

    def _put(self, line: Line, data: bytes) -> None:
        line.put(data)
        self._note((line,), data)

    def _note(self, lines: Sequence[Line], data: bytes) -> None:
        """Count bytes that lines got, and see to it that they are written."""
        if not lines:
            return
        metrics = self.shell.metrics
        metrics.frames_out += len(lines)
        metrics.bytes_out += len(lines) * len(data)
        if not self._unflushed:
            self.shell.loop.call_soon(self._flush)
        self._unflushed.update(lines)

    def _flush(self) -> None:
        lines, self._unflushed = self._unflushed, set()
        self.shell.metrics.writes += len(lines)
        for line in lines:
            line.flush()


def as_message(frame: frames.Frame) -> bytes:
    """Return a frame as the WebSocket message every receiver gets."""
    return message(encode(frame))
