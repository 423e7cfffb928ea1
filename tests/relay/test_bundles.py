"""Bundles: atomic with their handshake, mended by any member."""

from tertulia.wire import ErrorCode, frames
from tests.relay.script import Script, key_of, refused


def test_a_commit_delivers_its_welcome_and_routes_the_new_device() -> None:
    script = Script()
    alice, bob = script.enter("alice"), script.enter("bob")
    room = script.room("room", alice)
    welcome = frames.Welcome((bob.person.device,), b"welcome")
    bundle = frames.Bundle(welcomes=(welcome,), route=(bob.person.device,))
    alice.commit(room, 0, "add bob", bundle)
    waiting = frames.WaitingWelcome(1, room, 1, b"welcome")
    assert bob.look() == [frames.Welcomes(0, (waiting,))]
    assert bob.ask(frames.ListRooms) == [frames.Rooms(1, (frames.RoomRoute(room, 1),))]


def test_a_stale_commit_leaves_nothing_of_its_bundle() -> None:
    script = Script()
    alice, bob = script.enter("alice"), script.enter("bob")
    room = script.room("room", alice)
    alice.commit(room, 0, "first")
    welcome = frames.Welcome((bob.person.device,), b"welcome")
    bundle = frames.Bundle(welcomes=(welcome,), route=(bob.person.device,))
    (answer,) = alice.commit(room, 0, "late", bundle)
    assert isinstance(answer, frames.Stale)
    assert bob.look() == []
    assert bob.ask(frames.ListRooms) == [frames.Rooms(1, ())]


def test_a_bundle_must_name_a_tree_that_is_there() -> None:
    script = Script()
    alice = script.enter("alice")
    room, elsewhere = script.room("room", alice), script.room("elsewhere", alice)
    foreign = frames.Bundle(group=alice.advice(elsewhere))
    answer = alice.commit(room, 0, "commit", foreign)
    assert refused(answer, ErrorCode.BLOB_INCOMPLETE)
    assert isinstance(alice.append(room, 0, "still epoch 0")[-1], frames.Accepted)


def test_any_member_repairs_what_a_bundle_said() -> None:
    script = Script()
    alice, bob, carol = (script.enter(each) for each in ("alice", "bob", "carol"))
    room = script.room("room", alice, bob)
    alice.commit(room, 0, "false", frames.Bundle(unroute=(bob.person.device,)))
    bob.look()
    assert refused(bob.append(room, 1, "cut"), ErrorCode.NOT_FOUND)
    mended = frames.Bundle(group=alice.advice(room), route=(bob.person.device,))
    answers = alice.ask(frames.Repair, room, 1, mended)
    assert [type(each) for each in answers] == [frames.Done]
    assert isinstance(bob.append(room, 1, "back")[-1], frames.Accepted)
    code = carol.refusal(frames.Repair, room, 1, mended)
    assert code is ErrorCode.NOT_FOUND


def test_a_late_repair_is_stale() -> None:
    script = Script()
    alice, bob = script.enter("alice"), script.enter("bob")
    room = script.room("room", alice, bob)
    alice.commit(room, 0, "commit")
    bob.look()
    (answer,) = bob.ask(frames.Repair, room, 0, frames.Bundle())
    assert isinstance(answer, frames.Stale)
    assert (answer.handshake, len(answer.entries)) == (1, 1)


def test_a_repair_cuts_at_once() -> None:
    script = Script()
    alice, bob = script.enter("alice"), script.enter("bob")
    room = script.room("room", alice, bob)
    out = frames.Bundle(unroute=(bob.person.device,))
    alice.ask(frames.Repair, room, 0, out)
    alice.append(room, 0, "alone")
    assert bob.look() == []


def test_a_group_is_told_to_members_once_there_is_one() -> None:
    script = Script()
    alice = script.enter("alice")
    room = script.room("room", alice)
    assert alice.refusal(frames.FetchGroup, room) is ErrorCode.NOT_FOUND
    advice = alice.advice(room)
    alice.ask(frames.Repair, room, 0, frames.Bundle(group=advice))
    (group,) = alice.ask(frames.FetchGroup, room)
    assert isinstance(group, frames.Group)
    assert (group.group_info, group.wrapped) == (
        advice.group_info,
        b"wrapped for members",
    )


def test_patches_are_told_in_order_beside_the_tree_they_follow() -> None:
    script = Script()
    alice = script.enter("alice")
    room = script.room("room", alice)
    whole = alice.advice(room, text="0")
    alice.commit(room, 0, "commit 0", frames.Bundle(group=whole))
    alice.commit(room, 1, "commit 1", frames.Bundle(group=patched("1", "0")))
    alice.commit(room, 2, "commit 2", frames.Bundle(group=patched("2", "1")))
    answer = alice.commit(room, 3, "astray", frames.Bundle(group=patched("3", "1")))
    assert refused(answer, ErrorCode.TREE_NEEDED)
    (group,) = alice.ask(frames.FetchGroup, room)
    assert isinstance(group, frames.Group)
    assert group.tree == whole.tree
    assert group.patches == (b"patch to 1", b"patch to 2")
    assert (group.group_info, group.handshake) == (b"info 2", 3)


def patched(text: str, after: str) -> frames.GroupAdvice:
    """Return advice that changes the tree of other advice."""
    patch = frames.TreePatch(key_of("tree " + after), f"patch to {text}".encode())
    name, info = key_of("tree " + text), f"info {text}".encode()
    return frames.GroupAdvice(name, info, b"wrapped for members", None, patch)


def test_who_was_cut_is_not_told_the_group() -> None:
    script = Script()
    alice, bob = script.enter("alice"), script.enter("bob")
    room = script.room("room", alice, bob)
    advice = alice.advice(room)
    out = frames.Bundle(group=advice, unroute=(bob.person.device,))
    alice.ask(frames.Repair, room, 0, out)
    assert bob.refusal(frames.FetchGroup, room) is ErrorCode.NOT_FOUND
