"""Leaving a room: a statement signed by the device, then a commit of somebody else.

The relay stops routing at the statement; the leaf stays until the next commit, which
carries the statement as its right to remove it.
"""

from tertulia import mls
from tertulia.client import chores
from tertulia.client.annotation import leaving_statement
from tertulia.client.content import Leaving
from tertulia.client.events import RoomChanged
from tertulia.client.identity import Member
from tertulia.client.lines import keep_notice, keep_void
from tertulia.client.notices import Notice, members_of
from tertulia.client.room import Leaver, Room
from tertulia.client.turn import Turn
from tertulia.client.views import MessageKind
from tertulia.crypto import CryptoError
from tertulia.wire import frames


def statement(turn: Turn, group: mls.Group) -> Leaving:
    """Return my statement that I leave."""
    said = leaving_statement(group.context.group_id, group.leaf_index, group.leaf)
    return Leaving(said.sign(turn.session.profile.device_key))


def heard(turn: Turn, room: Room, entry: frames.Entry, leaver: Leaver) -> Room:
    """Note that a device leaves; tell it when it was its account's last one."""
    group = room.group
    if group is None or any(each.leaf == leaver.leaf for each in room.state.leavers):
        return room
    if not _is_true(group, leaver):
        keep_void(turn, room, entry)
        return room
    room = room.with_state(leavers=(*room.state.leavers, leaver))
    member = members_of(group)[leaver.leaf]
    if member.account in accounts_leaving(room.state.leavers, group):
        notice = Notice(MessageKind.LEFT, member.account, member.name)
        keep_notice(turn, room, entry, notice)
        turn.emit(RoomChanged(room.id))
    return chores.plan_cleaning(turn, room)


def accounts_leaving(leavers: tuple[Leaver, ...], group: mls.Group) -> set[bytes]:
    """Return the accounts all of whose devices said that they leave."""
    if not leavers:
        return set()
    going = {leaver.leaf for leaver in leavers}
    staying: set[bytes] = set()
    leaving: set[bytes] = set()
    for leaf, member in members_of(group).items():
        (leaving if leaf in going else staying).add(member.account)
    return leaving - staying


def staying(room: Room) -> dict[int, Member]:
    """Return who is in the room by its leaf, without those who said they leave."""
    if room.group is None:
        return {}
    going = {leaver.leaf for leaver in room.state.leavers}
    members = members_of(room.group)
    return {leaf: member for leaf, member in members.items() if leaf not in going}


def still_there(leavers: tuple[Leaver, ...], group: mls.Group) -> tuple[Leaver, ...]:
    """Return those who said that they leave and still have their leaf."""
    return tuple(leaver for leaver in leavers if _is_true(group, leaver))


def _is_true(group: mls.Group, leaver: Leaver) -> bool:
    """Tell whether the statement is of whoever has that leaf now."""
    leaf = group.tree.leaf(leaver.leaf)
    if leaf is None:
        return False
    said = leaving_statement(group.context.group_id, leaver.leaf, leaf)
    try:
        said.verify(leaf.signature_key, leaver.signature)
    except CryptoError:
        return False
    return True
