"""One change becomes few frames, the same for everybody."""

from msgspec.structs import replace

from tertulia.relay import Broadcast, Change, Cut, Send
from tertulia.wire import first_hash, frames, limits, next_hash, verify_head
from tests.relay.script import Client, Script, run


def collected(script: Script, room: bytes, texts: list[bytes]) -> Change:
    """Return what an engine would report had the texts arrived together."""
    sender = next(iter(script.clients.values()))
    changes: list[Change] = []
    script.engine.listen(changes.extend)
    for text in texts:
        sender.append(room, 0, text.decode())
    return Change(
        changes[-1].state,
        changes[0].previous,
        tuple(entry for change in changes for entry in change.entries),
    )


def followers(script: Script, count: int) -> tuple[list[Client], bytes]:
    clients = [script.enter(f"person {number}") for number in range(count)]
    return clients, script.room("room", *clients)


def test_what_arrived_together_is_one_frame_for_all() -> None:
    script = Script()
    clients, room = followers(script, 3)
    change = collected(script, room, [b"one", b"two"])
    (effect,) = script.relay.fan_out([change])
    assert isinstance(effect, Broadcast)
    assert set(effect.sessions) == {client.session for client in clients}
    assert isinstance(effect.frame, frames.Entries)
    assert effect.frame.entries == change.entries
    assert effect.frame.head.hash == change.state.hash


def test_what_is_too_large_for_a_page_is_several_frames_that_follow() -> None:
    script = Script()
    _clients, room = followers(script, 1)
    size = limits.PAGE // 2
    change = collected(script, room, [bytes([65 + n]) * size for n in range(3)])
    effects = script.relay.fan_out([change])
    running = first_hash(room)
    assert len(effects) == 3
    for effect in effects:
        assert isinstance(effect, Broadcast)
        assert isinstance(effect.frame, frames.Entries)
        assert effect.frame.previous == running
        for entry in effect.frame.entries:
            running = next_hash(room, running, entry)
    assert running == change.state.hash


def test_who_is_cut_in_between_gets_the_part_before() -> None:
    script = Script()
    (alice, bob), room = followers(script, 2)
    change = collected(script, room, [b"one", b"two", b"three"])
    absent = Cut(bytes(16), 1)
    cut = Change(
        change.state,
        change.previous,
        change.entries,
        cuts=(Cut(bob.person.device, 2), absent),
    )
    part, whole = script.relay.fan_out([cut])
    assert isinstance(part, Send)
    assert isinstance(part.frame, frames.Entries)
    assert isinstance(whole, Broadcast)
    assert (part.session, part.frame.entries) == (bob.session, change.entries[:2])
    assert whole.sessions == (alice.session,)
    assert room not in bob.session.followed


def test_nobody_follows_and_nothing_is_signed_or_sent() -> None:
    script = Script()
    (alice,), room = followers(script, 1)
    alice.ask(frames.UnfollowRoom, room)
    change = collected(script, room, [b"one"])
    assert script.relay.fan_out([change]) == []
    assert run(script.engine.usage()).entries == 1


def test_rooms_that_got_something_together_share_one_signature() -> None:
    script = Script()
    alice = script.enter("alice")
    rooms = [script.room(f"room {number}", alice) for number in range(3)]
    changes = [collected_in(script, alice, room) for room in rooms]
    script.relay._node.heads._kept.clear()  # those that were signed one by one
    effects = script.relay.fan_out(changes)
    signed = [
        effect.frame.head
        for effect in effects
        if isinstance(effect, Broadcast) and isinstance(effect.frame, frames.Entries)
    ]
    assert len(signed) == 3
    assert len({head.signature for head in signed}) == 1
    for room, head in zip(rooms, signed, strict=True):
        verify_head(script.identity.public, room, head)


def collected_in(script: Script, sender: Client, room: bytes) -> Change:
    changes: list[Change] = []
    script.engine.listen(changes.extend)
    sender.append(room, 0, "text")
    return changes[-1]


def test_changes_of_one_room_told_together_stay_apart() -> None:
    """So it comes after a batch that failed and was run again one by one."""
    script = Script()
    (alice, bob), room = followers(script, 2)
    changes: list[Change] = []
    script.engine.listen(changes.extend)
    for text in ("one", "two", "three"):
        alice.append(room, 0, text)
    first, second, third = changes
    cut = replace(second, cuts=(Cut(bob.person.device, 2),))
    told = [
        (len(effect.sessions), [entry.place for entry in effect.frame.entries])
        if isinstance(effect, Broadcast)
        else (effect.session, [entry.place for entry in effect.frame.entries])
        for effect in script.relay.fan_out([first, cut, third])
        if isinstance(effect, Broadcast | Send)
        and isinstance(effect.frame, frames.Entries)
    ]
    assert told == [(2, [1]), (bob.session, [2]), (1, [2]), (1, [3])]
