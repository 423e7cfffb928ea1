"""What faces are told of a session: no secrets, nothing that changes it."""

from dataclasses import replace

import pytest

from tertulia.client.commands import (
    ChangeRoom,
    CreateInvite,
    CreateRoom,
    JoinRoom,
    LeaveRoom,
    SendText,
)
from tertulia.client.errors import NotMemberError
from tertulia.client.queries import (
    invite_views,
    member_views,
    relay_view,
    room_views,
)
from tertulia.client.views import (
    Connection,
    InviteView,
    Person,
    RelayView,
    RoomStatus,
    RoomView,
)
from tertulia.wire import account_id, parse_link
from tests.client.script import alter, room_of
from tests.client.world import ADDRESS, World


def test_the_relay_and_how_the_connection_is() -> None:
    world = World()
    ana = world.person("Ana")
    fingerprint = account_id(world.identity.public)
    assert relay_view(ana.session) == RelayView(
        fingerprint, (ADDRESS,), Connection.ONLINE
    )
    world.reachable = False
    world.cut(ana)
    world.settle()
    view = relay_view(ana.session)
    assert (view.connection, view.reason) == (Connection.OFFLINE, "lost")
    assert view.retry == ana.session.link.retry_at


def test_rooms_are_listed_by_name() -> None:
    ana = World().person("Ana")
    rooms = {name: ana.get(CreateRoom(name)).room for name in ("b", "C", "a")}
    views = room_views(ana.session)
    assert [view.name for view in views] == ["a", "b", "C"]
    assert [view.room for view in views] == [rooms[name] for name in ("a", "b", "C")]


def test_a_room_says_how_it_stands() -> None:
    world = World()
    room, (ana, _) = world.circle("Ana", "Luis")
    ana.get(ChangeRoom(room, topic="De todo"))
    world.reachable = False
    world.cut(ana)
    ana.get(SendText(room, "hola"))
    assert room_views(ana.session) == [
        RoomView(
            room,
            ana.session.relay.relay,
            "tertulia",
            "De todo",
            RoomStatus.MEMBER,
            members=2,
            waiting=1,
            sign_awaited=None,
            hybrid=True,
        )
    ]


def test_who_joins_does_not_know_the_room_yet() -> None:
    world = World()
    ana = world.person("Ana")
    room, link = world.room(ana)
    luis = world.person("Luis")
    world.reachable = False
    world.cut(luis)
    luis.ask(JoinRoom(link))
    world.settle()
    (view,) = room_views(luis.session)
    assert (view.room, view.name, view.status, view.members) == (
        room,
        "",
        RoomStatus.JOINING,
        0,
    )
    assert member_views(luis.session, room) == []
    assert invite_views(luis.session, room) == []


def test_whose_sign_is_awaited_is_named_if_known() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    for inviter, name in (
        (ana.account, "Ana"),
        (b"\xab" * 32, "abababab"),
        (b"", None),
    ):
        alter(luis, room_of(luis, room).with_state(inviter=inviter))
        (view,) = room_views(luis.session)
        assert view.sign_awaited == name
    alter(luis, replace(room_of(luis, room), group=None))
    alter(luis, room_of(luis, room).with_state(inviter=ana.account))
    (view,) = room_views(luis.session)
    assert view.sign_awaited == ana.account.hex()[:8]


def test_members_are_accounts_with_their_roles() -> None:
    world = World()
    room, (ana, luis, eva) = world.circle("Ana", "Luis", "eva")
    views = member_views(luis.session, room)
    assert [view.person for view in views] == [
        Person(ana.account, "Ana", is_me=False),
        Person(eva.account, "eva", is_me=False),
        Person(luis.account, "Luis", is_me=True),
    ]
    assert [(view.is_owner, view.is_admin) for view in views] == [
        (True, True),
        (False, False),
        (False, False),
    ]
    assert {view.devices for view in views} == {1}
    assert {view.tag for view in views} == {""}


def test_equal_names_are_told_apart() -> None:
    world = World()
    room, (ana, _, _) = world.circle("Ana", "Luis", "Luis")
    views = member_views(ana.session, room)
    tags = [view.tag for view in views if view.person.name == "Luis"]
    assert len(set(tags)) == 2
    assert "" not in tags


def test_who_said_goodbye_is_counted_out_at_once() -> None:
    world = World()
    room, (ana, luis, _) = world.circle("Ana", "Luis", "Eva")
    luis.get(LeaveRoom(room))
    names = [view.person.name for view in member_views(ana.session, room)]
    assert names == ["Ana", "Eva"]
    (view,) = room_views(ana.session)
    assert view.members == 2


def test_invites_show_their_link_to_who_made_them() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    made = luis.get(CreateInvite(room, expires=world.now + 9_000, uses=3))
    first, second = invite_views(luis.session, room)
    assert first.creator == Person(ana.account, "Ana", is_me=False)
    assert first.link is None
    assert second == InviteView(
        made.invite,
        Person(luis.account, "Luis", is_me=True),
        world.now + 9_000,
        3,
        made.link,
    )
    relay = replace(luis.session.relay, addresses=("https://new",))
    moved = invite_views(replace(luis.session, relay=relay), room)[1].link
    assert moved is not None
    assert parse_link(moved).base == "https://new"


def test_an_invite_of_who_is_gone_has_no_name() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    luis.get(CreateInvite(room))
    luis.get(LeaveRoom(room))
    world.wait(10_000)
    names = [view.creator.name for view in invite_views(ana.session, room)]
    assert names == ["Ana", ""]


def test_of_a_room_that_is_not_there_nothing_is_known() -> None:
    ana = World().person("Ana")
    with pytest.raises(NotMemberError):
        member_views(ana.session, b"x" * 16)
    with pytest.raises(NotMemberError):
        invite_views(ana.session, b"x" * 16)
