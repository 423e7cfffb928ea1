"""A handshake in doubt: what this device cannot judge, and who can tell what became of it.

Either only my own secret does not fit, or the handshake puts me out, so that I do not see
whether it holds. What others say next tells: in my epoch, they skipped it; in a later
one, they applied it. Whoever made it is believed the less, the more there is to gain.
An epoch that this device entered and where nobody was heard yet is unsure just so.
"""

from dataclasses import dataclass

from tertulia.client import entering, outbox
from tertulia.client.annotation import Annotation
from tertulia.client.events import RoomChanged
from tertulia.client.identity import Member
from tertulia.client.lines import member_of_device
from tertulia.client.room import Room, RoomState
from tertulia.client.turn import Turn
from tertulia.client.views import RoomStatus
from tertulia.mls import Group
from tertulia.wire import frames


def begin(room: Room, entry: frames.Entry, actor: Member) -> Room:
    """Doubt a handshake of `actor`; an older doubt goes on with it."""
    state = room.state
    newcomers, suspects = state.newcomers, state.suspects
    if state.doubt is None:
        newcomers = suspects = ()
    if actor.account not in suspects:
        suspects = (*suspects, actor.account)
    return room.with_state(doubt=entry.place, newcomers=newcomers, suspects=suspects)


def leads_astray(room: Room, actor: Member) -> bool:
    """Tell whether to leave a commit alone because of what its maker did before.

    If the others applied what does not fit here, this is an epoch of nobody; if they
    skipped it, they go on without me now, and I come back. Who was told that it is out
    has no way back, and goes along.
    """
    in_doubt = room.is_member and room.state.doubt is not None
    return in_doubt and actor.account in room.state.suspects


def note_newcomer(room: Room, leaf: int) -> Room:
    """In doubt I go along with who comes from outside, who may know as little as I do.

    If the others skipped what I could not judge, this is their next epoch, and what
    they say in it is for me; if not, it is nobody's.
    """
    if room.state.doubt is None or leaf in room.state.newcomers:
        return room
    return room.with_state(newcomers=(*room.state.newcomers, leaf))


@dataclass(frozen=True, slots=True)
class Voice:
    """Somebody who speaks in my epoch, and what that one had seen."""

    leaf: int
    member: Member
    annotation: Annotation


def heard_inside(turn: Turn, room: Room, voice: Voice) -> Room:
    """A member speaks in my epoch: it is the room's, if that member can know."""
    if room.state.doubt is not None and not _can_tell(room.state, voice):
        return room
    return _confirm(_clear_doubt(turn, room))


def _can_tell(state: RoomState, voice: Voice) -> bool:
    """Tell whether somebody skipped what is in doubt, and is not to gain by saying so.

    Whoever made it may speak in any epoch that serves; who had not seen it yet, or came
    from outside since, knows no more than I do.
    """
    return (
        voice.annotation.place >= (state.doubt or 0)
        and voice.leaf not in state.newcomers
        and voice.member.account not in state.suspects
    )


def resolve(turn: Turn, room: Room, entry: frames.Entry, epoch: int) -> Room:
    """Learn from the epoch others speak in what became of a handshake I could not judge."""
    group = room.group
    if group is None:
        return room
    if room.state.doubt is None:
        return _doubt_entry(turn, room, group, epoch)
    if epoch <= group.context.epoch:
        return room
    if not _was_told_out(room):
        # Whoever claims it, the group's advice tells the truth.
        turn.emit(RoomChanged(room.id))
        return room.with_state(status=RoomStatus.LOST, doubt=None)
    if _is_suspect(room, entry.device):
        return room  # where it is true, the relay confirms it
    turn.emit(RoomChanged(room.id))
    return outbox.end(turn, room, RoomStatus.REMOVED)


def _was_told_out(room: Room) -> bool:
    """Tell whether it is a removal that is in doubt; a link may be followed since."""
    return room.state.status in {RoomStatus.REMOVED, RoomStatus.JOINING}


def _is_suspect(room: Room, device: bytes) -> bool:
    member = member_of_device(room, device)
    return member is not None and member.account in room.state.suspects


def _doubt_entry(turn: Turn, room: Room, group: Group, epoch: int) -> Room:
    """Others claim another epoch than the one I entered: look whether it is the room's."""
    if not room.state.unconfirmed:
        return room
    if epoch == group.context.epoch or room.live.reports:
        return room  # mine, or a look is planned
    return room.with_live(repair_at=turn.now)


def _confirm(room: Room) -> Room:
    """A member speaks in the epoch that I entered: it is the room's."""
    if not room.state.unconfirmed:
        return room
    return room.with_state(unconfirmed=False, link="", former=None)


def _clear_doubt(turn: Turn, room: Room) -> Room:
    """Somebody speaks in my epoch: the others skipped what I could not judge."""
    if room.state.doubt is None:
        return room
    turn.emit(RoomChanged(room.id))
    room = room.with_state(doubt=None)
    if room.state.status is RoomStatus.JOINING:
        return entering.never_out(turn, room)
    return room.with_state(status=RoomStatus.MEMBER)
