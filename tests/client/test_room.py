"""A room as a value: when its log is read, when its member may change something."""

from dataclasses import replace

import msgspec
import pytest

from tertulia.client.room import (
    Live,
    OutboxMessage,
    Pending,
    Room,
    RoomState,
    Route,
)
from tertulia.client.turn import Turn
from tertulia.client.views import RoomStatus
from tertulia.client.wishes import wish
from tertulia.client.work import Admission, Refresh
from tests.client.society import policy_in, room_of
from tests.client.world import World

ID = b"r" * 16
IN_STEP = Live(route=Route.OPEN, current=True)


def room(status: RoomStatus, **state: object) -> Room:
    return Room(ID, RoomState(status), live=IN_STEP).with_state(**state)


@pytest.mark.parametrize(
    ("status", "is_read"),
    [
        (RoomStatus.MEMBER, True),
        (RoomStatus.LOST, True),
        (RoomStatus.JOINING, False),
        (RoomStatus.REMOVED, False),
        (RoomStatus.LEFT, False),
        (RoomStatus.OUTDATED, False),
    ],
)
def test_who_belongs_to_a_room_reads_it(status: RoomStatus, is_read: bool) -> None:  # noqa: FBT001
    assert room(status).is_read is is_read
    assert room(status).is_member is (status is RoomStatus.MEMBER)


def test_a_room_that_the_relay_does_not_have_is_not_read() -> None:
    assert not room(RoomStatus.MEMBER, founded=False).is_read
    assert not room(RoomStatus.LOST, founded=False).is_read


def test_a_joiner_reads_once_the_relay_has_its_entry() -> None:
    assert room(RoomStatus.JOINING).with_live(entered=True).is_read


def test_the_removed_read_on_while_it_is_not_sure() -> None:
    assert room(RoomStatus.REMOVED, doubt=9).is_read


def test_a_member_who_is_up_to_date_may_change_something() -> None:
    member = room(RoomStatus.MEMBER)
    assert member.may_change
    assert not member.with_live(current=False).may_change
    assert not member.with_state(founded=False).may_change
    assert not member.with_state(doubt=9).may_change
    assert not member.with_state(status=RoomStatus.LOST).may_change


def test_with_the_connection_goes_all_but_what_people_wait_for() -> None:
    world = World()
    ana = world.person("Ana")
    member = wish(Turn(ana.session, world.now), room(RoomStatus.MEMBER), Refresh())
    busy = Live(
        route=Route.OPEN,
        following=True,
        followed=True,
        fetching=True,
        current=True,
        expected=9,
        entered=True,
        refeeding=3,
        in_flight=b"k" * 16,
        told=frozenset({b"k" * 16}),
        paused=77,
        stopped=True,
        work=Admission(),
        wishes=member.live.wishes,
        greet_at=1,
        clean_at=2,
        repair_at=3,
    )
    assert busy.disconnected() == Live(
        wishes=member.live.wishes, greet_at=1, clean_at=2, repair_at=3
    )


def test_the_policy_is_that_of_the_group() -> None:
    groups = room_of("Ana", name="La tertulia")
    assert room(RoomStatus.LEFT).policy is None
    with_group = replace(room(RoomStatus.MEMBER), group=groups["Ana"])
    assert with_group.policy == policy_in(groups)


def test_parts_are_replaced_and_the_rest_stays() -> None:
    first = OutboxMessage(1, b"1" * 16, b"one", 5)
    second = OutboxMessage(2, b"2" * 16, b"two", 6)
    kept = replace(room(RoomStatus.MEMBER, name="Una"), outbox=(first, second))
    assert kept.without(first.key).outbox == (second,)
    assert kept.without(b"x" * 16).outbox == (first, second)
    sealed = msgspec.structs.replace(second, blob=b"sealed")
    assert kept.with_message(sealed).outbox == (first, sealed)
    renamed = kept.with_state(topic="De todo")
    assert (renamed.state.name, renamed.state.topic) == ("Una", "De todo")
    assert renamed.outbox == kept.outbox
    assert kept.with_live(paused=3).live == replace(IN_STEP, paused=3)


def test_what_is_known_to_exist_is_the_last_place_of_all() -> None:
    known = room(RoomStatus.MEMBER).expecting(7).expecting(3)
    assert known.live.expected == 7


def test_a_handshake_that_did_not_come_is_given_up() -> None:
    group = room_of("Ana")["Ana"]
    waiting = replace(
        room(RoomStatus.MEMBER), pending=Pending(b"k" * 16, 3, bytes(32), group)
    )
    assert waiting.without_pending().pending is None


def test_state_written_by_an_older_program_is_read() -> None:
    whole = msgspec.msgpack.decode(msgspec.msgpack.encode(RoomState(RoomStatus.LOST)))
    assert msgspec.msgpack.decode(
        msgspec.msgpack.encode(whole[:1]), type=RoomState
    ) == RoomState(RoomStatus.LOST)


def test_a_room_shows_neither_its_links_nor_what_waits_to_be_said() -> None:
    message = OutboxMessage(1, b"k" * 16, b"a word of mine", 0)
    joining = replace(
        room(RoomStatus.JOINING, link="https://relay.test/i#secret", place=7),
        outbox=(message,),
        links={b"i" * 16: "https://relay.test/i#secret"},
    )
    shown = repr(joining)
    assert "place=7" in shown
    assert "secret" not in shown
    assert "a word of mine" not in shown
