"""Texts, commits, joins and leavings: their places, and whom they reach."""

from tertulia.crypto import ED25519
from tertulia.relay import Settings
from tertulia.wire import (
    AccountPolicy,
    ErrorCode,
    Kind,
    first_hash,
    frames,
    limits,
    next_hash,
    verify_head,
)
from tests.relay.script import (
    START,
    Client,
    Person,
    Script,
    key_of,
    refused,
)


def accepted(answers: list[frames.Frame | str]) -> frames.Accepted:
    (answer,) = [each for each in answers if isinstance(each, frames.Accepted)]
    return answer


def stale(answers: list[frames.Frame | str]) -> frames.Stale:
    (answer,) = answers
    assert isinstance(answer, frames.Stale)
    return answer


def texts(client: Client) -> list[bytes | None]:
    return [
        entry.blob
        for frame in client.look()
        if isinstance(frame, frames.Entries)
        for entry in frame.entries
    ]


def test_a_text_gets_a_place_a_time_and_a_signed_head() -> None:
    script = Script()
    alice, bob = script.enter("alice"), script.enter("bob")
    room = script.room("room", alice, bob)
    answer = accepted(alice.append(room, 0, "hello"))
    entry = frames.Entry(
        1,
        Kind.APPLICATION,
        alice.person.device,
        START,
        key_of("hello"),
        0,
        b"hello",
    )
    running = next_hash(room, first_hash(room), entry)
    assert (answer.place, answer.time) == (1, START)
    assert (answer.head.place, answer.head.hash) == (1, running)
    verify_head(script.identity.public, room, answer.head)
    assert bob.look() == [
        frames.Entries(0, room, first_hash(room), (entry,), answer.head)
    ]


def test_a_text_reaches_every_follower_and_nobody_else() -> None:
    script = Script()
    alice, bob, carol = (script.enter(each) for each in ("alice", "bob", "carol"))
    room = script.room("room", alice, bob)
    alice.look()
    alice.append(room, 0, "hello")
    assert texts(bob) == [b"hello"]
    assert carol.look() == []
    assert refused(carol.append(room, 0, "let me in"), ErrorCode.NOT_FOUND)
    assert refused(carol.append(bytes(16), 0, "nowhere"), ErrorCode.NOT_FOUND)
    assert refused(carol.commit(room, 0, "let me in"), ErrorCode.NOT_FOUND)


def test_a_late_text_is_stale_and_gets_the_newer_handshakes() -> None:
    script = Script()
    alice, bob = script.enter("alice"), script.enter("bob")
    room = script.room("room", alice, bob)
    alice.append(room, 0, "text")
    alice.commit(room, 0, "commit")
    bob.look()
    answer = stale(bob.append(room, 0, "late"))
    assert (answer.room, answer.handshake, answer.more) == (room, 2, False)
    assert [entry.blob for entry in answer.entries] == [b"commit"]
    assert accepted(bob.append(room, 2, "late")).place == 3


def test_many_missed_handshakes_are_left_to_pages() -> None:
    script = Script()
    alice, bob = script.enter("alice"), script.enter("bob")
    room = script.room("room", alice, bob)
    for number in range(limits.STALE_ENTRIES + 1):
        script.now += 60_000  # so that no bucket runs dry
        alice.commit(room, number, f"commit {number}")
    bob.look()
    answer = stale(bob.append(room, 0, "late"))
    assert (len(answer.entries), answer.more) == (limits.STALE_ENTRIES, True)


def test_large_missed_handshakes_are_left_to_pages() -> None:
    """Else many such answers at once would fill the memory for few bytes asked."""
    script = Script()
    alice, bob = script.enter("alice"), script.enter("bob")
    room = script.room("room", alice, bob)
    text = "x" * (limits.STALE // 2 - 1_000)
    for number in range(3):
        alice.commit(room, number, f"{number}{text}")
    bob.look()
    answer = stale(bob.append(room, 0, "late"))
    assert ([entry.place for entry in answer.entries], answer.more) == ([1, 2], True)
    alice.commit(room, 3, "x" * (limits.STALE + 1))
    bob.look()
    answer = stale(bob.append(room, 3, "late again"))
    assert (answer.entries, answer.more) == ((), True)


def test_naming_a_handshake_the_relay_does_not_have_says_it_is_behind() -> None:
    script = Script()
    alice = script.enter("alice")
    room = script.room("room", alice)
    answer = alice.append(room, 5, "from the future")
    assert refused(answer, ErrorCode.BEHIND, place=0)


def test_a_resend_is_told_its_old_place_and_reaches_nobody_again() -> None:
    script = Script()
    alice, bob = script.enter("alice"), script.enter("bob")
    room = script.room("room", alice, bob)
    first = accepted(alice.append(room, 0, "hello"))
    alice.commit(room, 0, "commit")
    bob.look()
    script.now += 3 * limits.DAY
    encrypted_anew = alice.append(room, 2, "HELLO", key="hello")
    assert (accepted(encrypted_anew).place, accepted(encrypted_anew).time) == (
        first.place,
        first.time,
    )
    assert accepted(encrypted_anew).head.place == 2
    assert bob.look() == []


def test_a_resend_after_a_restart_is_told_its_old_place_too() -> None:
    script = Script()
    alice = Person("alice")
    client = script.enter(alice)
    room = script.room("room", client)
    client.append(room, 0, "hello")
    script.restart()
    answer = accepted(script.enter(alice).append(room, 0, "hello"))
    assert (answer.place, answer.head.place) == (1, 1)


def test_who_leaves_gets_its_last_entry_and_no_more() -> None:
    script = Script()
    alice, bob = script.enter("alice"), script.enter("bob")
    room = script.room("room", alice, bob)
    alice.look()
    answers = bob.ask(frames.Leave, room, key_of("bye"), 0, b"bye")
    assert [type(each) for each in answers] == [frames.Entries, frames.Accepted]
    assert texts(alice) == [b"bye"]
    alice.append(room, 0, "alone")
    assert bob.look() == []
    assert refused(bob.append(room, 0, "hello?"), ErrorCode.NOT_FOUND)
    resent = bob.ask(frames.Leave, room, key_of("bye"), 0, b"bye")
    assert accepted(resent).place == 1


def test_who_is_removed_reads_up_to_the_entry_that_did_it() -> None:
    script = Script()
    alice, bob = script.enter("alice"), script.enter("bob")
    room = script.room("room", alice, bob)
    alice.append(room, 0, "before")
    alice.commit(room, 0, "out", frames.Bundle(unroute=(bob.person.device,)))
    alice.append(room, 2, "after")
    assert texts(bob) == [b"before", b"out"]
    (page,) = bob.ask(frames.FetchEntries, room, 0)
    assert isinstance(page, frames.Entries)
    assert [entry.blob for entry in page.entries] == [b"before", b"out"]


def test_three_times_stale_reserves_the_next_turn() -> None:
    script = Script()
    alice, bob, carol = (script.enter(each) for each in ("alice", "bob", "carol"))
    room = script.room("room", alice, bob, carol)
    for number in range(3):
        alice.commit(room, number, f"commit {number}")
        bob.look()
        assert stale(bob.commit(room, number, "mine")).handshake == number + 1
    carol.look()
    waiting = carol.commit(room, 3, "mine too")
    assert refused(waiting, ErrorCode.WAIT_TURN, retry_after=limits.TURN_TIME)
    alice.look()
    assert accepted(alice.append(room, 3, "texts never wait")).place == 4
    bob.look()
    assert accepted(bob.commit(room, 3, "mine")).place == 5
    carol.look()
    assert stale(carol.commit(room, 3, "mine too")).handshake == 5
    assert accepted(carol.commit(room, 5, "mine too")).place == 6


def test_a_turn_that_is_not_used_ends_by_itself() -> None:
    script = Script()
    alice, bob = script.enter("alice"), script.enter("bob")
    room = script.room("room", alice, bob)
    for number in range(3):
        alice.commit(room, number, f"commit {number}")
        bob.commit(room, number, "mine")
    script.now += limits.TURN_TIME
    alice.look()
    assert accepted(alice.commit(room, 3, "commit 3")).place == 4


def test_a_full_room_says_so() -> None:
    small = Settings(accounts=AccountPolicy.OPEN, room_storage=1_000)
    script = Script(small)
    alice = script.enter("alice")
    room = script.room("room", alice)
    answer = alice.append(room, 0, "x" * 1_000)
    assert refused(answer, ErrorCode.ROOM_FULL, limit=1_000, actual=0)


def test_handshakes_are_limited_per_device() -> None:
    script = Script()
    alice = script.enter("alice")
    room = script.room("room", alice)
    for number in range(limits.HANDSHAKES.burst - 1):  # the room's making took one
        alice.commit(room, number, f"commit {number}")
    alice.look()
    place = limits.HANDSHAKES.burst - 1
    answers = alice.commit(room, place, "one too many")
    if not isinstance(answers[-1], frames.Refused):
        answers = alice.commit(room, place + 1, "two too many")
    assert refused(answers, ErrorCode.RATE_LIMITED, retry_after=1001)
    script.now += 1001
    assert isinstance(alice.commit(room, place + 1, "later")[-1], frames.Accepted)


def test_a_large_handshake_counts_as_several() -> None:
    script = Script()
    alice = script.enter("alice")
    room = script.room("room", alice)
    units = 30
    large = "x" * (units - 1) * limits.HANDSHAKE_UNIT
    for number in range(limits.HANDSHAKES.burst // units):
        script.now += 1001  # so that what the room's making took is there again
        assert isinstance(alice.commit(room, number, large)[-1], frames.Accepted)
    place = limits.HANDSHAKES.burst // units
    (refusal,) = alice.commit(room, place, large)
    assert isinstance(refusal, frames.Refused)
    assert refusal.code is ErrorCode.RATE_LIMITED
    script.now += refusal.facts.retry_after or 0
    assert isinstance(alice.commit(room, place, large)[-1], frames.Accepted)


def test_every_key_signs_only_its_own_rooms() -> None:
    script = Script()
    alice = script.enter("alice")
    one, other = script.room("one", alice), script.room("other", alice)
    heads = {accepted(alice.append(room, 0, "x")).head for room in (one, other)}
    assert len(heads) == 2
    assert ED25519.public_key(script.identity.private) == script.identity.public
