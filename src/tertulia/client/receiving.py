"""What one entry of the log does to a room.

Three outcomes for a handshake. *Applied*: the next epoch begins. *Skipped*: it broke a
rule that everybody can check, so everybody skips it. *Out of step*: my own secret did
not fit, so I cannot tell what the others did; what they send next tells (`doubt`).
An application entry opens, or is void: recorded and named, never a riddle.
"""

from dataclasses import dataclass, replace
from typing import Final, assert_never, cast

import msgspec

from tertulia import mls
from tertulia.client import chores, doubt, entering, leaving, limits, outbox, wishes
from tertulia.client.annotation import Annotation, LeavingClaims
from tertulia.client.content import (
    Content,
    Greeting,
    Leaving,
    Text,
    UnknownContent,
    decode_content,
)
from tertulia.client.errors import UnreadableRoomError
from tertulia.client.events import RoomChanged, SignSeen, Warned
from tertulia.client.handshake_blob import is_sealed, open_commit
from tertulia.client.identity import Member, member_of
from tertulia.client.judgement import RULES
from tertulia.client.lines import (
    keep_line,
    keep_notice,
    keep_void,
    member_of_device,
)
from tertulia.client.links import parse_room_link
from tertulia.client.notices import Notice, notices_of
from tertulia.client.room import Leaver, Pending, Room, Route
from tertulia.client.room_policy import policy_of
from tertulia.client.rows import EntryRow, PutEntry
from tertulia.client.turn import Turn
from tertulia.client.value_errors import UpdateNeededError
from tertulia.client.verdict import leaf_at
from tertulia.client.views import MessageKind, RoomStatus
from tertulia.client.work import Committing, Publication, Sent
from tertulia.codec import CodecError
from tertulia.crypto import CryptoError
from tertulia.errors import PeerError
from tertulia.wire import Kind, account_id, blob_hash, first_hash, frames

# What makes an entry void, or a handshake skipped: everybody finds the same.
# A MisuseError is of what bears my own signature, in somebody else's entry.
_BROKEN: Final = (
    mls.InvalidError,
    mls.MisuseError,
    CodecError,
    CryptoError,
    PeerError,
)


@dataclass(frozen=True, slots=True)
class Logged:
    """An entry at its place, and the running hash after it."""

    entry: frames.Entry
    hash: bytes


def process(turn: Turn, room: Room, logged: Logged) -> Room:
    """Return the room after one more entry."""
    entry = logged.entry
    if entry.device == turn.session.profile.device:
        room = _process_own(turn, room, entry)
    elif entry.kind is Kind.HANDSHAKE:
        room = _process_handshake(turn, room, entry)
    else:
        room = _process_application(turn, room, entry)
    if room.state.status is RoomStatus.OUTDATED:
        return room  # to be looked at again by a newer program
    row = EntryRow(room.id, entry.place, logged.hash, msgspec.msgpack.encode(entry))
    turn.save(PutEntry(row))
    handshake = entry.place if entry.kind is Kind.HANDSHAKE else room.state.handshake
    room = room.with_state(place=entry.place, hash=logged.hash, handshake=handshake)
    hashes = {**room.hashes, entry.place: logged.hash}
    while len(hashes) > limits.KNOWN_HASHES:
        del hashes[next(iter(hashes))]
    return replace(room, hashes=hashes)


def _is_deaf(room: Room) -> bool:
    """Tell whether nothing that others say can be opened.

    Who enters by a link listens on only while it may be that it was never out.
    """
    status, former = room.state.status, room.state.former
    enters = status is RoomStatus.JOINING and former is not RoomStatus.REMOVED
    return room.group is None or status is RoomStatus.LOST or enters


# Entries of my own


def _process_own(turn: Turn, room: Room, entry: frames.Entry) -> Room:
    if entry.kind is Kind.HANDSHAKE:
        pending = room.pending
        if pending is None or pending.key != entry.key:
            return _disown(turn, room, entry)
        if blob_hash(entry) != pending.blob_hash:
            # What all others see is no commit, and skipped; so it is here.
            _accuse(turn, room, entry)
            return _skip(turn, room.without_pending(), entry)
        return _adopt(turn, room, entry, pending)
    for message in room.outbox:
        if message.key == entry.key:
            if entry.blob is not None and entry.blob != message.blob:
                _accuse(turn, room, entry)
                return outbox.fail(turn, room, message, "altered")
            return outbox.settle(turn, room, message, entry.place, entry.time)
    return _disown(turn, room, entry)


def _accuse(turn: Turn, room: Room, entry: frames.Entry) -> None:
    """Under my key stands what I did not send: only the relay could do that."""
    turn.keep_evidence(room.id, "entry_altered", msgspec.msgpack.encode(entry))
    turn.emit(Warned(room.id, "entry_altered", place=entry.place))


def _disown(turn: Turn, room: Room, entry: frames.Entry) -> Room:
    """Somebody else has this device's keys: a copy of the vault, or an older one.

    Who enters may see an attempt of its own that it had given up.
    """
    if room.group is None or room.state.status is RoomStatus.JOINING:
        return room
    turn.set_link(is_copied=True)
    keep_void(turn, room, entry)
    return room


def _adopt(turn: Turn, room: Room, entry: frames.Entry, pending: Pending) -> Room:
    """My handshake was taken: go on in the epoch it started."""
    was_member = room.is_member
    joins = room.state.status is RoomStatus.JOINING
    # What others did while this device was lost is not for me to tell.
    before = None if joins else room.group if was_member else pending.after
    said_goodbye: set[bytes] = set()
    if was_member and before is not None:
        # My commits take along whoever said goodbye.
        said_goodbye = leaving.accounts_leaving(room.state.leavers, before)
    if joins:
        room = _await_sign(turn, room)
    room = room.without_pending().with_state(
        status=RoomStatus.MEMBER,
        unconfirmed=not was_member,
        since=room.state.since if was_member else entry.place,
        doubt=None,
        refreshed=turn.now,
        sent=0,
    )
    if not was_member:
        # An entry of mine that is on its way may stand where I do not read any more.
        room = room.with_live(in_flight=None)
    mine = member_of(pending.after.leaf)
    room = _begin_epoch(
        turn, room, entry, _Step(before, pending.after, mine, said_goodbye)
    )
    return (
        wishes.taken(turn, room, pending)
        if was_member
        else entering.entered(turn, room)
    )


def _await_sign(turn: Turn, room: Room) -> Room:
    """Wait for a word of who made the link, unless that is me."""
    inviter = parse_room_link(room.state.link).inviter
    mine = account_id(turn.session.profile.account_public)
    return room if inviter == mine else room.with_state(inviter=inviter)


# Handshakes of others


@dataclass(frozen=True, slots=True)
class _Step:
    """How an epoch came about: the group before it, who did it, who had left."""

    before: mls.Group | None
    after: mls.Group
    actor: Member
    said_goodbye: set[bytes]


def _process_handshake(turn: Turn, room: Room, entry: frames.Entry) -> Room:
    if _is_deaf(room):
        return room
    if entry.blob is None:
        # Too old for the relay to have it: whatever it did, it cannot be followed.
        turn.emit(RoomChanged(room.id))
        return entering.lose(room)
    if room.pending is not None and room.pending.handshake < entry.place:
        # Another handshake took the place that mine was made for.
        room = _drop_work(replace(room, pending=None))
    try:
        message = _read_handshake(room, entry)
        room = doubt.resolve(turn, room, entry, message.epoch_of())
        group = room.group
        if group is None or room.state.status is RoomStatus.LOST:
            return room
        received = mls.receive(group, message.body, RULES)
        return _take_handshake(turn, room, entry, received)
    except UpdateNeededError as error:
        turn.emit(Warned(room.id, "update_needed", place=entry.place))
        turn.emit(RoomChanged(room.id))
        return entering.outdated(turn, room, error)
    except mls.UnfitPathError as error:
        return _fall_out_of_step(turn, room, entry, error.change)
    except _BROKEN:
        return _refuse(turn, room, entry)


@dataclass(frozen=True, slots=True)
class _Handshake:
    body: mls.PublicMessage | mls.PrivateMessage

    def epoch_of(self) -> int:
        if isinstance(self.body, mls.PrivateMessage):
            return self.body.epoch
        return self.body.content.epoch


def _read_handshake(room: Room, entry: frames.Entry) -> _Handshake:
    """Return the MLS message in an entry; raise one of _BROKEN."""
    blob = entry.blob or b""
    policy = room.policy
    if is_sealed(blob) and policy is not None:
        message = mls.decode_message(open_commit(policy.secret, room.id, blob))
        if not isinstance(message, mls.PublicMessage):
            raise UnreadableRoomError("sealed, and no external commit")
        if not isinstance(message.content.sender, mls.NewMemberCommit):
            raise UnreadableRoomError("a member's commit that is not a PrivateMessage")
        return _Handshake(message)
    message = mls.decode_message(blob)
    if not isinstance(message, mls.PrivateMessage):
        raise UnreadableRoomError("a handshake in the clear")
    return _Handshake(message)


def _fall_out_of_step(
    turn: Turn, room: Room, entry: frames.Entry, change: mls.Change
) -> Room:
    try:
        _check_author(change, entry)
    except UnreadableRoomError:
        return _refuse(turn, room, entry)
    turn.keep_evidence(room.id, "out_of_step", msgspec.msgpack.encode(entry))
    turn.emit(Warned(room.id, "out_of_step", place=entry.place))
    return doubt.begin(_drop_work(room), entry, _author(change))


def _refuse(turn: Turn, room: Room, entry: frames.Entry) -> Room:
    """In doubt I may be the one who is wrong: what others say next will tell."""
    return room if room.state.doubt is not None else _skip(turn, room, entry)


def _take_handshake(
    turn: Turn, room: Room, entry: frames.Entry, received: mls.Received
) -> Room:
    match received:
        case mls.RemovedFromGroup(change):
            annotation = _check_author(change, entry)
            _compare_history(turn, room, annotation, _author(change).name)
            return _removed(turn, room, entry, _author(change))
        case mls.ReceivedCommit(group, change):
            annotation = _check_author(change, entry)
            actor = _author(change)
            _compare_history(turn, room, annotation, actor.name)
            if doubt.leads_astray(room, actor):
                return room
            before = room.group
            said_goodbye: set[bytes] = set()
            if before is not None and isinstance(annotation.claim, LeavingClaims):
                said_goodbye = leaving.accounts_leaving(room.state.leavers, before)
            if chores.owes_greeting(turn.session.profile, change, annotation):
                room = chores.plan_greeting(turn, room)
            room = _drop_work(room)
            if isinstance(change.sender, mls.MemberSender):
                said = doubt.Voice(change.committer, actor, annotation)
                room = doubt.heard_inside(turn, room, said)
            else:
                room = doubt.note_newcomer(room, change.committer)
            step = _Step(before, group, actor, said_goodbye)
            return _begin_epoch(turn, room, entry, step)
        case mls.ReceivedApplication() | mls.ReceivedProposal():
            raise UnreadableRoomError("no commit")
        case _:
            assert_never(received)


def _author(change: mls.Change) -> Member:
    """Return who made a commit: a member as of before, or the one who joins by it."""
    joins = isinstance(change.sender, mls.NewMemberCommit)
    tree = change.tree_after if joins else change.tree_before
    return member_of(leaf_at(tree, change.committer))


def _check_author(change: mls.Change, entry: frames.Entry) -> Annotation:
    """Raise UnreadableRoomError unless entry and commit name one device and key."""
    annotation = Annotation.decode(change.authenticated_data)
    if (annotation.key, _author(change).device) != (entry.key, entry.device):
        raise UnreadableRoomError("the entry is not of the device that made the commit")
    return annotation


def _begin_epoch(turn: Turn, room: Room, entry: frames.Entry, step: _Step) -> Room:
    """Tell what the new epoch brought, and plan what it asks of this client."""
    room = replace(room, group=step.after)
    notices = notices_of(step.before, step.after, step.actor, step.said_goodbye)
    for index, notice in enumerate(notices):
        keep_notice(turn, room, entry, notice, index)
    policy = policy_of(step.after.context)
    leavers = leaving.still_there(room.state.leavers, step.after)
    room = room.with_state(leavers=leavers, name=policy.name, topic=policy.topic)
    turn.emit(RoomChanged(room.id))
    return chores.plan_cleaning(turn, room.with_live(tree_due=False))


def _drop_work(room: Room) -> Room:
    """Give up what was made for an epoch that is over; wishes stay."""
    match room.live.work:
        case Publication(end=Committing()) | Sent():
            return room.with_live(work=None)
        case _:
            return room


def _skip(turn: Turn, room: Room, entry: frames.Entry) -> Room:
    """Everybody skips this handshake; its bundle may have misled the relay."""
    member = member_of_device(room, entry.device)
    person = "" if member is None else member.name
    turn.emit(Warned(room.id, "handshake_skipped", person, entry.place))
    return chores.plan_repair(turn, _drop_work(room))


def _removed(turn: Turn, room: Room, entry: frames.Entry, actor: Member) -> Room:
    """A commit says that I am out. Only what the others do next can tell for sure."""
    me = turn.session.profile.name
    notice = Notice(MessageKind.REMOVED, actor.account, actor.name, me)
    keep_notice(turn, room, entry, notice, 0)
    turn.emit(RoomChanged(room.id))
    # Asked again, the relay says whether it took the commit for what it is.
    room = room.with_live(work=None, route=Route.UNKNOWN, followed=False, current=False)
    if room.state.status is not RoomStatus.JOINING:
        room = room.with_state(status=RoomStatus.REMOVED)
    return doubt.begin(room, entry, actor)


# Application entries


def _process_application(turn: Turn, room: Room, entry: frames.Entry) -> Room:
    if _is_deaf(room):
        return room
    if entry.blob is None:
        return room  # retention removed it
    try:
        message = mls.decode_message(entry.blob)
        if not isinstance(message, mls.PrivateMessage):
            raise UnreadableRoomError("not a PrivateMessage")
        # Before it is opened: the relay counts handshakes, for each costs work.
        if message.content_type is not mls.ContentType.APPLICATION:
            raise UnreadableRoomError("no application data")
        room = doubt.resolve(turn, room, entry, message.epoch)
        group = room.group
        if group is None or room.state.status is RoomStatus.LOST:
            return room
        received = cast("mls.ReceivedApplication", mls.receive(group, message, RULES))
        said = _check_application(entry, group, received)
    except _BROKEN:
        if room.state.doubt is not None:
            return room
        keep_void(turn, room, entry)
        return room
    _compare_history(turn, room, said.annotation, said.member.name)
    # A device sends one text after the other: what it passed over, no entry brings.
    group = received.group.without_skipped_keys(said.leaf)
    voice = doubt.Voice(said.leaf, said.member, said.annotation)
    room = doubt.heard_inside(turn, replace(room, group=group), voice)
    return _take_content(turn, _see_sign(turn, room, said.member), entry, said)


@dataclass(frozen=True, slots=True)
class _Said:
    """Content with who said it, everything about it checked."""

    member: Member
    leaf: int
    annotation: Annotation
    content: Content | UnknownContent


def _check_application(
    entry: frames.Entry, group: mls.Group, received: mls.ReceivedApplication
) -> _Said:
    annotation = Annotation.decode(received.authenticated_data)
    member = member_of(group.leaf_of(received.sender))
    if (annotation.key, member.device) != (entry.key, entry.device):
        raise UnreadableRoomError("the entry is not of the device that wrote it")
    content = decode_content(received.data)
    if isinstance(content, Text):
        policy = policy_of(group.context)
        if policy.role_of(member.account_key) < policy.permissions.post:
            raise UnreadableRoomError("this member may not post")
    return _Said(member, received.sender, annotation, content)


def _see_sign(turn: Turn, room: Room, member: Member) -> Room:
    if not room.state.inviter or room.state.inviter != member.account:
        return room
    turn.emit(SignSeen(room.id))
    return room.with_state(inviter=b"")


def _take_content(turn: Turn, room: Room, entry: frames.Entry, said: _Said) -> Room:
    match said.content:
        case Text(text):
            keep_line(turn, room, entry, said.member, text)
            return room
        case Greeting():
            return room
        case Leaving(signature):
            leaver = Leaver(said.leaf, said.member.device, signature)
            return leaving.heard(turn, room, entry, leaver)
        case UnknownContent():
            keep_line(turn, room, entry, said.member, None)
            return room
        case _:
            assert_never(said.content)


def _compare_history(
    turn: Turn, room: Room, annotation: Annotation, person: str
) -> None:
    """Compare what the sender saw with what I saw; say so if they differ."""
    place = annotation.place
    known = first_hash(room.id) if place == 0 else room.hashes.get(place)
    # Who has seen more than I was shown tells me that something is held back.
    is_ahead = place > room.state.place
    if known == annotation.hash or (known is None and not is_ahead):
        return
    turn.keep_evidence(room.id, "history_disputed", annotation.encode())
    turn.emit(Warned(room.id, "history_disputed", person, place))
