"""Signals and markers: for who follows now, and not too often."""

from tertulia.wire import ErrorCode, encode, frames, limits
from tests.relay.script import Client, Script, run


def markers(client: Client) -> list[tuple[frames.Marker, ...]]:
    return [
        frame.markers for frame in client.look() if isinstance(frame, frames.Markers)
    ]


def test_a_signal_reaches_the_others_who_follow() -> None:
    script = Script()
    alice, bob = script.enter("alice"), script.enter("bob")
    room = script.room("room", alice, bob)
    assert alice.ask(frames.Signal, room, b"typing") == []
    signalled = frames.Signalled(room, alice.person.device, b"typing")
    assert bob.look() == [signalled]
    bob.ask(frames.UnfollowRoom, room)
    assert alice.ask(frames.Signal, room, b"typing") == []
    assert bob.look() == []


def test_only_a_follower_signals() -> None:
    script = Script()
    alice, mallory = script.enter("alice"), script.enter("mallory")
    room = script.room("room", alice)
    assert mallory.refusal(frames.Signal, room, b"x") is ErrorCode.NOT_FOUND
    assert mallory.refusal(frames.SetMarker, room, 0, b"x") is ErrorCode.NOT_FOUND


def test_signals_are_limited() -> None:
    script = Script()
    alice = script.enter("alice")
    room = script.room("room", alice)
    for _ in range(limits.SIGNALS.burst):
        assert alice.ask(frames.Signal, room, b"x") == []
    assert alice.refusal(frames.Signal, room, b"x") is ErrorCode.RATE_LIMITED


def test_markers_go_out_together_and_only_the_newest() -> None:
    script = Script()
    alice, bob = script.enter("alice"), script.enter("bob")
    room = script.room("room", alice, bob)
    for blob in (b"1", b"2", b"3"):
        alice.ask(frames.SetMarker, room, 0, blob)
    script.tick()
    newest = frames.Marker(alice.person.device, 0, b"3")
    assert markers(bob) == [(newest,)]
    bob.ask(frames.SetMarker, room, 1, b"4")
    script.tick(limits.MARKER_PAUSE - 1)
    assert markers(alice) == [(newest,)]
    script.tick(1)
    assert markers(alice) == [(frames.Marker(bob.person.device, 1, b"4"),)]


def test_who_comes_later_gets_all_markers() -> None:
    script = Script()
    alice, bob = script.enter("alice"), script.enter("bob")
    room = script.room("room", alice, bob)
    alice.ask(frames.SetMarker, room, 0, b"1")
    script.tick()
    again = script.enter(bob.person)
    answers = again.ask(frames.FollowRoom, room, 0)
    marker = frames.Marker(alice.person.device, 0, b"1")
    assert answers[1:] == [frames.Markers(room, (marker,))]


def test_markers_of_a_room_nobody_follows_are_kept_all_the_same() -> None:
    script = Script()
    alice = script.enter("alice")
    room = script.room("room", alice)
    alice.ask(frames.SetMarker, room, 0, b"1")
    alice.ask(frames.UnfollowRoom, room)
    script.tick()
    answers = alice.ask(frames.FollowRoom, room, 0)
    marker = frames.Marker(alice.person.device, 0, b"1")
    assert answers[1:] == [frames.Markers(room, (marker,))]


def test_markers_of_a_large_room_come_in_several_frames() -> None:
    script = Script()
    alice = script.enter("alice")
    others = [script.enter(f"{number}") for number in range(40)]
    room = script.room("room", alice, *others)
    for other in others:
        for slot in range(limits.MARKER_SLOTS):
            other.ask(frames.SetMarker, room, slot, bytes(limits.SIGNAL))
    script.tick()
    every = set(run(script.engine.markers(room)))
    assert len(every) == len(others) * limits.MARKER_SLOTS
    at_once = markers(alice)
    alice.ask(frames.UnfollowRoom, room)
    later = [
        frame.markers
        for frame in alice.ask(frames.FollowRoom, room, 0)
        if isinstance(frame, frames.Markers)
    ]
    for pages in (at_once, later):
        assert {marker for page in pages for marker in page} == every
        sizes = [len(encode(frames.Markers(room, page))) for page in pages]
        assert max(sizes) <= limits.PAGE
