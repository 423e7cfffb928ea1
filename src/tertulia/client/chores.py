"""What a client does for a room unasked: greet, clean up, mend, refresh its keys.

Any member could do most of it; so that not all do, each waits for a time that grows
with its rank among the leaves, and finds it done when its turn comes.
"""

from tertulia import mls
from tertulia.client import limits
from tertulia.client.annotation import Annotation, InviteClaim
from tertulia.client.room import Room
from tertulia.client.room_policy import policy_of
from tertulia.client.rows import ProfileRow
from tertulia.client.turn import Turn


def owes_greeting(
    profile: ProfileRow, change: mls.Change, annotation: Annotation
) -> bool:
    """Tell whether somebody joined by an invite of this account."""
    claim = annotation.claim
    if not isinstance(claim, InviteClaim):
        return False
    invites = policy_of(change.context_before).invites
    return any(
        invite.invite == claim.invite and invite.creator == profile.account_public
        for invite in invites
    )


def plan_greeting(turn: Turn, room: Room) -> Room:
    """Greet soon; one greeting serves all who joined meanwhile."""
    room = room.with_state(owes_greeting=True)
    if room.live.greet_at is not None:
        return room
    return room.with_live(greet_at=turn.now + limits.GREETING_PAUSE)


def resume(turn: Turn, room: Room) -> Room:
    """Plan again what a restart has left undone."""
    if room.state.owes_greeting:
        room = plan_greeting(turn, room)
    return plan_cleaning(turn, room) if room.state.leavers else room


def plan_cleaning(turn: Turn, room: Room) -> Room:
    """Remove the leaves of who left, unless somebody does so first."""
    if not room.state.leavers or not room.is_member or room.group is None:
        return room.with_live(clean_at=None)
    if room.live.clean_at is not None:
        return room
    return room.with_live(clean_at=turn.now + limits.CLEANING_PAUSE + _wait(turn, room))


def plan_repair(turn: Turn, room: Room) -> Room:
    """Look after the relay's advice, unless somebody does so first."""
    room = room.with_live(review_at=turn.now + limits.REVIEW_PAUSE)
    if room.live.repair_at is not None:
        return room
    return room.with_live(repair_at=turn.now + limits.REPAIR_PAUSE + _wait(turn, room))


def _wait(turn: Turn, room: Room) -> int:
    """Return a time that grows with my rank among those who stay."""
    if room.group is None:
        return 0
    going = {leaver.leaf for leaver in room.state.leavers}
    mine = room.group.leaf_index
    rank = sum(
        leaf < mine and leaf not in going for leaf, _ in room.group.tree.members()
    )
    jitter = int.from_bytes(turn.rng(2), "big") * limits.RANK_PAUSE // 2**16
    return rank * limits.RANK_PAUSE + jitter


def put_off(turn: Turn, room: Room) -> Room:
    """Try again later what the relay or the rules do not let me do now."""
    later = turn.now + limits.CHORE_PAUSE
    clean_at = later if room.state.leavers else None
    return room.with_live(refresh_at=later, clean_at=clean_at)


def refresh_due(room: Room) -> int:
    """Return when my leaf should get fresh keys; spread by the room's id."""
    return max(_refresh_time(room), room.live.refresh_at)


def _refresh_time(room: Room) -> int:
    if room.state.sent >= limits.REFRESH_MESSAGES:
        return room.state.refreshed
    spread = int.from_bytes(room.id[:4], "big") * limits.REFRESH_SPREAD // 2**32
    return room.state.refreshed + limits.REFRESH_TIME + spread
