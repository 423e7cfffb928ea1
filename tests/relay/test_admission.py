"""Joining by invite and rejoining: proof, turn, one commit."""

from tertulia.wire import ErrorCode, frames, limits
from tests.relay.script import (
    START,
    Client,
    Invitation,
    Person,
    Script,
    key_of,
    refused,
    run,
)

LINK = Invitation("link")


def invited(script: Script, **terms: int) -> tuple[Client, bytes]:
    """Return a member and its room, which LINK opens."""
    alice = script.enter("alice")
    room = script.room("room", alice)
    advice = alice.advice(room, LINK.terms(**terms))
    alice.commit(room, 0, "commit", frames.Bundle(group=advice))
    return alice, room


def ask(client: Client, room: bytes) -> list[frames.Frame | str]:
    return client.ask(
        frames.RequestAdmission, room, LINK.invite, client.claim(LINK, room)
    )


def join(
    client: Client, room: bytes, handshake: int, *replaced: bytes
) -> list[frames.Frame | str]:
    advice = client.advice(room, LINK.terms(), text=client.person.name)
    name = f"join of {client.person.name}"
    return client.ask(
        frames.Join, room, key_of(name), handshake, name.encode(), advice, replaced
    )


def test_a_joiner_proves_the_invite_gets_the_group_and_joins() -> None:
    script = Script()
    alice, room = invited(script)
    bob = script.enter("bob")
    (admitted,) = ask(bob, room)
    assert isinstance(admitted, frames.Admitted)
    assert (admitted.until, admitted.handshake, admitted.head.place) == (
        START + limits.LEASE_TIME,
        1,
        1,
    )
    assert admitted.wrapped == b"wrapped for " + LINK.wrap
    (accepted,) = join(bob, room, 1)
    assert isinstance(accepted, frames.Accepted)
    (entries,) = alice.look()
    assert isinstance(entries, frames.Entries)
    assert entries.entries[0].device == bob.person.device
    assert isinstance(bob.append(room, 2, "hello")[-1], frames.Accepted)


def test_without_a_right_proof_nobody_is_admitted_or_told_anything() -> None:
    script = Script()
    _alice, room = invited(script)
    bob = script.enter("bob")
    other = Invitation("other")
    claims = (
        (room, LINK.invite, bob.claim(other, room)),
        (room, other.invite, bob.claim(other, room)),
        (bytes(16), LINK.invite, bob.claim(LINK, bytes(16))),
        (room, LINK.invite, bob.claim(LINK, bytes(16))),
    )
    for claim in claims:
        code = bob.refusal(frames.RequestAdmission, *claim)
        assert code is ErrorCode.INVITE_INVALID
    assert bob.refusal(frames.FetchGroup, room) is ErrorCode.NOT_FOUND
    assert bob.refusal(frames.FetchTicket, room) is ErrorCode.NOT_FOUND
    code = bob.refusal(frames.BeginUpload, room, 1, bytes(32))
    assert code is ErrorCode.NOT_FOUND


def test_expiry_and_uses_are_enforced() -> None:
    script = Script()
    _alice, room = invited(script, expires=START + 1_000, uses=1)
    bob, carol = script.enter("bob"), script.enter("carol")
    ask(bob, room)
    ask(carol, room)
    join(bob, room, 1)
    script.tick()
    carol.look()
    assert refused(join(carol, room, 2), ErrorCode.INVITE_INVALID)
    script.now += 1_000
    assert refused(ask(carol, room), ErrorCode.INVITE_INVALID)


def test_a_joiner_changes_neither_invites_nor_retention() -> None:
    script = Script()
    alice = script.enter("alice")
    room = script.room("room", alice)
    advice = alice.advice(room, LINK.terms(uses=1), retention=1_000)
    alice.commit(room, 0, "commit", frames.Bundle(group=advice))
    bob = script.enter("bob")
    ask(bob, room)
    join(bob, room, 1)  # with a link that serves for ever
    kept = run(script.engine.group(room))
    assert kept is not None
    assert (kept.invites, kept.retention) == (advice.invites, 1_000)
    assert kept.tree != advice.tree


def test_joiners_take_turns_and_see_their_place() -> None:
    script = Script()
    _alice, room = invited(script)
    bob, carol, dave = (script.enter(each) for each in ("bob", "carol", "dave"))
    (admitted,) = ask(bob, room)
    assert isinstance(admitted, frames.Admitted)
    assert ask(carol, room) == [frames.Queued(1, 1)]
    assert ask(dave, room) == [frames.Queued(1, 2)]
    early = join(carol, room, 1)
    assert refused(early, ErrorCode.WAIT_TURN, retry_after=limits.LEASE_TIME)
    join(bob, room, 1)
    (turn,) = carol.look()
    assert isinstance(turn, frames.Admitted)
    assert turn.handshake == 2
    assert dave.look() == [frames.Queued(1, 1)]


def test_asking_all_the_time_costs_who_asks() -> None:
    script = Script()
    _alice, room = invited(script)
    bob, carol = (script.enter(each) for each in ("bob", "carol"))
    ask(bob, room)
    most = limits.HANDSHAKES.burst // limits.ADMISSION_COST
    answers = [ask(carol, room)[0] for _ in range(most + 1)]
    places = [answer.ahead for answer in answers if isinstance(answer, frames.Queued)]
    assert places == [1] * most
    assert refused(answers[-1:], ErrorCode.RATE_LIMITED, retry_after=10_001)


def test_a_turn_ends_when_its_time_or_its_holder_is_gone() -> None:
    script = Script()
    _alice, room = invited(script)
    bob, carol, dave = (script.enter(each) for each in ("bob", "carol", "dave"))
    for client in (bob, carol, dave):
        ask(client, room)
    script.tick(limits.LEASE_TIME)
    assert isinstance(carol.look()[-1], frames.Admitted)
    carol.close()
    script.tick()
    assert isinstance(dave.look()[-1], frames.Admitted)
    script.tick(limits.LEASE_TIME)
    assert script.relay.counts().joiners_waiting == 0


def test_a_lease_never_holds_members_back() -> None:
    script = Script()
    alice, room = invited(script)
    bob = script.enter("bob")
    ask(bob, room)
    assert isinstance(alice.commit(room, 1, "mine")[-1], frames.Accepted)
    assert join(bob, room, 1) == [frames.Stale(3, room, 2, ())]
    (group,) = bob.ask(frames.FetchGroup, room)
    assert isinstance(group, frames.Group)
    assert (group.handshake, group.wrapped) == (2, b"wrapped for " + LINK.wrap)
    assert isinstance(join(bob, room, 2)[-1], frames.Accepted)


def test_an_admission_ends() -> None:
    script = Script()
    _alice, room = invited(script)
    bob = script.enter("bob")
    ask(bob, room)
    script.now += limits.ADMISSION_TIME
    assert bob.refusal(frames.FetchGroup, room) is ErrorCode.NOT_FOUND


def test_an_invite_without_a_group_to_join_is_invalid() -> None:
    script = Script()
    alice, room = invited(script)
    bob = script.enter("bob")
    first = script.enter("carol")
    ask(first, room)
    ask(bob, room)
    without = alice.advice(room, text="no invites")
    alice.ask(frames.Repair, room, 1, frames.Bundle(group=without))
    bob.look()
    script.tick(limits.LEASE_TIME)
    assert refused(bob.look(), ErrorCode.INVITE_INVALID)
    code = first.refusal(frames.FetchGroup, room)
    assert code is ErrorCode.INVITE_INVALID


def test_a_resent_join_is_told_its_old_place() -> None:
    script = Script()
    _alice, room = invited(script)
    bob = script.enter("bob")
    ask(bob, room)
    (first,) = join(bob, room, 1)
    script.now += limits.DAY
    (again,) = join(bob, room, 1)
    assert isinstance(first, frames.Accepted)
    assert isinstance(again, frames.Accepted)
    assert again.place == first.place


def test_a_further_device_of_a_member_rejoins_and_replaces_its_own_only() -> None:
    script = Script()
    alice, room = invited(script)
    laptop = script.enter(Person("laptop", alice.person.account))
    (group,) = laptop.ask(frames.FetchGroup, room)
    assert isinstance(group, frames.Group)
    assert group.wrapped == b"wrapped for members"
    bob = script.enter("bob")
    foreign = join(laptop, room, 1, bob.person.device)
    assert refused(foreign, ErrorCode.NOT_ALLOWED)
    (accepted,) = join(laptop, room, 1, alice.person.device)
    assert isinstance(accepted, frames.Accepted)
    alice.look()
    code = alice.refusal(frames.FetchTicket, room)
    assert code is ErrorCode.NOT_FOUND


def test_who_was_removed_does_not_come_back_without_an_invite() -> None:
    script = Script()
    alice = script.enter("alice")
    bob = script.enter("bob")
    room = script.room("room", alice, bob)
    alice.commit(room, 0, "out", frames.Bundle(unroute=(bob.person.device,)))
    bob.look()
    reference = frames.BlobReference(bytes(16), 1, bytes(32))
    advice = frames.GroupAdvice(bytes(16), b"", b"", reference)
    code = bob.refusal(frames.Join, room, key_of("back"), 1, b"back", advice)
    assert code is ErrorCode.NOT_FOUND
    assert bob.refusal(frames.FetchGroup, room) is ErrorCode.NOT_FOUND


def test_who_hangs_up_while_asking_takes_no_turn() -> None:
    script = Script()
    _alice, room = invited(script)
    bob, carol = (script.enter(each) for each in ("bob", "carol"))
    invite = script.engine.room_invite

    async def hang_up(room: bytes, asked: bytes) -> object:
        bob.close()
        return await invite(room, asked)

    script.engine.room_invite = hang_up  # type: ignore[method-assign,assignment]
    assert ask(bob, room) == []
    (admitted,) = ask(carol, room)
    assert isinstance(admitted, frames.Admitted)
