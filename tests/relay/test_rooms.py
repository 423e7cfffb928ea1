"""Rooms: made, listed, followed."""

from msgspec.structs import replace

from tertulia.wire import ErrorCode, frames, limits
from tests.relay.script import Script, refused


def test_a_room_id_is_taken_once() -> None:
    script = Script()
    alice, bob = script.enter("alice"), script.enter("bob")
    room = script.room("room", alice)
    assert bob.refusal(frames.CreateRoom, room) is ErrorCode.EXISTS
    assert alice.ask(frames.ListRooms) == [
        frames.Rooms(3, (frames.RoomRoute(room, 0),))
    ]
    assert bob.ask(frames.ListRooms) == [frames.Rooms(2, ())]


def test_new_rooms_are_limited_per_account() -> None:
    script = Script()
    alice = script.enter("alice")
    for number in range(limits.NEW_ROOMS.burst):
        alice.ask(frames.CreateRoom, bytes(15) + bytes([number]))
    answer = alice.ask(frames.CreateRoom, bytes(16))
    assert refused(answer, ErrorCode.RATE_LIMITED, retry_after=6001)


def test_following_tells_where_the_room_stands() -> None:
    script = Script()
    alice = script.enter("alice")
    room = script.room("room", alice)
    alice.append(room, 0, "one")
    alice.commit(room, 0, "two")
    (followed,) = alice.ask(frames.FollowRoom, room, 0)
    assert isinstance(followed, frames.Followed)
    assert (followed.head.place, followed.handshake, followed.first) == (2, 2, 0)
    assert followed.followers == 1


def test_a_connection_follows_a_limited_number_of_rooms() -> None:
    script = Script()
    alice = script.enter("alice")
    room = script.room("room", alice)
    alice.session.followed |= {bytes([1]) * n for n in range(limits.ROOMS_FOLLOWED)}
    answer = alice.ask(frames.FollowRoom, room, 0)
    assert refused(answer, ErrorCode.TOO_MANY, limit=limits.ROOMS_FOLLOWED)


def test_who_was_cut_cannot_follow_any_more() -> None:
    script = Script()
    alice, bob = script.enter("alice"), script.enter("bob")
    room = script.room("room", alice, bob)
    out = frames.Bundle(unroute=(bob.person.device,))
    alice.ask(frames.Repair, room, 0, out)
    assert bob.refusal(frames.FollowRoom, room, 0) is ErrorCode.NOT_FOUND


def test_a_cut_that_comes_while_following_wins() -> None:
    script = Script()
    alice = script.enter("alice")
    room = script.room("room", alice)
    alice.ask(frames.UnfollowRoom, room)
    engine, looks = script.engine, []
    route = engine.route

    async def cut_at_the_second_look(room: bytes, device: bytes) -> object:
        looks.append(device)
        known = await route(room, device)
        return replace(known, last=0) if known and len(looks) > 1 else known

    engine.route = cut_at_the_second_look  # type: ignore[method-assign,assignment]
    assert alice.refusal(frames.FollowRoom, room, 0) is ErrorCode.NOT_FOUND
    assert script.relay.counts().rooms_followed == 0


def test_who_hangs_up_while_following_follows_nothing() -> None:
    script = Script()
    alice = script.enter("alice")
    room = script.room("room", alice)
    again = script.enter(alice.person)
    route = script.engine.route

    async def hang_up(room: bytes, device: bytes) -> object:
        again.close()
        return await route(room, device)

    script.engine.route = hang_up  # type: ignore[method-assign,assignment]
    assert again.ask(frames.FollowRoom, room, 0) == []
    assert script.relay.counts().rooms_followed == 0
