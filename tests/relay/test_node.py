"""What a running relay holds, and that it lets go of it."""

from tertulia.relay import Ban
from tertulia.wire import frames
from tests.relay.script import Invitation, Script


def test_a_connection_leaves_everything_it_was_in() -> None:
    script = Script()
    alice, bob = script.enter("alice"), script.enter("bob")
    room = script.room("room", alice)
    link = Invitation("link")
    advice = alice.advice(room, link.terms())
    alice.commit(room, 0, "commit", frames.Bundle(group=advice))
    bob.ask(frames.RequestAdmission, room, link.invite, bob.claim(link, room))
    node = script.relay._node
    assert node.queues[room].holder is bob.session
    bob.close()
    assert node.queues[room].holder is None
    alice.close()
    assert (node.sessions, node.by_device, node.followers) == (set(), {}, {})


def test_an_older_connection_that_ends_does_not_take_the_newer_along() -> None:
    script = Script()
    older = script.enter("alice")
    newer = script.enter(older.person)
    older.close()
    assert script.relay._node.by_device == {newer.person.device: newer.session}


def test_an_expired_ban_is_none() -> None:
    script = Script()
    node = script.relay._node
    node.bans["x"] = Ban("x", 0, script.now)
    node.require_welcome("x", script.now)
