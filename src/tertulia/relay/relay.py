"""The relay: every frame a client may send, who may send it when, and what it costs.

`HANDLERS` is the whole command vocabulary, one row per frame. `Relay` looks the row up,
checks phase and rate, and turns a `Refusal` into its frame; the rules are in the rows'
functions. It does no I/O, reads no clock and waits for nothing but its engine.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeAlias, TypeVar

from tertulia.crypto import KeyPair, Rng
from tertulia.relay import (
    accounts,
    admission,
    authentication,
    blobs,
    bundles,
    catch_up,
    key_packages,
    rooms,
    sending,
    signals,
    welcomes,
)
from tertulia.relay.effects import Effects, HangUp, Send
from tertulia.relay.engine import (
    Ban,
    Blob,
    Change,
    Engine,
    Removed,
    RetentionRules,
    ServerInvite,
)
from tertulia.relay.errors import StorageError
from tertulia.relay.fan_out import fan_out
from tertulia.relay.node import Node
from tertulia.relay.places import neighbourhood
from tertulia.relay.refeed import refeed
from tertulia.relay.refusal import NO_FACTS, Refusal
from tertulia.relay.reports import report_group
from tertulia.relay.session import Phase, Session
from tertulia.relay.settings import Settings
from tertulia.wire import (
    ErrorCode,
    MalformedFrameError,
    UnknownFrameError,
    decode_from_client,
    frames,
    limits,
)

T = TypeVar("T")

Handler: TypeAlias = Callable[[Node, Session, Any, int], Awaitable[Effects]]


@dataclass(frozen=True, slots=True)
class Row:
    """Who answers a kind of frame, and in which phase it may come.

    A handler that `gathers` takes all frames of its kind that came in a row.
    """

    handler: Handler
    phase: Phase = Phase.OPEN
    gathers: bool = False


HANDLERS: Final[Mapping[type[frames.Frame], Row]] = MappingProxyType(
    {
        frames.Hello: Row(authentication.greet, Phase.GREETING),
        frames.Authenticate: Row(authentication.authenticate, Phase.PROVING),
        frames.PublishDeviceList: Row(accounts.publish_device_list),
        frames.FetchDeviceList: Row(accounts.fetch_device_list),
        frames.CreateServerInvite: Row(accounts.create_server_invite),
        frames.PublishKeyPackages: Row(key_packages.publish),
        frames.ClaimKeyPackages: Row(key_packages.claim),
        frames.CreateRoom: Row(rooms.create_room),
        frames.ListRooms: Row(rooms.list_rooms),
        frames.FollowRoom: Row(rooms.follow_room),
        frames.UnfollowRoom: Row(rooms.unfollow_room),
        frames.FetchEntries: Row(catch_up.fetch_entries),
        frames.Append: Row(sending.append, gathers=True),
        frames.Commit: Row(sending.commit),
        frames.Join: Row(sending.join),
        frames.Leave: Row(sending.leave),
        frames.Repair: Row(bundles.repair),
        frames.FetchGroup: Row(bundles.fetch_group),
        frames.ReportGroup: Row(report_group),
        frames.Refeed: Row(refeed),
        frames.RequestAdmission: Row(admission.request_admission),
        frames.FetchWelcomes: Row(welcomes.fetch_welcomes),
        frames.DiscardWelcomes: Row(welcomes.discard_welcomes),
        frames.Signal: Row(signals.signal),
        frames.SetMarker: Row(signals.set_marker),
        frames.BeginUpload: Row(blobs.begin_upload),
        frames.ResumeUpload: Row(blobs.resume_upload),
        frames.FetchTicket: Row(blobs.fetch_ticket),
    }
)

# How long a client waits before it tries again what could not be stored.
_STORAGE_PAUSE: Final = 2_000


@dataclass(frozen=True, slots=True)
class Counts:
    """What a running relay holds, for its operator."""

    connections: int
    devices: int
    rooms_followed: int
    joiners_waiting: int
    buckets: int


class Relay:
    """One running relay."""

    def __init__(
        self, engine: Engine, settings: Settings, identity: KeyPair, rng: Rng
    ) -> None:
        self._node = Node(engine, settings, identity, rng)

    async def start(self) -> None:
        """Load what must be known before the first connection."""
        bans = await self._node.engine.bans()
        self._node.bans = {ban.subject: ban for ban in bans}

    # Connections

    def may_arrive(self, address: str, now: int) -> bool:
        """Tell whether an address may open one more connection, of whatever kind.

        Asked before anything costs, so that TLS handshakes are not had without end.
        """
        node = self._node
        try:
            node.buckets.take(node.arrivals, neighbourhood(address), now)
        except Refusal:
            return False
        return True

    def connect(self, address: str, now: int) -> tuple[Session, Effects]:
        """Return a new session; the effects send an unwelcome address away."""
        session = Session(address, now)
        try:
            self._node.require_welcome(address, now)
            self._node.buckets.take(limits.CONNECTIONS, session.place, now)
        except Refusal as refusal:
            session.phase = Phase.CLOSED
            return session, _hang_up(session, refusal.reason, refusal.facts)
        self._node.sessions.add(session)
        return session, []

    async def receive(
        self,
        session: Session,
        messages: Sequence[bytes],
        clock: Callable[[], int],
        carry_out: Callable[[Effects], None],
    ) -> None:
        """Answer the messages of a client in their order, whatever they are.

        What each asks for is carried out before the next one is looked at; only frames
        of a kind that gathers are answered together. `clock` returns milliseconds.
        """
        for run in _runs(messages):
            carry_out(await self._answer(session, run, clock()))

    async def handle(
        self, session: Session, frame: frames.FromClient, now: int, *, size: int = 0
    ) -> Effects:
        """Answer one frame of a client; `size` is what it took on the wire."""
        return await self._answer(session, _Run([frame], _cost(size)), now)

    async def _answer(
        self,
        session: Session,
        run: "_Run | UnknownFrameError | MalformedFrameError",
        now: int,
    ) -> Effects:
        if isinstance(run, UnknownFrameError):
            return self._refuse_unknown(session, run.request, now)
        if isinstance(run, MalformedFrameError):
            return self._end(session, ErrorCode.MALFORMED)
        row = HANDLERS[run.kind]
        if session.phase is not row.phase:
            return self._out_of_phase(session)
        asked = run.frames if row.gathers else run.frames[0]
        try:
            self._charge(session, run.cost, now)
            return await row.handler(self._node, session, asked, now)
        except Refusal as refusal:
            if refusal.reason is ErrorCode.RATE_LIMITED:
                session.rests_until = now + limits.REST
            return self._refuse(session, run, refusal)
        except StorageError as error:
            return self._refuse(session, run, _storage_refusal(error))

    def disconnect(self, session: Session) -> None:
        """Forget a connection that is gone."""
        self._node.forget(session)

    def overflow(self, session: Session) -> Effects:
        """End a connection that reads too slowly; it will catch up later."""
        return self._end(session, ErrorCode.CATCH_UP)

    def shut_down(self, retry_after: int) -> Effects:
        """End all connections and tell clients when to come back."""
        effects: Effects = []
        for session in tuple(self._node.sessions):
            facts = frames.Facts(retry_after=retry_after)
            effects += self._end(session, ErrorCode.GOING_AWAY, facts)
        return effects

    # What happens without a client's asking

    def fan_out(self, changes: Sequence[Change]) -> Effects:
        """Return what to send after the engine told of changes."""
        return fan_out(self._node, changes)

    async def tick(self, now: int) -> Effects:
        """Do what is due: end silent connections, advance queues, send markers."""
        node = self._node
        effects: Effects = []
        for session in tuple(node.sessions):
            waited = now - session.connected
            if session.phase is not Phase.OPEN and waited > limits.HANDSHAKE_TIME:
                effects += self._end(session, ErrorCode.HANDSHAKE_TIMEOUT)
        try:
            for room in tuple(node.queues):
                effects += await admission.advance(node, room, now)
            effects += await signals.flush_markers(node, now)
        except StorageError:
            # Clients were promised nothing yet; the next tick tries again.
            return effects
        return effects

    async def sweep(self, now: int) -> Removed:
        """Remove what is no longer kept; raise StorageError."""
        self._node.buckets.forget_full(now)
        self._node.turns.forget_past(now)
        self._node.markers.forget_past(now)
        return await self._node.engine.retain(
            RetentionRules(
                now,
                self._node.settings.entry_age,
                limits.HANDSHAKE_AGE,
                limits.UPLOAD_TIME,
                limits.BLOB_USE_TIME,
            )
        )

    # Blobs, which travel over HTTP

    async def blob_offset(self, token: bytes, blob: bytes, now: int) -> int:
        """Return how much of a blob has arrived; raise Refusal."""
        return await _stored(blobs.offset(self._node, token, blob, now))

    async def write_blob(
        self, token: bytes, blob: bytes, piece: tuple[int, bytes], now: int
    ) -> Blob:
        """Store a piece (offset, bytes) of a blob and return it; raise Refusal."""
        return await _stored(blobs.write(self._node, token, blob, piece, now))

    async def read_blob(
        self, token: bytes, blob: bytes, part: tuple[int, int], now: int
    ) -> tuple[Blob, bytes]:
        """Return a blob and a part (offset, size) of its bytes; raise Refusal."""
        return await _stored(blobs.read(self._node, token, blob, part, now))

    # What only the operator does

    async def ban(self, ban: Ban) -> Effects:
        """Shut out an account (its id in hex) or an address, at once."""
        await self._node.engine.put_ban(ban)
        self._node.bans[ban.subject] = ban
        effects: Effects = []
        for session in tuple(self._node.sessions):
            account = session.device.account.hex() if session.device else ""
            if ban.subject in {account, session.address}:
                effects += self._end(session, ErrorCode.BANNED)
        return effects

    async def lift_ban(self, subject: str) -> bool:
        """End a ban; False if there is none."""
        self._node.bans.pop(subject, None)
        return await self._node.engine.remove_ban(subject)

    async def create_server_invite(self, invite: ServerInvite) -> bool:
        """Store an invite to create accounts; False if its id is taken."""
        return await self._node.engine.put_server_invite(invite)

    async def remove_room(self, room: bytes) -> bool:
        """Remove a room and all it stores; False if there is none."""
        for session in tuple(self._node.followers.get(room, ())):
            self._node.unfollow(room, session)
        return await self._node.engine.remove_room(room)

    def counts(self) -> Counts:
        """Return what this relay holds at the moment."""
        node = self._node
        return Counts(
            len(node.sessions),
            len(node.by_device),
            len(node.followers),
            sum(len(queue.waiting) for queue in node.queues.values()),
            len(node.buckets),
        )

    # Saying no

    def _charge(self, session: Session, cost: int, now: int) -> None:
        if session.device is not None:
            self._node.buckets.take(limits.FRAMES, session.device.device, now, cost)

    def _refuse(self, session: Session, run: "_Run", refusal: Refusal) -> Effects:
        effects: Effects = []
        for frame in run.frames:
            if refusal.fatal or not isinstance(frame, frames.Request):
                return self._end(session, refusal.reason, refusal.facts)
            effects.append(Send(session, refusal.answer(frame.request)))
        return effects

    def _refuse_unknown(self, session: Session, request: int, now: int) -> Effects:
        if session.phase is not Phase.OPEN:
            return self._out_of_phase(session)
        answer = Refusal(ErrorCode.UNKNOWN_FRAME)
        try:
            self._charge(session, _cost(0), now)
        except Refusal as refusal:
            session.rests_until = now + limits.REST
            answer = refusal
        return [Send(session, answer.answer(request))]

    def _out_of_phase(self, session: Session) -> Effects:
        if session.phase is Phase.CLOSED:
            return []
        return self._end(session, ErrorCode.UNEXPECTED)

    def _end(
        self, session: Session, code: ErrorCode, facts: frames.Facts = NO_FACTS
    ) -> Effects:
        self._node.forget(session)
        return _hang_up(session, code, facts)


class _Run:
    """Frames of one kind, and what they cost together; one, unless the kind gathers."""

    __slots__ = ("cost", "frames", "kind")

    def __init__(self, run: list[frames.FromClient], cost: int) -> None:
        self.kind = type(run[0])
        self.frames = run
        self.cost = cost


def _runs(
    messages: Sequence[bytes],
) -> Iterator[_Run | UnknownFrameError | MalformedFrameError]:
    """Yield what can be answered together, and what is no frame we know."""
    gathered: _Run | None = None
    for message in messages:
        frame = _read(message)
        cost = _cost(len(message))
        if gathered is not None:
            if gathered.kind is type(frame):
                gathered.frames.append(frame)
                gathered.cost += cost
                continue
            yield gathered
            gathered = None
        if isinstance(frame, UnknownFrameError | MalformedFrameError):
            yield frame
        elif HANDLERS[type(frame)].gathers:
            gathered = _Run([frame], cost)
        else:
            yield _Run([frame], cost)
    if gathered is not None:
        yield gathered


def _read(
    message: bytes,
) -> frames.FromClient | UnknownFrameError | MalformedFrameError:
    try:
        return decode_from_client(message)
    except (UnknownFrameError, MalformedFrameError) as error:
        return error


def _cost(size: int) -> int:
    """Return how many tokens a frame takes that had this size on the wire."""
    return 1 + size // limits.FRAME_UNIT


async def _stored(answer: Awaitable[T]) -> T:
    """Return the answer; what the engine cannot do is a refusal here."""
    try:
        return await answer
    except StorageError as error:
        raise _storage_refusal(error) from None


def _hang_up(session: Session, code: ErrorCode, facts: frames.Facts) -> Effects:
    return [Send(session, frames.Goodbye(code, facts)), HangUp(session)]


def _storage_refusal(error: StorageError) -> Refusal:
    if error.is_full:
        return Refusal(ErrorCode.RELAY_FULL)
    return Refusal(ErrorCode.UNAVAILABLE, frames.Facts(retry_after=_STORAGE_PAUSE))
