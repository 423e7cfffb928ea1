"""Who could not enter says so, and one member hears of it."""

from tertulia.wire import ErrorCode, frames, limits
from tests.relay.script import Client, Invitation, Script, refused

LINK = Invitation("link")


def invited(script: Script, *members: str) -> tuple[bytes, list[Client]]:
    """Return a room with a link, and its members who follow it."""
    people = [script.enter(name) for name in members]
    room = script.room("room", *people)
    advice = people[0].advice(room, LINK.terms())
    people[0].commit(room, 0, "commit", frames.Bundle(group=advice))
    for person in people:
        person.ask(frames.FollowRoom, room, 0, None, 0)
        person.look()
    return room, people


def admitted(script: Script, name: str, room: bytes) -> Client:
    client = script.enter(name)
    client.ask(frames.RequestAdmission, room, LINK.invite, client.claim(LINK, room))
    client.look()
    return client


def test_one_member_is_asked_each_time_another() -> None:
    script = Script()
    room, members = invited(script, "alice", "bob", "carol")
    eve = admitted(script, "eve", room)
    asked = set()
    for _ in range(20):
        (done,) = eve.ask(frames.ReportGroup, room)
        assert isinstance(done, frames.Done)
        heard = [member for member in members if member.look()]
        assert len(heard) == 1
        asked.add(heard[0].person.name)
        script.now += 60_000 // limits.REPORTS.per_minute
        eve.ask(frames.RequestAdmission, room, LINK.invite, eve.claim(LINK, room))
    assert asked == {"alice", "bob", "carol"}


def test_what_is_said_is_which_room() -> None:
    script = Script()
    room, (alice,) = invited(script, "alice")
    admitted(script, "eve", room).ask(frames.ReportGroup, room)
    assert alice.look() == [frames.GroupReported(room)]


def test_nobody_is_asked_where_nobody_is() -> None:
    script = Script()
    room, (alice,) = invited(script, "alice")
    alice.close()
    (done,) = admitted(script, "eve", room).ask(frames.ReportGroup, room)
    assert isinstance(done, frames.Done)


def test_a_member_s_report_goes_to_another_one() -> None:
    script = Script()
    room, (alice, bob) = invited(script, "alice", "bob")
    (done,) = alice.ask(frames.ReportGroup, room)
    assert isinstance(done, frames.Done)
    assert bob.look() == [frames.GroupReported(room)]


def test_strangers_and_who_is_out_are_not_heard() -> None:
    script = Script()
    room, (alice, bob) = invited(script, "alice", "bob")
    eve = script.enter("eve")
    assert eve.refusal(frames.ReportGroup, room) is ErrorCode.NOT_FOUND
    out = frames.Bundle(unroute=(bob.person.device,))
    alice.ask(frames.Repair, room, 1, out)
    bob.look()
    assert bob.refusal(frames.ReportGroup, room) is ErrorCode.NOT_FOUND


def test_reports_are_limited_per_room() -> None:
    script = Script()
    room, (alice,) = invited(script, "alice")
    eve = admitted(script, "eve", room)
    for _ in range(limits.REPORTS.burst):
        eve.ask(frames.ReportGroup, room)
    alice.look()
    answer = eve.ask(frames.ReportGroup, room)
    assert refused(answer, ErrorCode.RATE_LIMITED, retry_after=10_001)
    assert alice.look() == []
