"""Several clients, one relay, and a network that does its worst.

Hypothesis chooses who sends, what is cut, delayed, doubled or lost, when clients crash
and when the relay starts anew. Whatever it chooses: all see one order without gap or
repeat, the running hash is right, what was acknowledged is there, and a resend is told
its old place. The model of a client is as simple as can be: it believes an entry only
if it follows from the one before, and resends what was not acknowledged.
"""

from collections import deque
from dataclasses import dataclass, field
from random import Random

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)
from typing_extensions import override

from tertulia.relay import Broadcast, Effects, HangUp, Phase, Relay, Send, Session
from tertulia.server.engines import MemoryEngine
from tertulia.wire import Kind, first_hash, frames, next_hash
from tests.relay.script import OPEN, Person, Script, key_of, run

ROOM = b"simulated room!!"
WHO = st.integers(0, 2)


@dataclass
class Model:
    """A client: what it has on its disk, and its connection, if any."""

    person: Person
    entries: list[frames.Entry] = field(default_factory=list)
    place: int = 0
    hash: bytes = first_hash(ROOM)
    handshake: int = 0
    # What it wants in the log, oldest first, and what it was told of each key.
    outbox: list[tuple[bytes, Kind]] = field(default_factory=list)
    told: dict[bytes, int] = field(default_factory=dict)
    session: Session | None = None
    inbound: deque[frames.Frame] = field(default_factory=deque)
    outbound: deque[frames.FromClient] = field(default_factory=deque)
    sent: int = 0
    # The one request for a page under way, 0 for none.
    fetching: int = 0
    # Which key each unanswered request is about.
    keys: dict[int, bytes] = field(default_factory=dict)

    def take(self, frame: frames.Frame) -> None:
        match frame:
            case frames.Entries(request=request, entries=entries):
                if request == self.fetching:
                    self.fetching = 0
                for entry in entries:
                    self.believe(entry)
                self.check(frame.head)
            case frames.Accepted(request=request, place=place):
                self.acknowledge(self.keys.pop(request), place)
            case frames.Stale():
                self.fetch()
            case _:
                pass

    def believe(self, entry: frames.Entry) -> None:
        """Take an entry that is new and follows; ask for what is missing."""
        if entry.place <= self.place:
            return
        if entry.place != self.place + 1:  # this relay leaves no holes
            self.fetch()
            return
        self.entries.append(entry)
        self.place = entry.place
        self.hash = next_hash(ROOM, self.hash, entry)
        if entry.kind is Kind.HANDSHAKE:
            self.handshake = entry.place
        if entry.device == self.person.device:
            self.acknowledge(entry.key, entry.place)

    def check(self, head: frames.SignedHead) -> None:
        if head.place == self.place:
            assert head.hash == self.hash
        elif head.place > self.place:
            self.fetch()

    def acknowledge(self, key: bytes, place: int) -> None:
        assert self.told.setdefault(key, place) == place, "a resend has its old place"
        self.outbox = [each for each in self.outbox if each[0] != key]

    def number(self) -> int:
        self.sent += 1
        return self.sent

    def fetch(self) -> None:
        if self.session is not None and not self.fetching:
            self.fetching = self.number()
            self.outbound.append(
                frames.FetchEntries(self.fetching, ROOM, self.place, self.hash, 3)
            )

    def transmit(self, key: bytes, kind: Kind) -> None:
        number = self.number()
        self.keys[number] = key
        if kind is Kind.HANDSHAKE:
            self.outbound.append(
                frames.Commit(number, ROOM, key, self.handshake, key, frames.Bundle())
            )
        else:
            self.outbound.append(frames.Append(number, ROOM, key, self.handshake, key))

    def cut(self) -> None:
        """Lose the connection and all that is under way on it."""
        self.session = None
        self.inbound.clear()
        self.outbound.clear()
        self.keys.clear()
        self.fetching = 0


class RelaySimulation(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.script = Script()
        self.everybody: list[Model] = []
        self.accepted: dict[tuple[bytes, bytes], int] = {}
        self.texts = 0

    @initialize()
    def begin(self) -> None:
        founder = self.script.enter("founder")
        founder.send(frames.CreateRoom(1, ROOM))
        people = [Person(f"person {number}") for number in range(3)]
        for person in people:
            self.script.enter(person).close()
        routes = tuple(person.device for person in people)
        founder.send(frames.Repair(2, ROOM, 0, frames.Bundle(route=routes)))
        founder.close()
        self.everybody = [Model(person) for person in people]
        self._listen()

    def _listen(self) -> None:
        engine: MemoryEngine = self.script.engine
        engine.listen(lambda changes: self.carry_out(self.relay.fan_out(changes)))

    @property
    def relay(self) -> Relay:
        return self.script.relay

    def carry_out(self, effects: Effects) -> None:
        for effect in effects:
            match effect:
                case Send(session, frame):
                    self._deliver(session, frame)
                case Broadcast(sessions, frame):
                    for session in sessions:
                        self._deliver(session, frame)
                case HangUp(session):
                    for model in self.everybody:
                        if model.session is session:
                            model.cut()

    def _deliver(self, session: Session, frame: frames.Frame) -> None:
        for model in self.everybody:
            if model.session is session:
                model.inbound.append(frame)
                if isinstance(frame, frames.Accepted):
                    key = (model.person.device, model.keys[frame.request])
                    before = self.accepted.setdefault(key, frame.place)
                    assert before == frame.place

    @rule(who=WHO)
    def connect(self, who: int) -> None:
        model = self.everybody[who]
        client = self.script.enter(model.person)
        model.cut()
        model.session = client.session
        model.outbound.append(
            frames.FollowRoom(
                model.number(), ROOM, model.place, model.hash, model.handshake
            )
        )
        model.fetch()

    @rule(who=WHO, kind=st.sampled_from(Kind))
    def write(self, who: int, kind: Kind) -> None:
        model = self.everybody[who]
        self.texts += 1
        key = key_of(f"text {self.texts}")
        model.outbox.append((key, kind))
        if model.session is not None:
            model.transmit(key, kind)

    @rule(who=WHO, twice=st.booleans())
    def resend(self, who: int, *, twice: bool) -> None:
        model = self.everybody[who]
        if model.session is not None:
            for key, kind in model.outbox * (2 if twice else 1):
                model.transmit(key, kind)

    @rule(who=WHO, count=st.integers(1, 5))
    def let_through(self, who: int, count: int) -> None:
        """Let the relay take some of what a client sent."""
        model = self.everybody[who]
        for _ in range(count):
            session = model.session
            if session is None or not model.outbound or session.phase is not Phase.OPEN:
                return
            frame = model.outbound.popleft()
            self.carry_out(run(self.relay.handle(session, frame, self.script.now)))

    @rule(who=WHO, count=st.integers(1, 5))
    def read(self, who: int, count: int) -> None:
        """Let a client take some of what the relay sent."""
        model = self.everybody[who]
        for _ in range(count):
            if model.inbound:
                model.take(model.inbound.popleft())

    @rule(who=WHO, seed=st.integers(0, 1_000))
    def reorder(self, who: int, seed: int) -> None:
        """Mix what is under way to the relay, as parallel requests may."""
        model = self.everybody[who]
        mixed = list(model.outbound)
        Random(seed).shuffle(mixed)
        model.outbound = deque(mixed)

    @rule(who=WHO)
    def lose_a_push(self, who: int) -> None:
        model = self.everybody[who]
        pushed = [
            frame
            for frame in model.inbound
            if isinstance(frame, frames.Entries) and frame.request == 0
        ]
        if pushed:
            model.inbound.remove(pushed[0])

    @rule(who=WHO)
    def cut(self, who: int) -> None:
        model = self.everybody[who]
        if model.session is not None:
            self.relay.disconnect(model.session)
            model.cut()

    @rule()
    def restart(self) -> None:
        """End the relay's process; what is stored stays."""
        for model in self.everybody:
            model.cut()
        self.script.restart(OPEN)
        self._listen()

    @rule(milliseconds=st.integers(-5_000, 120_000))
    def wait(self, milliseconds: int) -> None:
        self.script.now += milliseconds
        self.carry_out(run(self.relay.tick(self.script.now)))

    @invariant()
    def all_see_the_start_of_one_log(self) -> None:
        log = self.log()
        for model in self.everybody:
            assert model.entries == log[: len(model.entries)]

    @invariant()
    def nothing_is_there_twice_and_the_hash_runs(self) -> None:
        log = self.log()
        assert [entry.place for entry in log] == list(range(1, len(log) + 1))
        senders = [(entry.device, entry.key) for entry in log]
        assert len(senders) == len(set(senders))
        running, times, latest = first_hash(ROOM), 0, 0
        for entry in log:
            running = next_hash(ROOM, running, entry)
            assert entry.time >= times
            assert entry.handshake == latest, "in the epoch current at its place"
            times = entry.time
            latest = entry.place if entry.kind is Kind.HANDSHAKE else latest
        if self.everybody:
            assert running == self.script.relay_head(ROOM)

    @invariant()
    def what_was_acknowledged_is_there(self) -> None:
        places = {(entry.device, entry.key): entry.place for entry in self.log()}
        for key, place in self.accepted.items():
            assert places[key] == place

    def log(self) -> list[frames.Entry]:
        room = self.script.engine._rooms.get(ROOM)
        return list(room.entries.values()) if room else []

    @override
    def teardown(self) -> None:
        """Give everybody a good network: all that was written arrives."""
        if not self.everybody:
            return
        for _ in range(
            self.texts + 1
        ):  # each round one handshake of each comes through
            if not any(model.outbox for model in self.everybody):
                break
            self.script.now += 600_000
            for who in range(3):
                self.connect(who)
                self.exchange(who)
                self.resend(who, twice=False)
                self.exchange(who)
        for who, model in enumerate(self.everybody):
            self.connect(who)
            self.exchange(who)
            assert (model.outbox, model.entries) == ([], self.log())

    def exchange(self, who: int) -> None:
        """Let everything through that is under way, and what follows from it."""
        model = self.everybody[who]
        for _ in range(200):
            self.let_through(who, 100)
            self.read(who, 100)
            if not (model.outbound or model.inbound):
                return
        raise AssertionError("client and relay never come to rest")


TestRelaySimulation = RelaySimulation.TestCase
