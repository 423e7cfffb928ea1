"""Who joins a room next: short leases in order of arrival.

Joins by many at once would overtake each other for ever, since each moves the epoch.
So joiners get turns of at most two seconds, one at a time and room. Members never wait
for a joiner; a joiner who needs longer may still try when nobody else has the turn.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from tertulia.relay.refusal import Refusal
from tertulia.relay.session import Session
from tertulia.wire import ErrorCode, frames, limits

# Who is told a new place: whoever has moved by a part of the way that is this small.
_NEWS: Final = 16


@dataclass(slots=True)
class Waiting:
    """A joiner in the queue, the request to answer, and the place last told."""

    request: int
    told: int


class JoinQueue:
    """The joiners of one room."""

    def __init__(self) -> None:
        self.holder: Session | None = None
        self.until = 0
        self.waiting: OrderedDict[Session, Waiting] = OrderedDict()

    def enter(self, session: Session, request: int) -> None:
        """Put a joiner at the end; who waits already keeps the place."""
        if session in self.waiting:
            self.waiting[session].request = request
            return
        if len(self.waiting) >= limits.JOIN_QUEUE:
            raise Refusal(
                ErrorCode.RATE_LIMITED, frames.Facts(retry_after=limits.LEASE_TIME)
            )
        self.waiting[session] = Waiting(request, len(self.waiting) + 1)

    def require_turn(self, session: Session, now: int) -> None:
        """Raise WAIT_TURN while another joiner's turn lasts."""
        wait = min(self.until - now, limits.LEASE_TIME)
        if self.holder not in {None, session} and wait > 0:
            raise Refusal(ErrorCode.WAIT_TURN, frames.Facts(retry_after=wait))

    def next(self, now: int) -> tuple[Session, int] | None:
        """Give the turn to the first in the queue if it is free; return whom."""
        if self.holder is not None and now < self.until <= now + limits.LEASE_TIME:
            return None
        self.holder = None
        if not self.waiting:
            return None
        session, waiting = self.waiting.popitem(last=False)
        self.holder, self.until = session, now + limits.LEASE_TIME
        return session, waiting.request

    def leave(self, session: Session) -> None:
        """Take a joiner out, with its turn: it has joined, or is gone."""
        self.waiting.pop(session, None)
        if self.holder is session:
            self.holder = None

    def place_of(self, session: Session) -> list[frames.Queued]:
        """Return the place that a joiner was told last, if it waits."""
        waiting = self.waiting.get(session)
        return [] if waiting is None else [frames.Queued(waiting.request, waiting.told)]

    def moved(self) -> list[tuple[Session, frames.Queued]]:
        """Return whom to tell a new place, and note that they know it.

        Far behind, one step is no news: it would cost a frame for each who waits.
        """
        news = []
        for ahead, (session, waiting) in enumerate(self.waiting.items(), start=1):
            if (waiting.told - ahead) * _NEWS > waiting.told:
                waiting.told = ahead
                news.append((session, frames.Queued(waiting.request, ahead)))
        return news

    def is_idle(self) -> bool:
        """Tell whether nobody joins or waits."""
        return self.holder is None and not self.waiting
