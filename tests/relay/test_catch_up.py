"""Pages: what a device may read, and whether both sides have one past."""

from tertulia.wire import ErrorCode, first_hash, frames, limits, next_hash
from tests.relay.script import Client, Person, Script, refused, run


def page(client: Client, room: bytes, after: int, *terms: object) -> frames.Entries:
    (answer,) = client.ask(frames.FetchEntries, room, after, *terms)
    assert isinstance(answer, frames.Entries), answer
    return answer


def test_pages_lead_from_a_place_to_the_signed_head() -> None:
    script = Script()
    alice = script.enter("alice")
    room = script.room("room", alice)
    for number in range(5):
        alice.append(room, 0, f"{number}")
    running, place = first_hash(room), 0
    for more in (True, True, False):
        got = page(alice, room, place, running, 2)
        assert (got.previous, got.more) == (running, more)
        for entry in got.entries:
            running, place = next_hash(room, running, entry), entry.place
        assert got.head.place == 5
    assert (place, running) == (5, script.relay_head(room))


def test_a_stranger_reads_nothing() -> None:
    script = Script()
    alice, mallory = script.enter("alice"), script.enter("mallory")
    room = script.room("room", alice)
    for asked in (room, bytes(16)):
        code = mallory.refusal(frames.FetchEntries, asked, 0)
        assert code is ErrorCode.NOT_FOUND
        assert mallory.refusal(frames.FollowRoom, asked, 0) is ErrorCode.NOT_FOUND


def test_a_newcomer_reads_from_the_entry_that_routed_it() -> None:
    script = Script()
    alice, bob = script.enter("alice"), script.enter("bob")
    room = script.room("room", alice)
    alice.append(room, 0, "before")
    alice.commit(room, 0, "add", frames.Bundle(route=(bob.person.device,)))
    alice.append(room, 2, "after")
    got = page(bob, room, 0, bytes(32))
    assert [entry.blob for entry in got.entries] == [b"add", b"after"]


def test_another_past_is_forked() -> None:
    script = Script()
    alice = script.enter("alice")
    room = script.room("room", alice)
    alice.append(room, 0, "hello")
    for kind in (frames.FetchEntries, frames.FollowRoom):
        answer = alice.ask(kind, room, 1, bytes(32))
        assert refused(answer, ErrorCode.FORKED, place=1)


def test_a_client_that_knows_more_is_told_that_the_relay_is_behind() -> None:
    script = Script()
    alice = script.enter("alice")
    room = script.room("room", alice)
    alice.append(room, 0, "hello")
    for kind in (frames.FetchEntries, frames.FollowRoom):
        answer = alice.ask(kind, room, 9, bytes(32))
        assert refused(answer, ErrorCode.BEHIND, place=1)


def test_a_device_that_slept_too_long_must_rejoin() -> None:
    script = Script()
    sleeper = Person("sleeper")
    alice, client = script.enter("alice"), script.enter(sleeper)
    room = script.room("room", alice, client)
    for number in range(3):
        alice.commit(room, number, f"commit {number}")
    script.now += limits.HANDSHAKE_AGE + 1
    alice.append(room, 3, "still here")
    removed = run(script.relay.sweep(script.now))
    assert removed.entry_blobs == 2
    late = script.enter(sleeper)
    answer = late.ask(frames.FetchEntries, room, 0)
    assert refused(answer, ErrorCode.GONE, place=1)
    assert [entry.place for entry in page(late, room, 2).entries] == [3, 4]


def test_a_room_that_vanished_meanwhile_is_not_found() -> None:
    script = Script()
    alice = script.enter("alice")
    room = script.room("room", alice)
    assert run(script.relay.remove_room(room))
    assert not run(script.relay.remove_room(room))
    assert alice.refusal(frames.FetchEntries, room, 0) is ErrorCode.NOT_FOUND
