"""Whole conversations between sessions, and single steps of one of them."""

from dataclasses import replace
from typing import Any, get_args

import pytest

from tertulia.client import (
    ChangeName,
    ChangeRoom,
    CreateInvite,
    JoinRoom,
    LeaveRoom,
    MessageKind,
    NotMemberError,
    NotPermittedError,
    RelayRefusedError,
    RemoveMember,
    RevokeInvite,
    RoomStatus,
    SendText,
    SignSeen,
    invite_views,
    member_views,
    room_views,
)
from tertulia.client.effects import (
    Downloaded,
    EntriesLoaded,
    LinkClosed,
    NetworkChanged,
    ProfileChanged,
    RelayMoved,
    Ticked,
    TransferFailed,
    Uploaded,
)
from tertulia.client.requests import Purpose, ToAppend, ToEnter, Transfer
from tertulia.client.session import ANSWERERS, load_session
from tertulia.client.state import Phase
from tertulia.mls import StateError
from tertulia.wire import ErrorCode, SignedDeviceList, frames
from tests.client.script import Log, Rogue, answer, outline, room_of, run_until
from tests.client.world import ADDRESS, Device, Disk, World
from tests.relay.script import run


def deepcopy_of(disk: Disk) -> Disk:
    """What a backup of the disk would have."""
    copied = Disk()
    for name, value in vars(disk).items():
        kept = value.copy() if isinstance(value, dict | list) else value
        setattr(copied, name, kept)
    copied.keys = {room: dict(rows) for room, rows in disk.keys.items()}
    return copied


def status(device: Device, room: bytes) -> RoomStatus:
    (view,) = (each for each in room_views(device.session) if each.room == room)
    return view.status


def test_people_talk_in_a_room_that_one_made_and_others_joined() -> None:
    world = World()
    room, (ana, luis, eva) = world.circle("Ana", "Luis", "Eva")
    ana.say(room, "hola")
    luis.say(room, "¿qué tal?")
    eva.say(room, "bien")
    for person in (ana, luis, eva):
        assert person.texts(room) == ["hola", "¿qué tal?", "bien"]
        assert person.codes() == []


def test_a_removed_member_reads_nothing_more() -> None:
    world = World()
    room, (ana, luis, eva) = world.circle("Ana", "Luis", "Eva")
    ana.say(room, "before")
    ana.get(RemoveMember(room, luis.account))
    ana.say(room, "after")
    eva.say(room, "right")
    assert luis.texts(room) == ["before"]
    assert eva.texts(room) == ["before", "after", "right"]
    assert status(luis, room) is RoomStatus.REMOVED
    assert [view.person.name for view in member_views(eva.session, room)] == [
        "Ana",
        "Eva",
    ]
    with pytest.raises(NotMemberError):
        luis.say(room, "still here?")
    assert luis.codes() == []


def test_who_leaves_is_gone_at_once_and_its_leaf_soon() -> None:
    world = World()
    room, (ana, luis, eva) = world.circle("Ana", "Luis", "Eva")
    luis.get(LeaveRoom(room))
    assert status(luis, room) is RoomStatus.LEFT
    assert [each.name for each in room_views(ana.session) if each.members == 2]
    world.wait(10_000)
    for person in (ana, eva):
        group = person.session.rooms[room].group
        assert group is not None
        assert len(list(group.tree.members())) == 2
        assert person.codes() == []
        kinds = [line.kind for line in person.lines(room)]
        assert kinds.count(MessageKind.LEFT) == 1
        assert MessageKind.REMOVED not in kinds
    ana.say(room, "adiós, Luis")
    assert eva.texts(room) == ["adiós, Luis"]


def test_an_owner_who_leaves_names_a_successor_first() -> None:
    world = World()
    room, (ana, luis, eva) = world.circle("Ana", "Luis", "Eva")
    ana.get(LeaveRoom(room))
    world.wait(10_000)
    owners = [each for each in member_views(eva.session, room) if each.is_owner]
    assert [each.person.name for each in owners] == ["Luis"]
    luis.get(RemoveMember(room, eva.account))
    assert status(eva, room) is RoomStatus.REMOVED


def test_rooms_have_names_and_topics_that_change() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    ana.get(ChangeRoom(room, name="Otra", topic="De todo"))
    (view,) = room_views(luis.session)
    assert (view.name, view.topic) == ("Otra", "De todo")
    with pytest.raises(NotPermittedError):
        luis.get(ChangeRoom(room, name="Mía"))
    ana.get(ChangeName("Ana María"))
    world.settle()
    assert "Ana María" in [
        each.person.name for each in member_views(luis.session, room)
    ]


def test_invites_are_made_listed_used_and_revoked() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    made = luis.get(CreateInvite(room, uses=1))
    assert len(invite_views(ana.session, room)) == 2
    eva = world.person("Eva")
    assert eva.get(JoinRoom(made.link)).room == room
    late = world.person("Late")
    with pytest.raises(RelayRefusedError):
        late.get(JoinRoom(made.link))
    assert room_views(late.session) == []
    ana.get(RevokeInvite(room, made.invite))
    assert len(invite_views(luis.session, room)) == 1


def test_a_joiner_waits_for_a_sign_of_the_inviter() -> None:
    world = World()
    ana = world.person("Ana")
    room, link = world.room(ana)
    ana.crash()
    luis = world.person("Luis")
    luis.get(JoinRoom(link))
    assert room_views(luis.session)[0].sign_awaited == "Ana"
    luis.say(room, "is anybody there?")
    ana.start()
    world.wait(1_000)
    assert room_views(luis.session)[0].sign_awaited is None
    assert len(luis.seen(SignSeen)) == 1
    assert ana.texts(room) == ["is anybody there?"]


def test_what_is_said_offline_goes_out_in_order_once() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    world.reachable = False
    world.cut(ana)
    for number in range(5):
        ana.get(SendText(room, f"text {number}"))
    luis.get(CreateInvite(room))  # a new epoch
    luis.say(room, "meanwhile")
    ana.crash()
    ana.start()
    world.settle()
    assert [line.state for line in ana.lines(room)[-5:]] == ["queued"] * 5
    world.reachable = True
    world.wait(5_000)
    wanted = ["meanwhile", *(f"text {number}" for number in range(5))]
    assert luis.texts(room) == ana.texts(room) == wanted
    assert all(line.state == "stored" for line in ana.lines(room)[-5:])


def test_garbage_handshakes_do_not_stop_a_room() -> None:
    world = World()
    room, (ana, luis, eva) = world.circle("Ana", "Luis", "Eva")
    for number in range(3):
        handshake = eva.session.rooms[room].state.handshake
        garbage = frames.Commit(
            900 + number, room, world.rng(16), handshake, b"garbage", frames.Bundle()
        )
        eva.outbound.append(garbage)
        world.settle()
    world.wait(5_000)
    ana.say(room, "still here")
    luis.get(CreateInvite(room))
    luis.say(room, "me too")
    assert ana.texts(room)[-2:] == luis.texts(room)[-2:] == ["still here", "me too"]
    assert "handshake_skipped" in ana.codes()


def test_a_device_comes_back_from_any_crash() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    for number in range(40):
        ana.fuse = number % 8
        ana.ask(SendText(room, f"text {number}"))
        world.settle()
        if not ana.alive:
            ana.start()
        world.wait(2_000)
    texts = luis.texts(room)
    assert texts == ana.texts(room)
    assert len(texts) == len(set(texts)) >= 30
    assert ana.codes() == luis.codes() == []


def test_a_vault_that_was_rolled_back_becomes_another_device() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    copy = deepcopy_of(ana.disk)
    ana.say(room, "one")
    ana.crash()
    former = ana.device
    ana.disk = copy
    ana.start()
    world.wait(2_000)
    assert ana.device != former
    assert status(ana, room) is RoomStatus.MEMBER
    ana.say(room, "two")
    luis.say(room, "three")
    assert luis.texts(room) == ["one", "two", "three"]
    assert ana.texts(room) == ["two", "three"]
    assert "vault_cloned" in ana.codes()
    assert luis.codes() == []
    assert len(member_views(luis.session, room)) == 2
    devices = run(world.engine.device_list(ana.account))
    assert devices is not None
    assert former not in {
        each.device for each in SignedDeviceList.decode(devices[1]).devices.devices
    }


def test_a_text_asked_for_twice_under_one_key_is_one_message() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    key = b"k" * 16
    numbers = [ana.ask(SendText(room, "once", key)) for _ in range(2)]
    world.settle()
    assert ana.replies[numbers[0]] == ana.replies[numbers[1]]
    assert luis.texts(room) == ["once"]


# Single steps


def test_every_question_has_somebody_who_takes_the_answer() -> None:
    assert set(ANSWERERS) == set(get_args(Purpose))


def test_a_session_is_loaded_as_it_was_saved() -> None:
    world = World()
    room, (ana, _) = world.circle("Ana", "Luis")
    ana.say(room, "hola")
    before = ana.session
    ana.crash()
    ana.start()
    assert ana.session.profile == before.profile
    assert ana.session.relay == before.relay
    assert ana.session.rooms[room].state == before.rooms[room].state
    assert ana.session.link.phase is Phase.IDLE


def test_damaged_rows_are_not_loaded() -> None:
    world = World()
    room, (ana, _) = world.circle("Ana", "Luis")
    ana.disk.epochs[room] = b"garbage"
    with pytest.raises(StateError):
        ana.start()


def test_a_room_of_the_device_this_one_was_is_come_back_to() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    profile = replace(ana.session.profile, device=b"d" * 16)
    relay, rooms = ana.session.relay, ana.disk.stored_rooms()
    loaded = load_session(profile, relay, rooms, world.rng)
    assert loaded.rooms[room].state.status is RoomStatus.LOST
    profile = luis.session.profile
    loaded = load_session(profile, relay, luis.disk.stored_rooms(), world.rng)
    assert loaded.rooms[room].state.status is RoomStatus.MEMBER


def test_a_relay_that_has_not_proved_who_it_is_says_nothing_of_rooms() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    rogue, log = Rogue(luis, room), Log.after(ana, room)
    page = log.page(log.entry(b"garbage", luis.device, rogue.key))
    ana.feed(NetworkChanged())
    for phase in (Phase.CONNECTING, Phase.GREETED, Phase.PROVING, Phase.IDLE):
        ana.session = replace(ana.session, link=replace(ana.session.link, phase=phase))
        assert answer(ana, page) == []
        assert answer(ana, frames.Done(1)) == []


@pytest.mark.parametrize(
    "frame",
    [
        frames.Signalled(bytes(16), bytes(16), b""),
        frames.Markers(bytes(16), ()),
        frames.Done(999),
        frames.Queued(999, 3),
        frames.Refused(0, "unknown_frame"),  # type: ignore[arg-type]
    ],
    ids=lambda frame: type(frame).__name__,
)
def test_what_nobody_asked_for_changes_nothing(frame: Any) -> None:
    _, (ana, _) = World().circle("Ana", "Luis")
    session = ana.session
    assert answer(ana, frame) == []
    assert ana.session.requests == session.requests
    assert ana.session.rooms == session.rooms


def test_a_place_in_the_queue_is_only_for_who_enters() -> None:
    room, (ana, _) = World().circle("Ana", "Luis")
    waits: dict[int, Purpose] = {7: ToAppend(room, b"k" * 16), 8: ToEnter(room)}
    ana.session = replace(ana.session, requests=waits)
    for number in (7, 8):
        assert answer(ana, frames.Queued(number, 3)) == []
    assert ana.session.requests == waits


def test_transfers_that_nobody_waits_for_change_nothing() -> None:
    room, (ana, _) = World().circle("Ana", "Luis")
    for item in (Uploaded(9), Downloaded(9, b"data"), TransferFailed(9, "lost")):
        assert ana.feed(item) == []
        for is_upload in (True, False):
            transfer = Transfer(room, b"what", is_upload=is_upload)
            ana.session = replace(ana.session, transfers={9: transfer})
            assert ana.feed(item) == []
            assert ana.session.transfers == {}


def test_a_report_is_for_the_room_it_names() -> None:
    room, (ana, _) = World().circle("Ana", "Luis")
    assert outline(answer(ana, frames.GroupReported(bytes(16)))) == []
    assert outline(answer(ana, frames.GroupReported(room))) == ["Transmit BeginUpload"]


def test_each_item_has_its_rule() -> None:
    room, (ana, _) = World().circle("Ana", "Luis")
    renamed = replace(ana.session.profile, name="Ana María")
    assert outline(ana.feed(ProfileChanged(renamed)))[0] == "Save"
    assert room_of(ana, room).live.wishes
    assert ana.feed(Ticked()) == []
    assert ana.feed(EntriesLoaded(room, ())) == []
    assert outline(ana.feed(RelayMoved(("https://new",)))) == ["Save"]
    assert answer(ana, frames.Goodbye(ErrorCode.CATCH_UP)) == []
    assert outline(ana.feed(LinkClosed("lost"))) == ["Emit ConnectionChanged"]
    assert outline(ana.feed(NetworkChanged())) == [
        "Connect",
        "Emit ConnectionChanged",
    ]


def test_what_is_shown_is_on_the_disk() -> None:
    world = World()
    room, people = world.circle("Ana", "Luis")
    for number in range(5):
        people[number % 2].say(room, f"text {number}")
    for each in people:
        again = Disk()
        again.__dict__.update(vars(each.disk))
        texts = [line.text for line in each.lines(room) if line.kind == "text"]
        assert texts == [f"text {number}" for number in range(5)]
        assert len(again.messages) == len(each.lines(room))


def overtaken_by_a_copy(world: World, room: bytes, ana: Device, eva: Device) -> None:
    """Eva puts garbage into the log with the bundle of a commit that Ana was sending."""
    ana.ask(CreateInvite(room))
    commit = run_until(ana, frames.Commit)
    ana.crash()
    copy = frames.Commit(
        2**31, room, world.rng(16), commit.handshake, commit.blob, commit.bundle
    )
    eva.outbound.append(copy)
    world.deliver(eva)


def test_who_was_led_into_a_dead_branch_finds_the_room() -> None:
    world = World()
    room, (ana, luis, eva) = world.circle("Ana", "Luis", "Eva")
    noa = world.person("Noa")
    link = ana.get(CreateInvite(room)).link
    overtaken_by_a_copy(world, room, ana, eva)
    noa.get(JoinRoom(link))  # before anybody has mended the relay's advice
    ana.start()
    world.wait(10_000)
    ana.say(room, "who is here?")
    world.wait(10_000)
    luis.say(room, "all of us")
    noa.say(room, "me, too")
    assert noa.texts(room)[-2:] == ["all of us", "me, too"]
    assert ana.texts(room)[-2:] == ["all of us", "me, too"]


def test_who_is_un_routed_by_garbage_comes_back() -> None:
    world = World()
    room, (ana, luis, eva) = world.circle("Ana", "Luis", "Eva")
    handshake = eva.session.rooms[room].state.handshake
    bundle = frames.Bundle(unroute=(luis.device,))
    eva.outbound.append(
        frames.Commit(2**31, room, world.rng(16), handshake, b"noise", bundle)
    )
    world.wait(2 * 60_000)
    ana.say(room, "still here?")
    luis.say(room, "yes")
    assert ana.texts(room)[-1] == "yes"
    assert luis.texts(room)[-1] == "yes"


def test_chores_are_taken_up_again_after_a_crash() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    link = ana.get(CreateInvite(room)).link
    luis.get(LeaveRoom(room))
    eva = world.person("Eva")
    eva.get(JoinRoom(link))
    ana.crash()
    ana.start()
    world.wait(80_000)
    group = ana.session.rooms[room].group
    assert group is not None
    assert len(list(group.tree.members())) == 2
    (view,) = room_views(eva.session)
    assert view.sign_awaited is None


def test_a_link_made_while_others_talk_leads_into_the_room() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    number = ana.ask(CreateInvite(room))
    commit = run_until(ana, frames.Commit)
    luis.say(room, "meanwhile")
    ana.outbound.append(commit)
    world.settle()
    eva = world.person("Eva")
    assert eva.get(JoinRoom(ana.replies[number].link)).room == room


def test_links_lead_to_where_the_relay_proved_itself() -> None:
    world = World()
    room, (ana,) = world.circle("Ana")
    ana.feed(RelayMoved(("https://evil.example", ADDRESS)))
    ana.inbox.append(NetworkChanged())
    world.settle()
    link = ana.get(CreateInvite(room)).link
    assert link.startswith(ADDRESS + "/i#")
