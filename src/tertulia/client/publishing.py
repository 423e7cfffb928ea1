"""Uploading what joiners need of an epoch, then sending the frame that names it.

Every handshake comes with the GroupInfo and the tree of the epoch it starts, sealed.
The tree comes as a patch, or is uploaded whole when it must be: when somebody is taken
out, when the relay has enough patches, after a mishap. A new room's first word and
every repair give it whole.
"""

from dataclasses import replace
from hashlib import sha256
from typing import TypeGuard, assert_never

from tertulia import mls
from tertulia.client import entering, heads, limits, outbox, wishes
from tertulia.client.advice_tree import (
    KnownTree,
    epoch_key,
    known_tree,
    seal_patch,
    seal_tree,
)
from tertulia.client.effects import UploadBlob
from tertulia.client.errors import RelayRefusedError
from tertulia.client.group_advice import Position, seal_advice
from tertulia.client.notices import members_of
from tertulia.client.requests import ToPublish, ToUpload, Transfer
from tertulia.client.room import Pending, Room, Route
from tertulia.client.room_policy import policy_of
from tertulia.client.sending import LATER
from tertulia.client.turn import Turn
from tertulia.client.views import RoomStatus
from tertulia.client.work import (
    Committing,
    End,
    Entering,
    Founding,
    Publication,
    Repairing,
    Sent,
    Wish,
    Work,
)
from tertulia.wire import ErrorCode, first_hash, frames


def begin(turn: Turn, room: Room, end: End, group: mls.Group) -> Room:
    """Seal what joiners need of `group`; send it at once unless the tree goes first."""
    handshake = room.state.handshake
    position = Position(room.state.place, room.state.hash or first_hash(room.id))
    if isinstance(end, Entering):
        handshake, position = end.handshake, end.position
    policy = policy_of(group.context)
    sealed = seal_advice(group, policy, position, turn.rng)
    known = known_tree(epoch_key(group), group.tree)
    work = Publication(end, handshake, position, sealed, policy.retention, b"")
    before = None if room.live.tree_due else _tree_before(end)
    patch = before and seal_patch(before, known, room.id, turn.rng)
    if patch:
        return _send(turn, room, work, _advice(work, patch=patch))
    work = replace(work, tree=seal_tree(known, room.id, turn.rng))
    _announce(turn, room, work.tree)
    return room.with_live(work=work)


def _tree_before(end: End) -> KnownTree | None:
    """Return the tree that the relay has, if a patch of it is what is to follow."""
    match end:
        case Founding() | Repairing():
            return None
        case Entering(known=known):
            return known
        case Committing(committed=committed):
            return known_tree(epoch_key(committed.before), committed.before.tree)
        case _:
            assert_never(end)


def _announce(turn: Turn, room: Room, blob: bytes) -> None:
    size, digest = len(blob), sha256(blob).digest()
    turn.request(
        lambda number: frames.BeginUpload(number, room.id, size, digest),
        ToUpload(room.id, digest),
    )


def announced(turn: Turn, purpose: ToUpload, frame: frames.Answer) -> None:
    """Send the tree's bytes to where the relay wants them."""
    room = turn.room(purpose.room)
    work = None if room is None else room.live.work
    if room is None or not _is_of(work, purpose.digest):
        return
    data = work.tree
    match frame:
        case frames.Upload():
            reference = frames.BlobReference(frame.blob, len(data), purpose.digest)
            turn.put(room.with_live(work=replace(work, reference=reference)))
            turn.transfer(
                lambda number: UploadBlob(
                    number, frame.blob, frame.ticket, data, frame.offset
                ),
                Transfer(room.id, purpose.digest, is_upload=True),
            )
        case frames.Refused():
            refused(turn, room, frame)
        case _:
            pass


def _is_of(work: Work | None, digest: bytes) -> TypeGuard[Publication]:
    """Tell whether it is this work that a tree goes up for, not an earlier attempt."""
    return isinstance(work, Publication) and sha256(work.tree).digest() == digest


def uploaded(turn: Turn, transfer: Transfer) -> None:
    """Send the frame once the tree is there."""
    room = turn.room(transfer.room)
    work = None if room is None else room.live.work
    if room is not None and _is_of(work, transfer.what):
        turn.put(_send(turn, room, work, _advice(work, tree=work.reference)))


def _advice(
    work: Publication,
    *,
    tree: frames.BlobReference | None = None,
    patch: frames.TreePatch | None = None,
) -> frames.GroupAdvice:
    sealed = work.sealed
    return frames.GroupAdvice(
        sealed.name,
        sealed.group_info,
        sealed.member_wrap,
        tree,
        patch,
        sealed.wraps,
        sealed.invites,
        work.retention,
    )


def _send(
    turn: Turn, room: Room, work: Publication, advice: frames.GroupAdvice
) -> Room:
    match work.end:
        case Founding() | Repairing():
            bundle = frames.Bundle(advice, route=devices(room, room.group))
            turn.request(
                lambda number: frames.Repair(number, room.id, work.handshake, bundle),
                ToPublish(room.id, handshake=work.handshake),
            )
            return room
        case Committing() as end:
            # Everybody is named: whoever was un-routed against the rules comes back.
            route = devices(room, end.committed.after)
            bundle = frames.Bundle(advice, (), route, end.unroute)
            blob = mls.encode_message(end.committed.message)
            turn.request(
                lambda number: frames.Commit(
                    number, room.id, end.key, work.handshake, blob, bundle
                ),
                ToPublish(room.id, end.key, work.handshake),
            )
            room = replace(
                room,
                pending=Pending(
                    end.key,
                    work.handshake,
                    sha256(blob).digest(),
                    end.committed.after,
                    end.wish,
                    work.position,
                ),
            )
            return room.with_live(work=Sent(end.wish))
        case Entering() as end:
            unroute = (end.former,) if end.former else ()
            turn.request(
                lambda number: frames.Join(
                    number, room.id, end.key, work.handshake, end.blob, advice, unroute
                ),
                ToPublish(room.id, end.key, work.handshake),
            )
            room = replace(
                room,
                pending=Pending(
                    end.key, work.handshake, sha256(end.blob).digest(), end.group
                ),
            )
            return room.with_live(work=Sent(None))
        case _:
            assert_never(work.end)


def devices(room: Room, group: mls.Group | None) -> tuple[bytes, ...]:
    """Return the devices that are in a group of the room and to read what is said.

    Who said goodbye has its leaf, and the keys, until somebody takes it out.
    """
    if group is None:
        return ()
    gone = {leaver.device for leaver in room.state.leavers}
    inside = (member.device for member in members_of(group).values())
    return tuple(device for device in inside if device not in gone)


def answered(turn: Turn, purpose: ToPublish, frame: frames.Answer) -> None:
    """Take the relay's answer to what ended a publication."""
    room = turn.room(purpose.room)
    if room is None or not _is_awaited(room, purpose):
        return
    match frame:
        case frames.Done():
            turn.put(_repaired(turn, room))
        case frames.Accepted():
            turn.put(_accepted(heads.keep(turn, room, frame.head), frame))
        case frames.Stale():
            turn.put(_overtaken(turn, room, purpose, frame))
        case frames.Refused():
            refused(turn, room, frame)
        case _:
            pass


def _is_awaited(room: Room, purpose: ToPublish) -> bool:
    """Tell whether the answer is not about a handshake that was given up meanwhile."""
    pending = b"" if room.pending is None else room.pending.key
    return purpose.key in {b"", pending}


def _overtaken(turn: Turn, room: Room, purpose: ToPublish, frame: frames.Stale) -> Room:
    """Read what came first, then begin anew; not at once if there is nothing to read.

    In a room that is being founded there is nobody else who could have said anything.
    """
    room = room.without_pending().with_live(work=None)
    if room.is_member:
        room = room.expecting(frame.handshake).with_live(current=False)
    if room.state.founded and frame.handshake > purpose.handshake:
        return room
    return room.with_live(paused=turn.now + limits.STORAGE_PAUSE)


def _repaired(turn: Turn, room: Room) -> Room:
    work = room.live.work
    room = room.with_live(work=None)
    if isinstance(work, Publication) and isinstance(work.end, Founding):
        return entering.founded(turn, room)
    return room


def _accepted(room: Room, frame: frames.Accepted) -> Room:
    """Mine comes by as an entry like all others; only then the epoch begins.

    Who enters reads from there: what came before is not for this device.
    """
    if room.pending is None or room.is_member:
        return room
    room = entering.pass_over(replace(room, hashes={}))
    room = room.with_state(place=frame.place - 1, hash=None)
    return room.with_live(entered=True, route=Route.OPEN, followed=False, current=False)


def refused(turn: Turn, room: Room, frame: frames.Refused) -> None:
    """Give the work up: for a while, or for good."""
    work = room.live.work
    if frame.code in LATER:
        pause = frame.facts.retry_after or limits.STORAGE_PAUSE
        paused = turn.now + max(pause, limits.SHORTEST_PAUSE)
        room = room.with_live(work=None, paused=paused)
        if room.pending is not None and frame.code is ErrorCode.UNAVAILABLE:
            # It may be stored all the same: the log will tell.
            turn.put(room.with_live(route=Route.UNKNOWN, current=False))
        else:
            turn.put(room.without_pending())
        return
    room = room.without_pending().with_live(work=None)
    if frame.code is ErrorCode.TREE_NEEDED and not room.live.tree_due:
        turn.put(room.with_live(tree_due=True))
        return
    if frame.code is ErrorCode.BEHIND and room.state.founded:
        turn.put(room.with_live(refeeding=frame.facts.place or 0, current=False))
        return
    error = RelayRefusedError(frame.code)
    if room.state.status is RoomStatus.JOINING:
        entering.fail(turn, room, error)
    elif not room.state.founded:
        entering.answer(turn, room.id, error)
        turn.put(outbox.end(turn, room, RoomStatus.LEFT))
    else:
        turn.put(_without_wish(turn, room, work, error))


def _without_wish(
    turn: Turn, room: Room, work: Work | None, error: RelayRefusedError
) -> Room:
    match work:
        case Publication(end=Committing(wish=wish)) | Sent(wish=Wish() as wish):
            return wishes.give_up(turn, room, wish, error)
        case _:
            return room.with_live(stopped=not room.is_member)


def failed(turn: Turn, transfer: Transfer) -> None:
    """The tree did not get through: begin anew in a while."""
    room = turn.room(transfer.room)
    if room is not None and isinstance(room.live.work, Publication):
        paused = turn.now + limits.STORAGE_PAUSE
        turn.put(room.with_live(work=None, paused=paused))
