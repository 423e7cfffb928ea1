"""Links to rooms say where the room is now, and how far it was when they were made."""

from dataclasses import replace

import pytest

from tertulia.client.invites import invite_secrets
from tertulia.client.links import (
    current_link,
    parse_room_link,
    room_link,
    with_addresses,
)
from tertulia.client.room import Room, RoomState
from tertulia.client.views import RoomStatus
from tertulia.crypto import HYBRID_SUITE, Secret
from tertulia.wire import (
    LinkError,
    NewerLinkError,
    ServerInviteLink,
    account_id,
    first_hash,
    parse_link,
)
from tests.client.script import group_of, room_of
from tests.client.world import ADDRESS, World

SECRET = Secret(b"s" * 32)


def test_a_link_says_all_that_a_joiner_checks() -> None:
    world = World()
    room, (ana, _) = world.circle("Ana", "Luis")
    kept = room_of(ana, room)
    link = parse_room_link(room_link(ana.session, kept, SECRET))
    assert link.fingerprint == account_id(world.identity.public)
    assert link.room == room
    assert link.inviter == ana.account
    assert link.suite == HYBRID_SUITE
    assert link.epoch == group_of(ana, room).context.epoch == 1
    assert (link.place, link.hash) == (kept.state.place, kept.state.hash)
    assert link.place > 0
    assert link.secret == SECRET.reveal()
    assert link.addresses == ()


def test_a_room_of_which_no_page_was_read_is_where_it_began() -> None:
    world = World()
    room, (ana,) = world.circle("Ana")
    kept = room_of(ana, room).with_state(place=0, hash=None)
    link = parse_room_link(room_link(ana.session, kept, SECRET))
    assert (link.place, link.hash) == (0, first_hash(room))


def test_a_room_without_keys_has_no_link() -> None:
    ana = World().person("Ana")
    left = Room(b"r" * 16, RoomState(RoomStatus.LEFT))
    assert room_link(ana.session, left, SECRET) == ""


def test_a_link_leads_to_where_the_relay_is_now() -> None:
    world = World()
    ana = world.person("Ana")
    _, text = world.room(ana)
    relay = replace(
        ana.session.relay, addresses=("https://new:8001", "https://192.0.2.7:8000")
    )
    now = current_link(replace(ana.session, relay=relay), text)
    assert now.startswith("https://new:8001/i#")
    assert parse_link(now).bases == ("https://new:8001", "https://192.0.2.7:8000")
    secrets = invite_secrets(Secret(parse_room_link(now).secret))
    assert secrets.invite == invite_secrets(Secret(parse_room_link(text).secret)).invite
    assert with_addresses(parse_room_link(now), (ADDRESS,)) == text


def test_what_is_no_link_to_a_room_is_refused() -> None:
    server = ServerInviteLink(bytes(32), bytes(16), bytes(32), ()).url(ADDRESS)
    with pytest.raises(LinkError, match="not to a room"):
        parse_room_link(server)
    with pytest.raises(LinkError):
        parse_room_link("hello")
    with pytest.raises(NewerLinkError):
        parse_room_link(f"{ADDRESS}/i#_wE")
