"""Commands that wait for a room are answered once, whatever becomes of it."""

from dataclasses import replace

from tertulia.client import entering
from tertulia.client.commands import RoomJoined, RoomMade
from tertulia.client.effects import Emit, Reply
from tertulia.client.errors import AskedAgainError
from tertulia.client.events import RoomChanged
from tertulia.client.room import Room, RoomState, Route
from tertulia.client.rows import DropRoom, RelayRow
from tertulia.client.state import Session
from tertulia.client.turn import Turn
from tertulia.client.value_errors import UpdateNeededError
from tertulia.client.views import RoomStatus
from tertulia.client.wishes import wish
from tertulia.client.work import Refresh, Sent
from tests.client import society
from tests.client.script import outline, saved
from tests.client.society import NOW, person, seeded

ROOM = b"r" * 16
WAITING = Room(ROOM, RoomState(RoomStatus.JOINING, founded=False))


def turn() -> Turn:
    """Return a turn in which command 7 waits for the room."""
    relay = RelayRow(b"f" * 32, (), 0)
    session = Session(person("Ana"), relay, seeded("entering"), {ROOM: WAITING})
    now = Turn(session, NOW)
    entering.await_room(now, ROOM, 7)
    return now


def test_a_command_that_waits_is_answered_once() -> None:
    now = turn()
    entering.answer(now, b"other", RoomJoined(ROOM))
    assert now.effects() == []
    entering.answer(now, ROOM, RoomJoined(ROOM))
    entering.answer(now, ROOM, RoomJoined(ROOM))
    assert now.effects() == [Reply(7, RoomJoined(ROOM))]
    assert now.session.entering == {}


def test_who_founded_a_room_gets_its_link() -> None:
    now = turn()
    room = entering.founded(now, replace(WAITING, links={b"i": "the link"}))
    assert now.effects() == [
        Emit(RoomChanged(ROOM)),
        Reply(7, RoomMade(ROOM, "the link")),
    ]
    assert room.state.founded
    assert room.live.route is Route.OPEN


def test_a_room_may_be_founded_without_a_link() -> None:
    now = turn()
    entering.founded(now, WAITING)
    assert Reply(7, RoomMade(ROOM, "")) in now.effects()


def test_who_entered_is_told_so() -> None:
    now = turn()
    busy = WAITING.with_live(entered=True, work=Sent(None))
    room = entering.entered(now, busy)
    assert now.effects() == [Reply(7, RoomJoined(ROOM))]
    assert (room.live.entered, room.live.work) == (False, None)


def test_a_room_that_was_not_entered_is_forgotten() -> None:
    now = turn()
    entering.fail(now, WAITING, AskedAgainError())
    effects = now.effects()
    assert outline(effects) == ["Save", "Reply AskedAgainError", "Emit RoomChanged"]
    assert saved(effects, DropRoom) == [DropRoom(ROOM)]


def test_a_room_that_was_there_before_is_what_it_was() -> None:
    now = turn()
    again = WAITING.with_state(former=RoomStatus.LEFT, link="link")
    again = again.with_live(followed=True, current=True)
    entering.fail(now, now.put(again), AskedAgainError())
    effects = now.effects()
    assert saved(effects, DropRoom) == []
    kept = now.session.rooms[ROOM]
    state, live = kept.state, kept.live
    assert (state.status, state.former, state.link) == (RoomStatus.LEFT, None, "")
    assert (live.followed, live.current) == (False, False)


def test_who_was_never_out_is_told_so() -> None:
    now = turn()
    again = WAITING.with_state(former=RoomStatus.REMOVED, link="link")
    room = entering.never_out(now, again.with_live(entered=True, work=Sent(None)))
    assert now.effects() == [Reply(7, RoomJoined(ROOM, already=True))]
    state, live = room.state, room.live
    assert (state.status, state.former, state.link) == (RoomStatus.MEMBER, None, "")
    assert (live.entered, live.work) == (False, None)


def test_rules_of_a_newer_program_let_nobody_in() -> None:
    now = turn()
    room = entering.outdated(now, WAITING, UpdateNeededError(9))
    assert outline(now.effects()) == ["Reply UpdateNeededError"]
    assert room.state.status is RoomStatus.OUTDATED


def test_who_does_not_look_loses_what_it_had() -> None:
    group = society.room_of("Ana")["Ana"]
    told_out = WAITING.with_state(former=RoomStatus.REMOVED, doubt=3)
    assert entering.pass_over(told_out) is told_out
    state = entering.pass_over(replace(told_out, group=group)).state
    assert (state.former, state.doubt) == (RoomStatus.LOST, None)
    member = replace(told_out.with_state(status=RoomStatus.MEMBER), group=group)
    assert entering.pass_over(member) is member


def test_who_cannot_follow_comes_back_or_enters_anew() -> None:
    busy = WAITING.with_live(entered=True, work=Sent(None))
    room = entering.lose(busy)
    assert room.state.status is RoomStatus.JOINING
    assert (room.live.entered, room.live.work) == (False, None)
    room = entering.lose(busy.with_state(status=RoomStatus.MEMBER))
    assert (room.state.status, room.live.work) == (RoomStatus.LOST, None)


def test_with_a_room_that_was_not_entered_go_wishes_for_it() -> None:
    now = turn()
    room = wish(now, now.put(WAITING), Refresh(), 8)
    entering.fail(now, room, AskedAgainError())
    replies = [each for each in now.effects() if isinstance(each, Reply)]
    assert sorted(each.number for each in replies) == [7, 8]
