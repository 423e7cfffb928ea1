"""The rule that gives an entry its place, tried on a view of plain values."""

from dataclasses import dataclass, field

from msgspec.structs import replace

from tertulia.relay import (
    Denied,
    Overtaken,
    Placed,
    Placement,
    Proposal,
    RepairProposal,
    RoomInvite,
    RoomState,
    Route,
    cost,
    decide,
    decide_repair,
    empty_room,
    state_after,
)
from tertulia.wire import ErrorCode, Kind, frames, limits, next_hash

ROOM, ALICE, BOB = bytes(16), b"a" * 16, b"b" * 16
STATE = replace(empty_room(ROOM, 5), place=9, handshake=7, time=50)
HELLO = Proposal(ROOM, ALICE, b"k" * 16, Kind.APPLICATION, 7, b"hello", 60, None)
TEXT = replace(HELLO, room_limit=10_000)


@dataclass
class View:
    routes: dict[bytes, Route] = field(default_factory=lambda: {ALICE: Route(1)})
    placed: dict[bytes, Placed] = field(default_factory=dict)
    invites: dict[bytes, RoomInvite] = field(default_factory=dict)
    count: int = 1
    blobs: bool = True

    def state(self) -> RoomState:
        return STATE

    def route(self, device: bytes) -> Route | None:
        return self.routes.get(device)

    def earlier(self, device: bytes, key: bytes) -> Placed | None:
        return self.placed.get(device + key)

    def invite(self, invite: bytes) -> RoomInvite | None:
        return self.invites.get(invite)

    def members(self) -> int:
        return self.count

    def has_blob(self, reference: frames.BlobReference) -> bool:
        return self.blobs and reference.size > 0

    def advice(self) -> frames.GroupAdvice | None:
        return None

    def patches(self) -> tuple[int, int]:
        return 0, 0


def test_an_entry_follows_the_last_one() -> None:
    decision = decide(View(), TEXT)
    assert isinstance(decision, Placement)
    entry = frames.Entry(10, Kind.APPLICATION, ALICE, 60, TEXT.key, 7, b"hello")
    assert decision.entry == entry
    assert decision.placed() == Placed(10, 60)
    assert decision.state == RoomState(
        ROOM, 10, next_hash(ROOM, STATE.hash, entry), 7, 60, cost(entry)
    )


def test_a_handshake_becomes_the_latest() -> None:
    decision = decide(View(), replace(TEXT, kind=Kind.HANDSHAKE))
    assert isinstance(decision, Placement)
    assert decision.state.handshake == 10
    assert state_after(STATE, decision.entry) == decision.state


def test_time_never_runs_back() -> None:
    decision = decide(View(), replace(TEXT, now=3))
    assert isinstance(decision, Placement)
    assert decision.entry.time == STATE.time


def test_the_named_handshake_decides() -> None:
    assert decide(View(), replace(TEXT, handshake=6)) == Overtaken(7)
    ahead = decide(View(), replace(TEXT, handshake=8))
    assert ahead == Denied(ErrorCode.BEHIND, frames.Facts(place=9))


def test_a_resend_comes_before_every_other_rule() -> None:
    old = Placed(3, 30, again=True)
    view = View({ALICE: Route(1, 4)}, {ALICE + TEXT.key: old})
    assert decide(view, replace(TEXT, handshake=0, room_limit=0)) == old


def test_a_stranger_learns_nothing_of_keys() -> None:
    view = View({}, {ALICE + TEXT.key: Placed(3, 30, again=True)})
    assert decide(view, TEXT) == Denied(ErrorCode.NOT_FOUND)


def test_whose_routing_ended_appends_no_more() -> None:
    assert decide(View({ALICE: Route(1, 8)}), TEXT) == Denied(ErrorCode.NOT_FOUND)


def test_who_was_admitted_may_join_while_the_invite_counts() -> None:
    terms = frames.Invite(b"i" * 16, bytes(32), bytes(16), expires=61, uses=2)
    joining = replace(TEXT, joining=True, invite=terms.invite)
    fresh = RoomInvite(ROOM, terms, 1, 0)

    def outcome(invite: RoomInvite | None, now: int = 60) -> object:
        view = View({}, invites={terms.invite: invite} if invite else {})
        return decide(view, replace(joining, now=now))

    assert isinstance(outcome(fresh), Placement)
    invalid = Denied(ErrorCode.INVITE_INVALID)
    assert outcome(None) == invalid
    assert outcome(fresh, now=61) == invalid
    assert outcome(replace(fresh, joined=2)) == invalid
    assert isinstance(decide(View({}), replace(TEXT, joining=True)), Placement)


def test_a_room_has_a_limited_number_of_devices() -> None:
    full = View(count=limits.DEVICES_PER_ROOM)
    too_many = Denied(ErrorCode.TOO_MANY, frames.Facts(limit=limits.DEVICES_PER_ROOM))
    adding = replace(TEXT, bundle=frames.Bundle(route=(BOB,)))
    swapping = replace(TEXT, bundle=frames.Bundle(route=(BOB,), unroute=(ALICE,)))
    assert decide(full, adding) == too_many
    assert isinstance(decide(full, swapping), Placement)
    full.routes.clear()
    assert decide(full, replace(TEXT, joining=True)) == too_many


def test_a_room_stores_a_limited_number_of_bytes() -> None:
    exact = replace(TEXT, room_limit=256 + len(TEXT.blob))
    assert isinstance(decide(View(), exact), Placement)
    over = replace(exact, room_limit=exact.room_limit - 1)
    facts = frames.Facts(limit=over.room_limit, actual=0)
    assert decide(View(), over) == Denied(ErrorCode.ROOM_FULL, facts)


def test_a_bundle_s_blobs_must_be_there() -> None:
    reference = frames.BlobReference(bytes(16), 1, bytes(32))
    bundle = frames.Bundle(group=frames.GroupAdvice(bytes(16), b"", b"", reference))
    proposal = replace(TEXT, bundle=bundle)
    assert isinstance(decide(View(), proposal), Placement)
    missing = Denied(ErrorCode.BLOB_INCOMPLETE)
    assert decide(View(blobs=False), proposal) == missing
    repair = RepairProposal(ROOM, ALICE, 7, bundle, 60)
    assert decide_repair(View(), repair) == Placed(9, 50)
    assert decide_repair(View(blobs=False), repair) == missing


def test_a_repair_is_for_members_who_are_up_to_date() -> None:
    repair = RepairProposal(ROOM, ALICE, 7, frames.Bundle(), 60)
    not_found = Denied(ErrorCode.NOT_FOUND)
    assert decide_repair(View({}), repair) == not_found
    assert decide_repair(View({ALICE: Route(1, 8)}), repair) == not_found
    assert decide_repair(View(), replace(repair, handshake=6)) == Overtaken(7)
