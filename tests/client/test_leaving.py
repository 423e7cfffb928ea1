"""Leaving: a statement that only its device can make, and then somebody's commit."""

from dataclasses import replace

import pytest
from msgspec.structs import replace as changed

from tertulia.client import leaving
from tertulia.client.annotation import leaving_statement
from tertulia.client.commands import CreateInvite, JoinRoom, LeaveRoom
from tertulia.client.content import Leaving
from tertulia.client.events import RoomChanged
from tertulia.client.identity import member_of
from tertulia.client.queries import room_views
from tertulia.client.room import Leaver, Room, RoomState
from tertulia.client.rows import PutEvidence, PutMessage
from tertulia.client.turn import Turn
from tertulia.client.views import MessageKind, RoomStatus
from tertulia.wire import Kind, frames
from tests.client.script import (
    Log,
    Rogue,
    answer,
    emitted,
    group_of,
    room_of,
    saved,
    status,
)
from tests.client.society import ROOM, further_device, person
from tests.client.society import room_of as group_room
from tests.client.world import Device, World


def circle(*names: str) -> tuple[bytes, list[Device]]:
    return World().circle(*names)


def leaver_of(device: Device, room: bytes) -> Leaver:
    group = group_of(device, room)
    said = leaving.statement(Turn(device.session, 0), group)
    return Leaver(group.leaf_index, device.device, said.signature)


def kinds(device: Device, room: bytes) -> list[MessageKind]:
    return [line.kind for line in device.lines(room)]


def test_a_statement_is_signed_by_the_device_for_its_leaf() -> None:
    room, (_, luis) = circle("Ana", "Luis")
    group = group_of(luis, room)
    said = leaving.statement(Turn(luis.session, 0), group)
    leaving_statement(room, group.leaf_index, group.leaf).verify(
        group.leaf.signature_key, said.signature
    )


def test_who_hears_it_notes_it_tells_it_and_plans_to_clean_up() -> None:
    room, (ana, luis) = circle("Ana", "Luis")
    rogue, log = Rogue(luis, room), Log.after(ana, room)
    said = leaving.statement(Turn(luis.session, 0), group_of(luis, room))
    blob = rogue.text(said)
    effects = answer(ana, log.page(log.entry(blob, luis.device, rogue.key)))
    assert room_of(ana, room).state.leavers == (leaver_of(luis, room),)
    assert room_of(ana, room).live.clean_at is not None
    assert kinds(ana, room)[-1] is MessageKind.LEFT
    assert emitted(effects, RoomChanged) == [RoomChanged(room)]
    (view,) = room_views(ana.session)
    assert view.members == 1


def test_a_statement_that_somebody_else_signed_is_void() -> None:
    room, (ana, luis, eva) = circle("Ana", "Luis", "Eva")
    rogue, log = Rogue(luis, room), Log.after(ana, room)
    theirs = leaving.statement(Turn(eva.session, 0), group_of(eva, room))
    for signature in (theirs.signature, bytes(64)):
        blob = rogue.text(Leaving(signature))
        effects = answer(ana, log.page(log.entry(blob, luis.device, rogue.key)))
        assert [each.row.code for each in saved(effects, PutEvidence)] == ["entry_void"]
        assert room_of(ana, room).state.leavers == ()
        assert room_of(ana, room).live.clean_at is None
        assert kinds(ana, room)[-1] is MessageKind.VOID


def test_without_keys_nothing_is_heard() -> None:
    room, (ana, luis) = circle("Ana", "Luis")
    turn = Turn(ana.session, 0)
    kept = room_of(ana, room)
    empty = type(kept)(kept.id, kept.state)
    log = Log.after(ana, room)
    entry = log.entry(b"", luis.device, bytes(16))
    assert leaving.heard(turn, empty, entry, leaver_of(luis, room)) == empty
    assert leaving.staying(empty) == {}


def test_an_account_is_gone_when_its_last_device_is() -> None:
    room, (ana, luis) = circle("Ana", "Luis")
    group = group_of(ana, room)
    both = (leaver_of(ana, room), leaver_of(luis, room))
    assert leaving.accounts_leaving((), group) == set()
    assert leaving.accounts_leaving(both[:1], group) == {ana.account}
    assert leaving.accounts_leaving(both, group) == {ana.account, luis.account}
    kept = room_of(ana, room).with_state(leavers=both[:1])
    assert [each.name for each in leaving.staying(kept).values()] == ["Luis"]


def test_of_a_person_with_two_devices_one_may_leave() -> None:
    groups = group_room("Ana", "Luis", further_device("Luis"))
    session = World().person("Ana").session
    turn = Turn(replace(session, profile=person("Ana")), 0)
    kept = Room(ROOM, RoomState(RoomStatus.MEMBER), groups["Ana"])
    for name, lines in (("Luis 2", 0), ("Luis", 1)):
        group = groups[name]
        device = member_of(group.leaf).device
        key = {"Luis": person("Luis"), "Luis 2": further_device("Luis")}[name]
        said = leaving_statement(ROOM, group.leaf_index, group.leaf)
        leaver = Leaver(group.leaf_index, device, said.sign(key.device_key))
        entry = frames.Entry(9, Kind.APPLICATION, device, 0, bytes(16), 0, b"")
        kept = leaving.heard(turn, kept, entry, leaver)
        assert len(saved(turn.effects(), PutMessage)) == lines


def test_whose_leaf_is_gone_is_no_longer_noted() -> None:
    room, (ana, luis) = circle("Ana", "Luis")
    group = group_of(ana, room)
    here = leaver_of(luis, room)
    gone = changed(here, leaf=7)
    other = changed(here, signature=bytes(64))
    assert leaving.still_there((here, gone, other), group) == (here,)


def test_the_statement_is_signed_when_it_goes_for_the_leaf_of_that_time() -> None:
    world = World()
    room, (ana, luis, eva) = world.circle("Ana", "Luis", "Eva")
    world.cut(luis)
    world.settle()
    luis.ask(LeaveRoom(room))
    ana.get(CreateInvite(room))
    world.wait(10_000)
    assert status(luis, room) is RoomStatus.LEFT
    assert len(list(group_of(eva, room).tree.members())) == 2
    assert ana.codes() == eva.codes() == []


def test_a_statement_whose_leaf_changed_since_stops_nobody() -> None:
    world = World()
    room, (ana, luis, eva) = world.circle("Ana", "Luis", "Eva")
    rogue = Rogue(luis, room)
    rogue.say(leaving.statement(Turn(luis.session, 0), rogue.group))
    rogue.publish_commit()
    ana.get(CreateInvite(room))
    world.wait(30_000)
    ana.say(room, "still here")
    assert eva.texts(room) == ["still here"]


def test_a_statement_that_is_said_twice_stops_nobody() -> None:
    world = World()
    room, (ana, luis, eva) = world.circle("Ana", "Luis", "Eva")
    rogue = Rogue(luis, room)
    for _ in range(2):
        rogue.say(leaving.statement(Turn(luis.session, 0), rogue.group))
    assert len(room_of(ana, room).state.leavers) == 1
    ana.get(CreateInvite(room))
    assert len(list(group_of(eva, room).tree.members())) == 2


@pytest.mark.parametrize("online", [True, False])
def test_who_left_may_come_back_by_a_link(online: bool) -> None:  # noqa: FBT001
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    luis.get(LeaveRoom(room))
    if not online:
        ana.crash()
    made = room_of(ana, room).links
    (link,) = made.values()
    luis.get(JoinRoom(link))
    if not online:
        ana.start()
    world.wait(10_000)
    assert status(luis, room) is RoomStatus.MEMBER
    assert len(list(group_of(ana, room).tree.members())) == 2
    luis.say(room, "back")
    assert ana.texts(room) == ["back"]
    assert room_of(ana, room).state.leavers == ()
    ana.get(CreateInvite(room))
    assert luis.codes() == ana.codes() == []
