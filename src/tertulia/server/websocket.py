"""One WebSocket connection: messages in to the relay, effects out from it.

`websocket_frames` parses, `inbox` says which messages are answered when. Every buffer
here has an end:

- A message is at most a small one until the device is authenticated, then a frame.
- Nothing more is read while messages wait, nor while the client does not read its
  answers.
- What others send while the client does not read is kept up to its share of a budget
  (`budget`); then the relay tells it to catch up. Its own answers are bounded by the
  rule before.
- The beginning of a message is kept up to its share of another budget.
"""

import asyncio
from asyncio import Protocol as AsyncioProtocol
from collections.abc import Sequence
from typing import Final

from typing_extensions import override

from tertulia.relay import Phase, Session
from tertulia.server.budget import LEAST, Budgets
from tertulia.server.inbox import MAX_UNDER_WAY, Inbox
from tertulia.server.switchboard import Switchboard
from tertulia.server.websocket_frames import PING, CloseCode, FrameReader, close
from tertulia.wire import limits

FIRST_MESSAGE: Final = 16 * 1024  # a hello and a credential with an invite's proof fit
QUIET_TIME: Final = 30.0  # seconds without a byte until we ask whether anybody is there
ANSWER_TIME: Final = 20.0  # and from there until we stop to believe it
CLOSE_TIME: Final = 5.0  # for the client to read our last words


class WebSocketUpgrade:
    """The answer that makes an HTTP connection a WebSocket."""

    def __init__(
        self,
        response: bytes,
        switchboard: Switchboard,
        address: str,
        budgets: Budgets,
    ) -> None:
        self.response = response
        self._switchboard = switchboard
        self._address = address
        self._budgets = budgets

    def take_over(self, transport: asyncio.Transport, peer: str, early: bytes) -> None:  # noqa: ARG002 -- the site knows better which address counts
        """Open the session on this transport."""
        connection = WebSocketConnection(self._switchboard, self._budgets)
        transport.set_protocol(connection)
        connection.open(transport, self._address)
        if early:
            connection.data_received(early)


class WebSocketConnection(AsyncioProtocol):
    """One connection from its upgrade to its end."""

    __slots__ = (
        "_budgets",
        "_deadline",
        "_inbox",
        "_is_asked",
        "_is_finished",
        "_is_hoarding",
        "_is_quiet",
        "_is_reading_on",
        "_is_reading_paused",
        "_is_resting",
        "_is_writing_paused",
        "_outgoing",
        "_reader",
        "_session",
        "_switchboard",
        "_transport",
    )

    def __init__(self, switchboard: Switchboard, budgets: Budgets) -> None:
        self._switchboard = switchboard
        self._budgets = budgets
        self._reader = FrameReader(FIRST_MESSAGE)
        self._transport: asyncio.Transport
        self._session: Session
        self._inbox = Inbox()
        self._outgoing: list[bytes] = []
        self._is_resting = False
        self._deadline = switchboard.shell.time() + QUIET_TIME
        self._is_asked = False
        self._is_quiet = True
        self._is_finished = False
        self._is_hoarding = False
        self._is_reading_on = False
        self._is_reading_paused = False
        self._is_writing_paused = False

    def open(self, transport: asyncio.Transport, address: str) -> None:
        """Begin the session."""
        self._transport = transport
        shell = self._switchboard.shell
        shell.watch(self)
        relay = self._switchboard.relay
        self._session, effects = relay.connect(address, shell.clock())
        self._switchboard.join(self._session, self)
        self._switchboard.carry_out(effects)

    # Called by the event loop

    @override
    def data_received(self, data: bytes) -> None:
        self._is_quiet = False
        if not self._is_finished:
            self._read(data)

    def _read(self, data: bytes) -> None:
        reader = self._reader
        messages = reader.feed(data)
        if reader.replies:
            if reader.is_over:
                self.flush()  # nothing may follow the close frame
            self._transport.write(reader.take_replies())
        if reader.is_over:
            self.finish()
        elif messages:
            self._switchboard.shell.metrics.frames_in += len(messages)
            self._inbox.put(messages)
            self._answer_waiting()
        elif reader.has_more or self._is_reading_paused:
            self._read_or_wait()

    def _read_on(self) -> None:
        """Read what came before, after others had their turn."""
        self._is_reading_on = False
        if not (
            self._is_finished or self._inbox.has_waiting or self._is_writing_paused
        ):
            self._read(b"")

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._is_finished = True
        self._inbox.clear()
        if self._is_writing_paused:
            self._is_writing_paused = False
            self._budgets.sending.leave()
        self._count_unfinished(0)
        self._switchboard.leave(self._session)
        self._switchboard.shell.unwatch(self)

    @override
    def pause_writing(self) -> None:
        if not self._is_writing_paused:
            self._is_writing_paused = True
            self._budgets.sending.enter()
        self._read_or_wait()

    @override
    def resume_writing(self) -> None:
        if self._is_writing_paused:
            self._is_writing_paused = False
            self._budgets.sending.leave()
        self._answer_waiting()

    # Called by the watch

    def expire(self, now: float) -> None:
        """Ask a silent client whether it is there; cut off one that is not.

        And one that makes us hold more than its share, of what we send or what it
        began to send.
        """
        self._reader.forgive()
        if self._hoards():
            self._switchboard.shell.metrics.timeouts += 1
            self._transport.abort()
        elif (
            self._is_writing_paused and not self._is_finished and self._holds_too_much()
        ):
            self._switchboard.shell.metrics.slow_readers += 1
            relay = self._switchboard.relay
            self._switchboard.carry_out(relay.overflow(self._session))
        elif not self._is_quiet and not self._is_finished:
            self._is_quiet = True
            self._is_asked = False
            self._deadline = now + QUIET_TIME
        elif now > self._deadline:
            if self._is_asked or self._is_finished:
                self._switchboard.shell.metrics.timeouts += 1
                self._transport.abort()
                return
            self._is_asked = True
            self._deadline = now + ANSWER_TIME
            self._transport.write(PING)

    def _hoards(self) -> bool:
        """Tell whether the beginning of a message takes more than its share."""
        held = self._reader.unfinished
        self._count_unfinished(held)
        return self._is_hoarding and held > self._budgets.unfinished.share

    def _count_unfinished(self, held: int) -> None:
        is_hoarding = held > LEAST
        if is_hoarding is self._is_hoarding:
            return
        self._is_hoarding = is_hoarding
        if is_hoarding:
            self._budgets.unfinished.enter()
        else:
            self._budgets.unfinished.leave()

    def hang_up(self) -> None:
        """The relay has told every session goodbye; sessions it did not know end too."""
        self.finish()

    def abort(self) -> None:
        """End at once."""
        self._transport.abort()

    # Called by the switchboard

    def put(self, data: bytes) -> None:
        """Keep bytes until the turn ends."""
        self._outgoing.append(data)

    def offer(self, data: bytes) -> bool:
        """Keep bytes until the turn ends; False if the client reads too slowly."""
        if self._is_writing_paused and self._holds_too_much():
            return False
        self._outgoing.append(data)
        return True

    def _holds_too_much(self) -> bool:
        return self._transport.get_write_buffer_size() > self._budgets.sending.share

    def flush(self) -> None:
        """Write what was put."""
        outgoing = self._outgoing
        if not outgoing or self._transport.is_closing():
            return
        self._outgoing = []
        self._transport.write(outgoing[0] if len(outgoing) == 1 else b"".join(outgoing))

    def finish(self) -> None:
        """Close once everything before is out."""
        if self._is_finished:
            return
        self._is_finished = True
        self._inbox.clear()
        self._switchboard.leave(self._session)
        self.flush()
        if not self._reader.is_over:
            self._reader.is_over = True
            self._transport.write(close(CloseCode.NORMAL))
        self._deadline = self._switchboard.shell.time() + CLOSE_TIME
        self._transport.close()

    # Messages

    def _answer_waiting(self) -> None:
        """Start to answer as many messages as may be at once."""
        if self._inbox.has_waiting and not (
            self._is_writing_paused or self._must_rest()
        ):
            # The steps of the handshake build on one another.
            most = MAX_UNDER_WAY if self._session.phase is Phase.OPEN else 1
            while messages := self._inbox.take(most):
                self._switchboard.shell.run(self._answer(messages))
        self._read_or_wait()

    def _read_or_wait(self) -> None:
        """Read on unless messages wait, or the client takes no answers.

        Without the second, pings whose pongs nobody reads would fill the memory.
        """
        if self._is_finished:
            return
        is_busy = self._inbox.has_waiting or self._is_writing_paused
        must_wait = is_busy or self._reader.has_more
        if must_wait is not self._is_reading_paused:
            self._is_reading_paused = must_wait
            if must_wait:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()
        if self._reader.has_more and not self._is_reading_on:
            self._is_reading_on = not is_busy
            if self._is_reading_on:
                self._switchboard.shell.loop.call_soon(self._read_on)

    def _must_rest(self) -> bool:
        """Tell whether the client has to rest, and see to it that it goes on after."""
        session, shell = self._session, self._switchboard.shell
        if not session.rests_until:
            return False
        if not self._is_resting:
            self._is_resting = True
            left = session.rests_until - shell.clock()
            shell.loop.call_later(max(0, min(left, limits.REST)) / 1000, self._end_rest)
        return True

    def _end_rest(self) -> None:
        self._is_resting = False
        self._session.rests_until = 0
        self._answer_waiting()

    async def _answer(self, messages: Sequence[bytes]) -> None:
        switchboard = self._switchboard
        try:
            await switchboard.relay.receive(
                self._session, messages, switchboard.shell.clock, switchboard.carry_out
            )
        except Exception as error:  # noqa: BLE001 -- one client must not stop the relay
            switchboard.shell.report("message_failed", error)
            self.finish()
        finally:
            self._inbox.done(messages)
        if self._session.phase is Phase.OPEN:
            self._reader.max_size = limits.FRAME
        self._answer_waiting()
