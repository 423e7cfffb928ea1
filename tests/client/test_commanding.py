"""Commands: what is done at once, what waits, and what is refused before that."""

from dataclasses import replace
from typing import Any

import pytest

from tertulia.client.commands import (
    AnyCommand,
    CancelMessage,
    Carried,
    ChangeName,
    ChangeRoom,
    CreateInvite,
    CreateRoom,
    JoinRoom,
    LeaveRoom,
    MessageKept,
    RemoveMember,
    RevokeInvite,
    RoomJoined,
    SendText,
)
from tertulia.client.content import Leaving, decode_content
from tertulia.client.effects import Asked
from tertulia.client.errors import NoSuchMessageError, NotMemberError, NotPermittedError
from tertulia.client.room import Room, RoomState
from tertulia.client.room_policy import Permissions, Role
from tertulia.client.rows import DropMessage, DropOutbox, PutProfile
from tertulia.client.value_errors import BadNameError, EmptyTextError, TextTooLongError
from tertulia.client.views import MessageState, RoomStatus
from tertulia.client.work import (
    AddInvite,
    DropInvite,
    Expel,
    HandOver,
    Introduce,
    Rename,
)
from tertulia.errors import UsageError
from tertulia.wire import LinkError
from tests.client.script import alter, answers, group_of, outline, room_of, saved
from tests.client.world import Device, World

NOWHERE = b"x" * 16


def offline(*names: str) -> tuple[bytes, list[Device]]:
    """Return people of a room whose relay cannot be reached any more."""
    world = World()
    room, people = world.circle(*names)
    world.reachable = False
    for each in people:
        world.cut(each)
    world.settle()
    return room, people


def ask(device: Device, command: AnyCommand) -> Any:
    """Return the answer given at once, or None."""
    device.commands += 1
    given = answers(device.feed(Asked(device.commands, command)))
    return given[0] if given else None


def wished(device: Device, room: bytes) -> Any:
    """Return what the newest wish aims at."""
    return room_of(device, room).live.wishes[-1].aim


def test_a_text_is_kept_before_anybody_is_told() -> None:
    room, (ana, _) = offline("Ana", "Luis")
    effects = ana.feed(Asked(77, SendText(room, "hola")))
    assert outline(effects) == ["Save", "Emit MessageArrived", "Reply MessageKept"]
    (kept,) = answers(effects)
    assert kept == MessageKept(ana.lines(room)[-1].message)


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (SendText(NOWHERE, "hola"), NotMemberError),
        (CancelMessage(NOWHERE, bytes(32)), NotMemberError),
        (CreateInvite(NOWHERE), NotMemberError),
        (RevokeInvite(NOWHERE, bytes(16)), NotMemberError),
        (RemoveMember(NOWHERE, bytes(32)), NotMemberError),
        (ChangeRoom(NOWHERE, "name"), NotMemberError),
        (LeaveRoom(NOWHERE), NotMemberError),
        (CreateRoom(""), BadNameError),
        (CreateRoom("name", "\x00"), BadNameError),
        (JoinRoom("hello"), LinkError),
        (ChangeName(""), BadNameError),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_is_refused_at_once(
    command: AnyCommand, error: type[UsageError]
) -> None:
    _, (ana,) = offline("Ana")
    effects = ana.feed(Asked(77, command))
    assert outline(effects) == [f"Reply {error.__name__}"]


def test_texts_that_nobody_could_show_are_refused() -> None:
    room, (ana,) = offline("Ana")
    assert isinstance(ask(ana, SendText(room, " ")), EmptyTextError)
    assert isinstance(ask(ana, SendText(room, "x" * 70_000)), TextTooLongError)
    assert ana.disk.outbox == {}


def test_where_only_admins_post_others_are_told_so() -> None:
    room, (ana, luis) = offline("Ana", "Luis")
    for each in (ana, luis):
        policy = room_of(each, room).policy
        assert policy is not None
        quiet = replace(policy, permissions=Permissions(post=Role.ADMIN))
        group = group_of(each, room)
        context = replace(group.context, extensions=(quiet.extension(),))
        group = replace(group, epoch=replace(group.epoch, context=context))
        alter(each, replace(room_of(each, room), group=group))
    assert isinstance(ask(luis, SendText(room, "hola")), NotPermittedError)
    assert isinstance(ask(ana, SendText(room, "hola")), MessageKept)


@pytest.mark.parametrize(
    "status", [RoomStatus.LEFT, RoomStatus.REMOVED, RoomStatus.JOINING]
)
def test_who_is_not_in_a_room_changes_nothing_there(status: RoomStatus) -> None:
    room, (ana,) = offline("Ana")
    alter(ana, Room(room, RoomState(status, founded=False)))
    for command in (SendText(room, "hola"), CreateInvite(room), ChangeRoom(room, "x")):
        assert isinstance(ask(ana, command), NotMemberError)


def test_who_lost_the_thread_may_go_on_asking() -> None:
    room, (ana,) = offline("Ana")
    alter(ana, room_of(ana, room).with_state(status=RoomStatus.LOST))
    assert isinstance(ask(ana, SendText(room, "hola")), MessageKept)
    assert ask(ana, CreateInvite(room)) is None


# Taking a message back


def test_a_message_that_never_left_is_taken_back() -> None:
    room, (ana,) = offline("Ana")
    kept = ask(ana, SendText(room, "one"))
    other = ask(ana, SendText(room, "two"))
    effects = ana.feed(Asked(77, CancelMessage(room, other.message)))
    assert outline(effects) == ["Save", "Reply Carried"]
    assert saved(effects, DropMessage) == [DropMessage(room, other.message)]
    assert len(saved(effects, DropOutbox)) == 1
    assert ana.texts(room) == ["one"]
    assert [line.message for line in ana.lines(room)][-1] == kept.message


def test_a_message_that_may_be_on_its_way_stays() -> None:
    world = World()
    room, (ana,) = world.circle("Ana")
    kept = ask(ana, SendText(room, "hola"))  # it is encrypted at once
    assert isinstance(ask(ana, CancelMessage(room, kept.message)), NoSuchMessageError)
    world.settle()
    assert isinstance(ask(ana, CancelMessage(room, kept.message)), NoSuchMessageError)
    assert ana.lines(room)[-1].state is MessageState.STORED


def test_who_has_left_may_still_take_back_what_waits() -> None:
    room, (ana,) = offline("Ana")
    kept = ask(ana, SendText(room, "one"))
    alter(ana, room_of(ana, room).with_state(status=RoomStatus.REMOVED))
    assert ask(ana, CancelMessage(room, kept.message)) == Carried()


# Wishes


def test_what_changes_a_room_for_all_waits() -> None:
    room, (ana, luis) = offline("Ana", "Luis")
    later = ana.world.now + 9
    assert ask(ana, CreateInvite(room, expires=later, uses=2)) is None
    aim = wished(ana, room)
    assert isinstance(aim, AddInvite)
    assert (aim.invite.expires, aim.invite.uses) == (later, 2)
    assert aim.invite.creator == ana.session.profile.account_public
    for command, aim in (
        (RevokeInvite(room, b"i" * 16), DropInvite(b"i" * 16)),
        (RemoveMember(room, luis.account), Expel(luis.account)),
        (ChangeRoom(room, "Otra"), Rename("Otra", None)),
        (ChangeRoom(room, topic=""), Rename(None, "")),
    ):
        assert ask(ana, command) is None
        assert wished(ana, room) == aim
        assert room_of(ana, room).live.wishes[-1].number == ana.commands


def test_a_name_that_a_room_cannot_have_is_not_even_wished() -> None:
    room, (ana,) = offline("Ana")
    assert isinstance(ask(ana, ChangeRoom(room, name=" ")), BadNameError)
    assert isinstance(ask(ana, ChangeRoom(room, topic="\x1b")), BadNameError)
    assert room_of(ana, room).live.wishes == ()


def test_another_name_goes_into_all_rooms_one_is_in() -> None:
    room, (ana,) = offline("Ana")
    other = Room(b"o" * 16, RoomState(RoomStatus.LEFT))
    alter(ana, other)
    effects = ana.feed(Asked(77, ChangeName(" Ana María ")))
    assert outline(effects) == ["Save", "Reply Carried"]
    (change,) = saved(effects, PutProfile)
    assert change.row.name == "Ana María"
    assert wished(ana, room) == Introduce()
    assert room_of(ana, other.id).live.wishes == ()


def test_a_room_one_is_in_is_not_joined_again() -> None:
    world = World()
    ana = world.person("Ana")
    room, link = world.room(ana)
    assert ask(ana, JoinRoom(link)) == RoomJoined(room, already=True)


# Leaving


def test_a_member_s_goodbye_waits_in_the_outbox() -> None:
    room, (_, luis) = offline("Ana", "Luis")
    effects = luis.feed(Asked(77, LeaveRoom(room)))
    assert outline(effects) == ["Save", "Reply Carried"]
    (message,) = room_of(luis, room).outbox
    assert isinstance(decode_content(message.content), Leaving)
    assert room_of(luis, room).is_member


def test_an_owner_first_names_who_follows() -> None:
    room, (ana, _) = offline("Ana", "Luis")
    assert ask(ana, LeaveRoom(room)) is None
    assert wished(ana, room) == HandOver()
    assert room_of(ana, room).outbox == ()


def test_an_owner_who_is_alone_just_leaves() -> None:
    room, (ana,) = offline("Ana")
    assert ask(ana, LeaveRoom(room)) == Carried()
    (message,) = room_of(ana, room).outbox
    assert isinstance(decode_content(message.content), Leaving)


def test_who_is_out_of_step_leaves_without_a_word() -> None:
    room, (_, luis) = offline("Ana", "Luis")
    alter(luis, room_of(luis, room).with_state(status=RoomStatus.LOST))
    assert ask(luis, LeaveRoom(room)) == Carried()
    assert room_of(luis, room).state.status is RoomStatus.LEFT


def test_who_is_out_already_cannot_leave() -> None:
    room, (ana,) = offline("Ana")
    for over in (RoomStatus.LEFT, RoomStatus.REMOVED):
        alter(ana, Room(room, RoomState(over)))
        assert isinstance(ask(ana, LeaveRoom(room)), NotMemberError)
        assert room in ana.session.rooms


def test_a_text_that_is_asked_for_twice_is_one_message() -> None:
    room, (ana,) = offline("Ana")
    first = ask(ana, SendText(room, "hola", key=b"k" * 16))
    assert first == MessageKept(ana.device + b"k" * 16)
    assert ask(ana, SendText(room, "hola", key=b"k" * 16)) == first
    assert ana.texts(room) == ["hola"]


def test_who_no_longer_wants_to_make_a_room_does_not() -> None:
    world = World()
    ana = world.person("Ana")
    world.reachable = False
    world.cut(ana)
    world.settle()
    made = ana.ask(CreateRoom("Una"))
    world.settle()
    (room,) = ana.session.rooms
    assert isinstance(ana.get(LeaveRoom(room)), Carried)
    assert isinstance(ana.replies[made], NotMemberError)
    world.reachable = True
    world.wait(5_000)
    assert world.engine._rooms == {}


def test_who_no_longer_wants_to_join_does_not() -> None:
    world = World()
    ana = world.person("Ana")
    room, link = world.room(ana)
    luis = world.person("Luis")
    world.reachable = False
    world.cut(luis)
    world.settle()
    asked = luis.ask(JoinRoom(link))
    world.settle()
    assert isinstance(luis.get(LeaveRoom(room)), Carried)
    assert isinstance(luis.replies[asked], NotMemberError)
    assert room not in luis.session.rooms


def test_a_key_of_another_length_is_refused() -> None:
    room, (ana,) = offline("Ana")
    for key in (b"", b"short", b"k" * 17):
        assert isinstance(ask(ana, SendText(room, "hola", key=key)), UsageError)
    assert ana.disk.outbox == {}


def test_invites_that_cannot_be_are_refused() -> None:
    room, (ana,) = offline("Ana")
    for command in (
        CreateInvite(room, uses=0),
        CreateInvite(room, uses=2**40),
        CreateInvite(room, expires=2**70),
    ):
        assert isinstance(ask(ana, command), UsageError)
    assert room_of(ana, room).live.wishes == ()


def test_an_invite_that_is_over_is_not_made() -> None:
    world = World()
    room, (ana,) = world.circle("Ana")
    with pytest.raises(UsageError):
        ana.get(CreateInvite(room, expires=world.now - 1))
