"""Wishes: each is answered once, by the commit it led to or by the clock."""

from dataclasses import replace
from typing import Any

from tertulia.client import limits, wishes
from tertulia.client.commands import (
    Carried,
    ChangeRoom,
    CreateInvite,
    InviteMade,
    LeaveRoom,
    RemoveMember,
    RevokeInvite,
)
from tertulia.client.content import Leaving, decode_content
from tertulia.client.effects import Asked, Reply, Ticked
from tertulia.client.errors import NotPermittedError, NotReachedError
from tertulia.client.invites import InviteTerms, new_invite
from tertulia.client.queries import invite_views
from tertulia.client.room import Pending, Room, RoomState
from tertulia.client.turn import Turn
from tertulia.client.views import RoomStatus
from tertulia.client.work import (
    AddInvite,
    Admission,
    Aim,
    HandOver,
    Refresh,
    Rename,
    Wish,
)
from tertulia.wire import parse_link
from tests.client.script import answers, outline, room_of
from tests.client.world import Device, World


def setting() -> tuple[Turn, Room, Device]:
    world = World()
    room, (ana, _) = world.circle("Ana", "Luis")
    return Turn(ana.session, world.now), room_of(ana, room), ana


def offline() -> tuple[World, bytes, Device]:
    world = World()
    room, (ana, _) = world.circle("Ana", "Luis")
    world.reachable = False
    world.cut(ana)
    world.settle()
    return world, room, ana


def sent_for(room: Room, wish: Wish | None) -> Pending:
    """A commit that was sent for a wish; the epoch it starts does not matter here."""
    group: Any = room.group
    return Pending(b"k" * 16, 3, bytes(32), group, wish)


def taken(aim: Aim, room: Room, turn: Turn) -> Room:
    room = wishes.wish(turn, room, aim, 7)
    return wishes.taken(turn, room, sent_for(room, room.live.wishes[0]))


def test_wishes_stand_in_line() -> None:
    turn, room, _ = setting()
    room = wishes.wish(turn, room, Refresh())
    room = wishes.wish(turn, room, Rename("Una", None), 7)
    deadline = turn.now + limits.WISH_PATIENCE
    assert room.live.wishes == (
        Wish(Refresh(), None, deadline),
        Wish(Rename("Una", None), 7, deadline),
    )
    assert turn.effects() == []


def test_the_first_one_is_answered_when_its_commit_stands_in_the_log() -> None:
    turn, room, _ = setting()
    room = wishes.wish(turn, room, Rename("Una", None), 7)
    room = wishes.wish(turn, room, Rename("Otra", None), 8).with_live(work=Admission())
    room = wishes.taken(turn, room, sent_for(room, room.live.wishes[0]))
    assert turn.effects() == [Reply(7, Carried())]
    assert [each.number for each in room.live.wishes] == [8]
    assert room.live.work is None


def test_a_chore_is_answered_to_nobody() -> None:
    turn, room, _ = setting()
    room = wishes.wish(turn, room, Refresh())
    assert (
        wishes.taken(turn, room, sent_for(room, room.live.wishes[0])).live.wishes == ()
    )
    assert turn.effects() == []


def test_a_commit_of_before_a_crash_was_wished_by_nobody_here() -> None:
    turn, room, _ = setting()
    assert wishes.taken(turn, room, sent_for(room, None)).live == room.live
    assert turn.effects() == []


def test_an_invite_that_counts_is_kept_with_its_link() -> None:
    turn, room, ana = setting()
    profile = ana.session.profile
    secret, invite = new_invite(profile.account_public, InviteTerms(), turn.rng)
    room = taken(AddInvite(invite, secret.reveal()), room, turn)
    (reply,) = turn.effects()
    assert isinstance(reply, Reply)
    assert isinstance(reply.answer, InviteMade)
    assert reply.answer.invite == invite.invite
    assert room.links[invite.invite] == reply.answer.link
    assert parse_link(reply.answer.link).link.secret == secret.reveal()


def test_links_of_invites_that_are_no_longer_listed_are_forgotten() -> None:
    turn, room, _ = setting()
    assert len(room.links) == 1
    both = replace(room, links={**room.links, b"gone": "link"})
    assert wishes.taken(turn, both, sent_for(room, None)).links == room.links
    empty = Room(room.id, RoomState(RoomStatus.LEFT), links={b"gone": "link"})
    assert wishes.taken(turn, empty, sent_for(room, None)).links == {}


def test_who_handed_over_says_goodbye() -> None:
    turn, room, _ = setting()
    handed = taken(HandOver(), room, turn)
    assert turn.effects()[-1] == Reply(7, Carried())
    (message,) = handed.outbox
    assert isinstance(decode_content(message.content), Leaving)
    gone = taken(HandOver(), replace(room, group=None), turn)
    assert gone.outbox == ()


def test_a_wish_in_vain_is_answered_and_the_others_stay() -> None:
    turn, room, _ = setting()
    room = wishes.wish(turn, room, Refresh(), 7)
    room = wishes.wish(turn, room, Refresh(), 8)
    room = wishes.give_up(turn, room, room.live.wishes[0], NotPermittedError("no"))
    (reply,) = turn.effects()
    assert isinstance(reply, Reply)
    assert (reply.number, type(reply.answer)) == (7, NotPermittedError)
    assert [each.number for each in room.live.wishes] == [8]


def test_a_wish_that_was_given_up_is_not_answered_by_the_log() -> None:
    turn, room, _ = setting()
    room = wishes.wish(turn, room, Refresh(), 7)
    group = room.group
    assert group is not None
    (mine,) = room.live.wishes
    sent = Pending(b"k" * 16, 1, bytes(32), group, mine)
    room = wishes.give_up(
        turn, replace(room, pending=sent), mine, NotPermittedError("no")
    )
    assert room.pending == replace(sent, wish=None)


# Time


def test_a_wish_waits_for_the_relay_but_not_for_ever() -> None:
    world, room, ana = offline()
    asked = ana.ask(ChangeRoom(room, "Otra"))
    world.wait(limits.WISH_PATIENCE - 1)
    assert asked not in ana.replies
    world.wait(1)
    assert isinstance(ana.replies[asked], NotReachedError)
    assert room_of(ana, room).live.wishes == ()


def test_who_waits_for_it_is_woken_for_it() -> None:
    world, room, ana = offline()
    ana.session = replace(
        ana.session, link=replace(ana.session.link, retry_at=world.now + 10**9)
    )
    ana.feed(Asked(77, ChangeRoom(room, "Otra")))
    assert ana.session.wake_at == world.now + limits.WISH_PATIENCE
    world.now += limits.WISH_PATIENCE
    assert [type(each) for each in answers(ana.feed(Ticked()))] == [NotReachedError]


def test_a_wish_is_carried_out_when_the_relay_is_back_in_time() -> None:
    world, room, ana = offline()
    asked = ana.ask(ChangeRoom(room, "Otra"))
    world.wait(10_000)
    world.reachable = True
    world.wait(15_000)
    assert ana.replies[asked] == Carried()


def test_a_wish_that_is_being_carried_out_does_not_expire() -> None:
    world = World()
    room, (ana, _) = world.circle("Ana", "Luis")
    effects = ana.feed(Asked(77, ChangeRoom(room, "Otra")))
    assert outline(effects) == ["Save", "Transmit Commit"]
    held, ana.outbound = ana.outbound, type(ana.outbound)()
    world.now += limits.WISH_PATIENCE
    assert ana.feed(Ticked()) == []
    ana.outbound = held
    world.settle()
    assert ana.replies[77] == Carried()


def test_a_commit_that_got_through_unseen_answers_nothing_else() -> None:
    world = World()
    room, (ana, _) = world.circle("Ana", "Luis")
    first = ana.ask(ChangeRoom(room, "Otra"))
    # The commit reaches the relay; its answer does not come back.
    for _ in range(100):
        world.move()
        if room_of(ana, room).pending is not None and not ana.outbound:
            break
    assert first not in ana.replies
    world.reachable = False
    world.cut(ana)
    world.wait(limits.WISH_PATIENCE + 1_000)
    second = ana.ask(CreateInvite(room))
    world.settle()
    world.reachable = True
    world.wait(limits.RETRY_LAST)
    assert room_of(ana, room).state.name == "Otra"
    assert ana.replies[first] == Carried()
    # The later wish had its own time, and it is over.
    assert isinstance(ana.replies[second], NotReachedError | InviteMade)
    listed = {view.invite for view in invite_views(ana.session, room)}
    assert set(room_of(ana, room).links) == listed


# Whole wishes


def test_where_another_commit_comes_first_the_wish_is_tried_again() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    first = ana.ask(CreateInvite(room))
    second = luis.ask(CreateInvite(room))
    world.settle()
    made = {ana.replies[first].invite, luis.replies[second].invite}
    listed = {view.invite for view in invite_views(ana.session, room)}
    assert made < listed
    assert listed == {view.invite for view in invite_views(luis.session, room)}


def test_several_wishes_are_carried_out_one_after_the_other() -> None:
    world = World()
    room, (ana, luis, eva) = world.circle("Ana", "Luis", "Eva")
    (invite,) = room_of(ana, room).links
    numbers = [
        ana.ask(command)
        for command in (
            ChangeRoom(room, "Otra"),
            RevokeInvite(room, invite),
            RemoveMember(room, eva.account),
            CreateInvite(room),
        )
    ]
    world.settle()
    said = [type(ana.replies[number]) for number in numbers]
    assert said == [Carried, Carried, Carried, InviteMade]
    assert room_of(luis, room).state.name == "Otra"
    assert len(invite_views(luis.session, room)) == 1


def test_a_chore_that_is_refused_is_put_off() -> None:
    turn, room, _ = setting()
    room = wishes.wish(turn, room, Refresh())
    room = wishes.give_up(turn, room, room.live.wishes[0], NotPermittedError("no"))
    assert room.live.refresh_at == turn.now + limits.CHORE_PAUSE
    assert room.live.clean_at is None


def test_who_removed_all_others_may_leave_though_it_is_the_owner() -> None:
    world = World()
    room, (ana, luis) = world.circle("Ana", "Luis")
    removed = ana.ask(RemoveMember(room, luis.account))
    left = ana.ask(LeaveRoom(room))
    world.settle()
    assert ana.replies[removed] == Carried()
    assert ana.replies[left] == Carried()
    assert room_of(ana, room).state.status is RoomStatus.LEFT
