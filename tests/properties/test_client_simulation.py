"""Several people with real sessions, one relay, and a network that does its worst."""

from random import Random

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
)
from typing_extensions import override

from tertulia.client import (
    CancelMessage,
    ChangeName,
    ChangeRoom,
    CreateInvite,
    CreateRoom,
    InviteMade,
    JoinRoom,
    LeaveRoom,
    MessageState,
    NetworkChanged,
    RemoveMember,
    RevokeInvite,
    RoomMade,
    RoomStatus,
    SendText,
)
from tertulia.wire import frames
from tests.properties.client_mischief import MISCHIEF, Mischief
from tests.properties.client_simulation import WatchedDevice, WatchedWorld
from tests.properties.client_verdicts import heal, judge

NAMES = ("Ana", "Luis", "Eva", "Iker", "Noa", "Zoe")
WHO = st.integers(0, len(NAMES) - 1)
NUMBER = st.integers(0, 7)
SEED = st.integers(0, 2**16)
MOST_ROOMS = 2


class ClientSimulation(RuleBasedStateMachine):
    """What may happen to people who talk, in any order; numbers stand for people."""

    def __init__(self) -> None:
        super().__init__()
        self.world = WatchedWorld(0)
        self.texts = 0

    @initialize(
        seed=SEED,
        inside=st.integers(1, 4),
        outside=st.integers(0, 2),
        modified=st.sampled_from((None, None, 0, 1, 2)),
        large=st.booleans(),
    )
    def begin(
        self,
        seed: int,
        inside: int,
        outside: int,
        modified: int | None,
        *,
        large: bool,
    ) -> None:
        self.world = WatchedWorld(seed)
        self.world.circle(*NAMES[:inside], large=large)
        for name in NAMES[inside : inside + outside]:
            self.world.person(name)
        if modified is not None and inside > 1:
            self.world.modify(self.world.people[modified % inside])

    # Choosing

    def one(self, who: int) -> WatchedDevice:
        return self.world.people[who % len(self.world.people)]

    def room(self, number: int) -> bytes:
        rooms = self.world.rooms()
        return rooms[number % len(rooms)]

    def links(self) -> list[str]:
        return [
            answer.link
            for device in self.world.people
            for answer in device.replies.values()
            if isinstance(answer, InviteMade | RoomMade)
        ]

    # People

    @rule(who=WHO, room=NUMBER, count=st.integers(1, 4))
    def say(self, who: int, room: int, count: int) -> None:
        device = self.one(who)
        if device.alive:
            for _ in range(count):
                self.texts += 1
                device.ask(SendText(self.room(room), f"text {self.texts}"))

    @rule(who=WHO, room=NUMBER, which=NUMBER)
    def take_back(self, who: int, room: int, which: int) -> None:
        device = self.one(who)
        waiting = [
            line.message
            for line in device.lines(self.room(room))
            if line.state is MessageState.QUEUED
        ]
        if device.alive and waiting:
            message = waiting[which % len(waiting)]
            device.ask(CancelMessage(self.room(room), message))

    @rule(
        who=WHO,
        room=NUMBER,
        uses=st.sampled_from((None, None, 1, 2)),
        lasting=st.sampled_from((None, None, 3_000, 60_000)),
    )
    def invite(
        self, who: int, room: int, uses: int | None, lasting: int | None
    ) -> None:
        device = self.one(who)
        if device.alive:
            expires = None if lasting is None else self.world.now + lasting
            device.ask(CreateInvite(self.room(room), expires, uses))

    @rule(who=WHO, room=NUMBER, which=NUMBER)
    def revoke(self, who: int, room: int, which: int) -> None:
        device = self.one(who)
        known = device.session.rooms.get(self.room(room))
        if device.alive and known is not None and known.policy is not None:
            invites = known.policy.invites
            if invites:
                invite = invites[which % len(invites)].invite
                device.ask(RevokeInvite(self.room(room), invite))

    @rule(who=st.sets(WHO, min_size=1, max_size=3), which=NUMBER)
    def join(self, who: set[int], which: int) -> None:
        """Several may follow one link at once."""
        links = self.links()
        for number in who:
            device = self.one(number)
            if device.alive and links:
                device.ask(JoinRoom(links[which % len(links)]))

    @rule(who=WHO, room=NUMBER)
    def leave(self, who: int, room: int) -> None:
        device = self.one(who)
        if device.alive and device.status(self.room(room)) is RoomStatus.MEMBER:
            device.ask(LeaveRoom(self.room(room)))

    @rule(who=WHO, whom=WHO, room=NUMBER)
    def remove(self, who: int, whom: int, room: int) -> None:
        device = self.one(who)
        if device.alive:
            device.ask(RemoveMember(self.room(room), self.one(whom).account))

    @rule(who=WHO, room=NUMBER, number=NUMBER)
    def rename_room(self, who: int, room: int, number: int) -> None:
        device = self.one(who)
        if device.alive:
            device.ask(ChangeRoom(self.room(room), name=f"room {number}"))

    @rule(who=WHO, number=NUMBER)
    def rename_person(self, who: int, number: int) -> None:
        device = self.one(who)
        if device.alive:
            device.ask(ChangeName(f"{device.name} {number}"))

    @precondition(lambda self: len(self.world.rooms()) < MOST_ROOMS)
    @rule(who=WHO)
    def make_room(self, who: int) -> None:
        device = self.one(who)
        if device.alive:
            device.ask(CreateRoom("another"))

    # The network

    @rule(seed=SEED, moves=st.integers(1, 60))
    def stir(self, seed: int, moves: int) -> None:
        self.world.stir(Random(seed), moves)

    @rule(who=WHO, moves=st.integers(1, 10))
    def run_one(self, who: int, moves: int) -> None:
        """Let one device go on alone, its frames included."""
        device = self.one(who)
        for _ in range(moves):
            device.take()
            self.world.deliver(device)

    @rule()
    def settle(self) -> None:
        self.world.settle()

    @rule(milliseconds=st.sampled_from((1, 300, 1_000, 5_000, 40_000)))
    def wait(self, milliseconds: int) -> None:
        self.world.wait(milliseconds)

    @rule(who=WHO)
    def cut(self, who: int) -> None:
        self.world.cut(self.one(who))

    @rule(who=WHO)
    def change_network(self, who: int) -> None:
        device = self.one(who)
        if device.alive:
            device.inbox.append(NetworkChanged())

    @rule(reachable=st.booleans())
    def lose_the_way(self, *, reachable: bool) -> None:
        """New connections fail, or no longer do; those that stand stay."""
        self.world.reachable = reachable

    @rule(who=WHO, which=NUMBER)
    def duplicate(self, who: int, which: int) -> None:
        """A request arrives twice."""
        outbound = self.one(who).outbound
        asked = [frame for frame in outbound if isinstance(frame, frames.Request)]
        if asked:
            outbound.append(asked[which % len(asked)])

    @rule(count=st.integers(1, 3))
    def lose_pushes(self, count: int) -> None:
        """What the relay pushes next gets lost; the gap is found later."""
        self.world.losing_pushes = count

    @rule(count=st.integers(1, 3))
    def fail_transfers(self, count: int) -> None:
        self.world.failing_transfers = count

    @rule()
    def restart_the_relay(self) -> None:
        self.world.restart_relay()

    # A modified client

    @precondition(lambda self: any(each.modified for each in self.world.people))
    @rule(
        kinds=st.lists(st.sampled_from(sorted(MISCHIEF)), min_size=1, max_size=4),
        room=NUMBER,
        seed=SEED,
    )
    def misbehave(self, kinds: list[str], room: int, seed: int) -> None:
        for device in self.world.people:
            known = device.session.rooms.get(self.room(room))
            if not device.modified or not device.is_open or known is None:
                continue
            mischief = Mischief(device, known, Random(seed))
            for kind in kinds:
                frame = MISCHIEF[kind](mischief)
                if frame is not None:
                    device.outbound.append(frame)
                    self.world.deliver(device)

    # Crashes

    @rule(who=WHO, effects=st.integers(0, 12))
    def light_a_fuse(self, who: int, effects: int) -> None:
        """Crash once so many more effects are carried out."""
        self.one(who).fuse = effects

    @rule(who=WHO)
    def crash(self, who: int) -> None:
        device = self.one(who)
        if device.alive:
            device.crash()

    @rule(who=WHO)
    def start(self, who: int) -> None:
        device = self.one(who)
        if not device.alive:
            device.start()

    @override
    def teardown(self) -> None:
        heal(self.world)
        judge(self.world)


TestClientSimulation = ClientSimulation.TestCase
