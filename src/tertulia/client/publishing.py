"""Uploading what joiners need of an epoch, then sending the frame that names it.

Every handshake comes with the GroupInfo and the tree of the epoch it starts, sealed.
So does a new room's first word, and a repair.
"""

from dataclasses import replace
from hashlib import sha256
from typing import assert_never

from tertulia import mls
from tertulia.client import entering, heads, limits, outbox, wishes
from tertulia.client.effects import UploadBlob
from tertulia.client.errors import RelayRefusedError
from tertulia.client.group_advice import Position, SealedAdvice, seal_advice
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
    """Seal GroupInfo and tree of `group` and announce both blobs."""
    handshake = room.state.handshake
    position = Position(room.state.place, room.state.hash or first_hash(room.id))
    if isinstance(end, Entering):
        handshake, position = end.handshake, end.position
    policy = policy_of(group.context)
    sealed = seal_advice(group, policy, position, turn.rng)
    for part, blob in enumerate(_blobs(sealed)):
        _announce(turn, room, part, blob)
    work = Publication(end, handshake, position, sealed, policy.retention)
    return room.with_live(work=work)


def _announce(turn: Turn, room: Room, part: int, blob: bytes) -> None:
    size, digest = len(blob), sha256(blob).digest()
    turn.request(
        lambda number: frames.BeginUpload(number, room.id, size, digest),
        ToUpload(room.id, part, digest),
    )


def _blobs(sealed: SealedAdvice) -> tuple[bytes, bytes]:
    return sealed.group_info, sealed.tree


def announced(turn: Turn, purpose: ToUpload, frame: frames.Answer) -> None:
    """Send a blob's bytes to where the relay wants them."""
    room = turn.room(purpose.room)
    if room is None or not isinstance(room.live.work, Publication):
        return
    work = room.live.work
    data = _blobs(work.sealed)[purpose.part]
    if sha256(data).digest() != purpose.digest:
        return  # of an earlier attempt
    match frame:
        case frames.Upload():
            reference = frames.BlobReference(frame.blob, len(data), purpose.digest)
            group_info, tree = work.references
            references = (
                (reference, tree) if purpose.part == 0 else (group_info, reference)
            )
            turn.put(room.with_live(work=replace(work, references=references)))
            turn.transfer(
                lambda number: UploadBlob(
                    number, frame.blob, frame.ticket, data, frame.offset
                ),
                Transfer(room.id, purpose.part, purpose.digest, is_upload=True),
            )
        case frames.Refused():
            refused(turn, room, frame)
        case _:
            pass


def uploaded(turn: Turn, transfer: Transfer) -> None:
    """Send the frame once both blobs are there."""
    room = turn.room(transfer.room)
    if room is None or not isinstance(room.live.work, Publication):
        return
    work = room.live.work
    if sha256(_blobs(work.sealed)[transfer.part]).digest() != transfer.what:
        return  # of an earlier attempt
    work = replace(work, uploaded=work.uploaded | {transfer.part})
    room = room.with_live(work=work)
    group_info, tree = work.references
    if len(work.uploaded) < 2 or group_info is None or tree is None:
        turn.put(room)
        return
    advice = _advice(work, group_info, tree)
    turn.put(_send(turn, room, work, advice))


def _advice(
    work: Publication, group_info: frames.BlobReference, tree: frames.BlobReference
) -> frames.GroupAdvice:
    sealed = work.sealed
    return frames.GroupAdvice(
        group_info,
        tree,
        sealed.member_wrap,
        sealed.wraps,
        sealed.invites,
        work.retention,
    )


def _send(
    turn: Turn, room: Room, work: Publication, advice: frames.GroupAdvice
) -> Room:
    purpose = ToPublish(room.id)
    match work.end:
        case Founding() | Repairing():
            bundle = frames.Bundle(advice, route=devices(room.group))
            turn.request(
                lambda number: frames.Repair(number, room.id, work.handshake, bundle),
                purpose,
            )
            return room
        case Committing() as end:
            # Everybody is named: whoever was un-routed against the rules comes back.
            route = devices(end.committed.after)
            bundle = frames.Bundle(advice, (), route, end.unroute)
            blob = mls.encode_message(end.committed.message)
            turn.request(
                lambda number: frames.Commit(
                    number, room.id, end.key, work.handshake, blob, bundle
                ),
                purpose,
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
                purpose,
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


def devices(group: mls.Group | None) -> tuple[bytes, ...]:
    """Return all devices that are in a group."""
    if group is None:
        return ()
    return tuple(member.device for member in members_of(group).values())


def answered(turn: Turn, purpose: ToPublish, frame: frames.Answer) -> None:
    """Take the relay's answer to what ended a publication."""
    room = turn.room(purpose.room)
    if room is None:
        return
    match frame:
        case frames.Done():
            turn.put(_repaired(turn, room))
        case frames.Accepted():
            turn.put(_accepted(heads.keep(turn, room, frame.head), frame))
        case frames.Stale():
            room = replace(room, pending=None).with_live(work=None)
            turn.put(room.with_live(current=False) if room.is_member else room)
        case frames.Refused():
            refused(turn, room, frame)
        case _:
            pass


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
    room = room.with_state(place=frame.place - 1, hash=None)
    room = replace(room, hashes={})
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
    if frame.code is ErrorCode.BEHIND:
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
    """A blob did not get through: begin anew in a while."""
    room = turn.room(transfer.room)
    if room is not None and isinstance(room.live.work, Publication):
        paused = turn.now + limits.STORAGE_PAUSE
        turn.put(room.with_live(work=None, paused=paused))
