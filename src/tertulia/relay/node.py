"""What one running relay holds in memory, shared by all its rules.

Nothing here has to survive: connections, who follows what, turns, queues, markers not
yet sent out, token buckets. What must survive is in the engine.
"""

from dataclasses import replace

from tertulia.crypto import KeyPair, Rng
from tertulia.relay.buckets import Buckets
from tertulia.relay.engine import Ban, Engine, Route
from tertulia.relay.heads import Heads
from tertulia.relay.join_queue import JoinQueue
from tertulia.relay.pending_markers import PendingMarkers
from tertulia.relay.refusal import Refusal, not_found
from tertulia.relay.session import Phase, Session
from tertulia.relay.settings import Settings
from tertulia.relay.tickets import Tickets
from tertulia.relay.turns import Turns
from tertulia.wire import ErrorCode, limits


def _arrivals(sessions: limits.Rate) -> limits.Rate:
    """Return how many connections an address may open, by how many sessions."""
    several = limits.ARRIVALS_PER_CONNECTION
    return replace(
        sessions,
        name="arrivals",
        burst=several * sessions.burst,
        per_minute=several * sessions.per_minute,
    )


class Node:
    """The state of one running relay."""

    def __init__(
        self, engine: Engine, settings: Settings, identity: KeyPair, rng: Rng
    ) -> None:
        self.engine = engine
        self.settings = settings
        self.identity = identity
        self.rng = rng
        self.heads = Heads(identity.private, engine.incarnation)
        self.tickets = Tickets(identity.private)
        self.arrivals = _arrivals(settings.rates[limits.CONNECTIONS.name])
        self.buckets = Buckets({**settings.rates, self.arrivals.name: self.arrivals})
        self.turns = Turns()
        self.markers = PendingMarkers()
        self.queues: dict[bytes, JoinQueue] = {}
        self.bans: dict[str, Ban] = {}
        self.sessions: set[Session] = set()
        self.by_device: dict[bytes, Session] = {}
        self.followers: dict[bytes, set[Session]] = {}

    async def require_member(self, room: bytes, session: Session) -> Route:
        """Return the device's route; raise NOT_FOUND unless it belongs to the room."""
        route = await self.require_reader(room, session)
        if route.last is not None:
            raise not_found()
        return route

    async def require_reader(self, room: bytes, session: Session) -> Route:
        """Return the device's route, also one that has ended; raise NOT_FOUND."""
        route = await self.engine.route(room, session.holder.device)
        if route is None:
            raise not_found()
        return route

    def follow(self, room: bytes, session: Session) -> None:
        """Let the connection get what the room gets."""
        session.followed.add(room)
        self.followers.setdefault(room, set()).add(session)

    def unfollow(self, room: bytes, session: Session) -> None:
        """End that."""
        session.followed.discard(room)
        followers = self.followers.get(room, set())
        followers.discard(session)
        if not followers:
            self.followers.pop(room, None)

    def forget(self, session: Session) -> None:
        """Take the connection out of everything."""
        session.phase = Phase.CLOSED
        self.sessions.discard(session)
        device = session.device.device if session.device else b""
        if self.by_device.get(device) is session:
            del self.by_device[device]
        for room in tuple(session.followed):
            self.unfollow(room, session)
        for queue in self.queues.values():
            queue.leave(session)

    def require_welcome(self, subject: str, now: int) -> None:
        """Raise BANNED if the operator shuts this account or address out."""
        ban = self.bans.get(subject)
        if ban is not None and (ban.expires is None or now < ban.expires):
            raise Refusal(ErrorCode.BANNED, fatal=True)
