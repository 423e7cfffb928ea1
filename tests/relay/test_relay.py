"""The table of handlers, the phases, and every way to say no."""

from dataclasses import replace
from typing import get_args

import pytest

from tertulia.relay import HANDLERS, Ban, Phase, Relay, Settings
from tertulia.wire import AccountPolicy, ErrorCode, encode, frames, limits
from tests.relay.script import (
    HUNG_UP,
    OPEN,
    START,
    Person,
    Script,
    ended,
    refused,
    run,
)


def test_every_frame_of_a_client_has_its_row() -> None:
    assert set(HANDLERS) == set(get_args(frames.FromClient))
    opening = {kind for kind, row in HANDLERS.items() if row.phase is not Phase.OPEN}
    assert opening == {frames.Hello, frames.Authenticate}


@pytest.mark.parametrize("kind", HANDLERS, ids=lambda kind: kind.__name__)
def test_nothing_is_answered_before_authentication(kind: type[frames.Frame]) -> None:
    if not issubclass(kind, frames.Request):
        return
    client = Script().connect(Person("alice")).hello()
    (frame,) = [each for each in one_of_each() if type(each) is kind]
    assert ended(client.send(frame), ErrorCode.UNEXPECTED)


def one_of_each() -> list[frames.FromClient]:
    reference = frames.BlobReference(bytes(16), 1, bytes(32))
    advice = frames.GroupAdvice(bytes(16), b"", b"", reference)
    head = frames.SignedHead(bytes(16), 0, bytes(32), bytes(64))
    room, key = bytes(16), bytes(16)
    return [
        frames.PublishDeviceList(1, b""),
        frames.FetchDeviceList(1, bytes(32)),
        frames.CreateServerInvite(1, bytes(16), bytes(32)),
        frames.PublishKeyPackages(1, ()),
        frames.ClaimKeyPackages(1, bytes(32)),
        frames.CreateRoom(1, room),
        frames.ListRooms(1),
        frames.FollowRoom(1, room, 0),
        frames.UnfollowRoom(1, room),
        frames.FetchEntries(1, room, 0),
        frames.Append(1, room, key, 0, b""),
        frames.Commit(1, room, key, 0, b"", frames.Bundle()),
        frames.Join(1, room, key, 0, b"", advice),
        frames.Leave(1, room, key, 0, b""),
        frames.Repair(1, room, 0, frames.Bundle()),
        frames.FetchGroup(1, room),
        frames.ReportGroup(1, room),
        frames.Refeed(1, room, (), head),
        frames.RequestAdmission(1, room, bytes(16), bytes(64)),
        frames.FetchWelcomes(1),
        frames.DiscardWelcomes(1, 0),
        frames.Signal(1, room, b""),
        frames.SetMarker(1, room, 0, b""),
        frames.BeginUpload(1, room, 1, bytes(32)),
        frames.ResumeUpload(1, room, bytes(16)),
        frames.FetchTicket(1, room),
    ]


@pytest.mark.parametrize("frame", one_of_each(), ids=lambda each: type(each).__name__)
def test_what_names_a_room_is_not_found_by_who_does_not_belong(
    frame: frames.FromClient,
) -> None:
    """Deny by default: an existing room looks to strangers like none at all."""
    if not hasattr(frame, "room") or isinstance(frame, frames.CreateRoom):
        return
    script = Script()
    script.enter("alice").ask(frames.CreateRoom, bytes(16))
    stranger, elsewhere = script.enter("bob"), Script().enter("bob")
    answer = stranger.send(frame)
    assert answer == elsewhere.send(frame)
    harmless = [frames.Done(1)]
    assert answer == harmless or isinstance(answer[0], frames.Refused)


def test_bytes_that_are_no_frame_end_the_connection() -> None:
    for data in (b"", b"\xc1", b"hello", bytes(limits.FRAME + 1)):
        client = Script().enter("alice")
        assert ended(client.receive(data), ErrorCode.MALFORMED)


def test_an_unknown_kind_of_frame_is_refused_and_no_more() -> None:
    script = Script()
    alice = script.enter("alice")
    unknown = b"\x92\xa5dance\x07"
    assert alice.receive(unknown) == [frames.Refused(7, ErrorCode.UNKNOWN_FRAME)]
    assert alice.receive(encode(frames.ListRooms(8))) == [frames.Rooms(8, ())]
    early = script.connect(Person("bob"))
    assert ended(early.receive(unknown), ErrorCode.UNEXPECTED)


def test_unknown_frames_cost_as_much_as_others() -> None:
    script = Script()
    alice = script.enter("alice")
    for _ in range(limits.FRAMES.burst):
        alice.receive(b"\x92\xa5dance\x07")
    answer = alice.receive(b"\x92\xa5dance\x07")
    assert refused(answer, ErrorCode.RATE_LIMITED, retry_after=3)


def test_large_frames_count_as_many() -> None:
    script = Script()
    alice = script.enter("alice")
    room = script.room("room", alice)
    data = encode(frames.Append(9, room, bytes(16), 7, bytes(900_000)))
    answers = [alice.receive(data) for _ in range(60)]
    codes = [each[0].code for each in answers if isinstance(each[0], frames.Refused)]
    assert codes[0] is ErrorCode.BEHIND
    assert codes[-1] is ErrorCode.RATE_LIMITED


def test_a_second_hello_is_unexpected() -> None:
    client = Script().connect(Person("alice")).hello()
    answer = client.send(frames.Hello((1,), bytes(32)))
    assert ended(answer, ErrorCode.UNEXPECTED)
    assert client.send(frames.Hello((1,), bytes(32))) == []


def test_who_does_not_authenticate_in_time_is_sent_away() -> None:
    script = Script()
    silent, alice = script.connect(Person("bob")), script.enter("alice")
    script.tick(limits.HANDSHAKE_TIME)
    assert silent.look() == []
    script.tick(1)
    assert ended(silent.look(), ErrorCode.HANDSHAKE_TIMEOUT)
    assert alice.look() == []


def test_connections_are_limited_per_address() -> None:
    script = Script()
    for _ in range(limits.CONNECTIONS.burst):
        script.connect(Person("alice"))
    refused_one = script.connect(Person("alice"))
    script.carry_out([])
    assert refused_one.session.phase is Phase.CLOSED
    assert script.connect(Person("alice"), "192.0.2.2").session.phase is Phase.GREETING


def test_who_was_told_too_much_rests() -> None:
    few = replace(limits.FRAMES, burst=2, per_minute=60)
    script = Script(replace(OPEN, rates={**OPEN.rates, few.name: few}))
    alice = script.enter("alice")
    for _ in range(2):
        alice.send(frames.ListRooms(1))
        assert alice.session.rests_until == 0
    late = alice.send(frames.ListRooms(1))
    assert refused(late, ErrorCode.RATE_LIMITED, retry_after=1_001)
    assert alice.session.rests_until == script.now + limits.REST
    script.now += 5 * limits.REST
    for _ in range(2):
        alice.receive(b"\x92\xa5dance\x07")
    assert alice.session.rests_until == script.now + limits.REST


def test_arrivals_are_limited_with_the_sessions_an_address_may_open() -> None:
    relay = Script().relay
    most = limits.ARRIVALS_PER_CONNECTION * limits.CONNECTIONS.burst
    assert all(relay.may_arrive(f"2001:db8::{n:x}", START) for n in range(most))
    assert not relay.may_arrive("2001:db8::ffff", START)
    assert relay.may_arrive("192.0.2.1", START)
    assert relay.may_arrive("2001:db8::ffff", START + 1_000)


def test_other_addresses_of_the_same_ipv6_network_get_round_no_rate() -> None:
    script = Script()
    for number in range(limits.CONNECTIONS.burst):
        assert script.connect(Person("alice"), f"2001:db8::{number:x}").look() == []
    late = script.connect(Person("alice"), "2001:db8::ffff")
    assert ended(late.look(), ErrorCode.RATE_LIMITED, retry_after=1_001)
    assert script.connect(Person("alice"), "2001:db8:0:1::1").look() == []


def test_a_ban_ends_connections_and_keeps_out() -> None:
    script = Script()
    alice, bob = Person("alice"), Person("bob")
    client = script.enter(alice)
    ban = Ban(alice.account_id.hex(), START, START + 1_000)
    script.carry_out(run(script.relay.ban(ban)))
    assert ended(client.look(), ErrorCode.BANNED)
    assert ended(script.connect(alice).hello().authenticate(), ErrorCode.BANNED)
    script.restart()
    assert ended(script.connect(alice).hello().authenticate(), ErrorCode.BANNED)
    script.now += 1_000
    script.enter(alice)
    _, effects = script.relay.connect("192.0.2.66", script.now)
    assert effects == []
    script.carry_out(run(script.relay.ban(Ban("192.0.2.66", START))))
    _, effects = script.relay.connect("192.0.2.66", script.now)
    assert len(effects) == 2
    assert run(script.relay.lift_ban("192.0.2.66"))
    assert not run(script.relay.lift_ban("192.0.2.66"))
    script.enter(bob)


def test_a_slow_reader_is_told_to_catch_up() -> None:
    script = Script()
    alice = script.enter("alice")
    script.carry_out(script.relay.overflow(alice.session))
    assert ended(alice.look(), ErrorCode.CATCH_UP)


def test_a_shutdown_tells_everybody_when_to_come_back() -> None:
    script = Script()
    clients = [script.enter("alice"), script.connect(Person("bob"))]
    script.carry_out(script.relay.shut_down(5_000))
    for client in clients:
        assert ended(client.look(), ErrorCode.GOING_AWAY, retry_after=5_000)
    assert script.relay.counts().connections == 0


def test_nothing_is_left_of_a_connection_that_is_gone() -> None:
    script = Script()
    alice = script.enter("alice")
    script.room("room", alice)
    alice.close()
    counts = script.relay.counts()
    assert (counts.connections, counts.devices, counts.rooms_followed) == (0, 0, 0)


def test_a_store_that_fails_is_told_and_nothing_is_acknowledged() -> None:
    script = Script()
    alice = script.enter("alice")
    room = script.room("room", alice)
    alice.ask(frames.SetMarker, room, 0, b"1")
    script.engine.fail("input/output error")
    answer = alice.append(room, 0, "hello")
    assert refused(answer, ErrorCode.UNAVAILABLE, retry_after=2_000)
    script.tick()
    script.engine.fail("no space left", is_full=True)
    assert refused(alice.append(room, 0, "hello"), ErrorCode.RELAY_FULL)
    early = script.connect(Person("bob")).hello()
    assert ended(early.authenticate(), ErrorCode.RELAY_FULL)
    script.engine.mend()
    assert isinstance(alice.append(room, 0, "hello")[-1], frames.Accepted)


def test_a_sweep_forgets_what_makes_nobody_wait() -> None:
    script = Script(Settings(accounts=AccountPolicy.OPEN, entry_age=limits.DAY))
    alice = script.enter("alice")
    room = script.room("room", alice)
    alice.append(room, 0, "hello")
    assert script.relay.counts().buckets > 0
    removed = run(script.relay.sweep(script.now + limits.DAY + 1))
    assert removed.entry_blobs == 1
    assert script.relay.counts().buckets == 0
    assert isinstance(script.relay, Relay)
    assert alice.look() != [HUNG_UP]


def test_texts_that_come_together_are_answered_together_and_others_in_turn() -> None:
    script = Script()
    alice = script.enter("alice")
    room = script.room("room", alice)
    texts = [
        encode(frames.Append(number, room, bytes([number]) * 16, 0, b"text"))
        for number in (11, 12, 13)
    ]
    unknown = b"\x92\xa5dance\x0e"
    answers = alice.receive(
        *texts[:2], encode(frames.ListRooms(15)), unknown, texts[2], texts[0]
    )
    requests = [
        (type(each), each.request)
        for each in answers
        if isinstance(each, frames.Accepted | frames.Rooms | frames.Refused)
    ]
    assert requests == [
        (frames.Accepted, 11),
        (frames.Accepted, 12),
        (frames.Rooms, 15),
        (frames.Refused, 14),
        (frames.Accepted, 13),
        (frames.Accepted, 11),
    ]
    places = [each.place for each in answers if isinstance(each, frames.Accepted)]
    assert places == [1, 2, 3, 1], "a resend has the place it had"


def test_what_is_no_frame_ends_what_came_before_it_and_hides_what_follows() -> None:
    script = Script()
    alice = script.enter("alice")
    room = script.room("room", alice)
    text = encode(frames.Append(7, room, bytes(16), 0, b"text"))
    answers = alice.receive(text, b"\xc1", text)
    assert isinstance(answers[-3], frames.Accepted)
    assert ended(answers[-2:], ErrorCode.MALFORMED)


def test_texts_that_come_together_are_refused_together() -> None:
    script = Script()
    alice = script.enter("alice")
    room = script.room("room", alice)
    texts = [
        encode(frames.Append(number, room, bytes([number % 256]) * 16, 0, b"text"))
        for number in range(1, limits.FRAMES.burst + 100)
    ]
    answers = alice.receive(*texts[: limits.FRAMES.burst // 2])
    assert len([each for each in answers if isinstance(each, frames.Accepted)]) == 1_000
    answers = alice.receive(*texts[limits.FRAMES.burst // 2 :])
    assert codes(answers) == [ErrorCode.RATE_LIMITED] * len(answers)
    script.engine.fail("no disk")
    script.now += 60_000
    answers = alice.receive(*texts[:2])
    assert codes(answers) == [ErrorCode.UNAVAILABLE] * 2


def codes(answers: list[frames.Frame | str]) -> list[ErrorCode]:
    refusals = [each for each in answers if isinstance(each, frames.Refused)]
    assert len(refusals) == len(answers) > 0
    return [each.code for each in refusals]
