"""Entering a room from outside: by a link, or again after having lost the thread.

Both are an external commit made from the group's advice. A joiner proves its link to
the relay, takes its turn, checks that what the relay gives fits the link, and signs its
entry with the link's key. Who comes back needs no link: its device key proves which
leaf it replaces.
"""

from dataclasses import replace

from tertulia import mls
from tertulia.client import entering, external_entry, limits, publishing
from tertulia.client.commands import JoinRoom, RoomJoined
from tertulia.client.effects import DownloadBlob
from tertulia.client.errors import (
    AskedAgainError,
    FullRoomError,
    InviteRefusedError,
    RelayRefusedError,
)
from tertulia.client.events import JoinQueued, RoomChanged, Warned
from tertulia.client.group_advice import (
    Position,
    is_current,
    member_wrap_key,
    open_wrap,
)
from tertulia.client.heads import is_genuine
from tertulia.client.links import parse_room_link
from tertulia.client.proofs import prove_invite
from tertulia.client.requests import (
    ToEnter,
    ToFetchGroup,
    ToReport,
    ToRoute,
    Transfer,
)
from tertulia.client.room import Room, RoomState, Route
from tertulia.client.room_policy import RoomPolicy
from tertulia.client.sending import LATER
from tertulia.client.turn import Turn
from tertulia.client.value_errors import SealError
from tertulia.client.views import RoomStatus
from tertulia.client.work import Admission, Checking, Fetched, Repairing
from tertulia.codec import CodecError, OversizeError
from tertulia.crypto import (
    CryptoError,
    NoMlKemError,
    UnsupportedSuiteError,
    lacks_ml_kem,
)
from tertulia.errors import PeerError, TertuliaError
from tertulia.wire import frames

# What can be wrong with what a relay gives to somebody who wants to enter.
_UNFIT = (
    mls.InvalidError,
    CodecError,
    CryptoError,
    PeerError,
    UnsupportedSuiteError,
)


def join(turn: Turn, number: int, command: JoinRoom) -> None:
    """Enter the room of a link; the answer waits until this device is in.

    Raises LinkError, and NoMlKemError before anything is begun.
    """
    link = parse_room_link(command.link)
    if lacks_ml_kem(link.suite):
        raise NoMlKemError
    room = turn.room(link.room)
    if room is not None and room.is_member:
        turn.reply(number, RoomJoined(link.room, already=True))
        return
    turn.put(_to_be_joined(room, link.room, command.link))
    entering.answer(turn, link.room, AskedAgainError())
    entering.await_room(turn, link.room, number)
    turn.emit(RoomChanged(link.room))


def _to_be_joined(room: Room | None, name: bytes, link: str) -> Room:
    """Return the room as one to enter; what it was before is not forgotten."""
    joining = RoomStatus.JOINING
    if room is None:
        return Room(name, RoomState(joining, link=link))
    if room.state.status is joining:
        return room.with_state(link=link)
    room = room.without_pending().with_live(work=None, stopped=False, entered=False)
    return room.with_state(status=joining, link=link, former=room.state.status)


def begin(turn: Turn, room: Room) -> Room:
    """Ask for a turn."""
    link = parse_room_link(room.state.link)
    proof = prove_invite(turn, link)
    turn.request(
        lambda number: frames.RequestAdmission(
            number, room.id, proof.invite, proof.signature
        ),
        ToEnter(room.id),
    )
    return room.with_live(work=Admission())


def begin_again(turn: Turn, room: Room) -> Room:
    """Ask for the group in order to come back."""
    _ask_group(turn, room)
    return room.with_live(work=Admission())


def begin_check(turn: Turn, room: Room) -> Room:
    """Look whether the relay's advice fits my epoch."""
    _ask_group(turn, room)
    return room.with_live(work=Checking(), repair_at=None)


def _ask_group(turn: Turn, room: Room) -> None:
    turn.request(
        lambda number: frames.FetchGroup(number, room.id), ToFetchGroup(room.id)
    )


def answered(turn: Turn, purpose: ToEnter, frame: frames.Answer) -> None:
    """Take the relay's answers to a joiner."""
    room = turn.room(purpose.room)
    if room is None or not isinstance(room.live.work, Admission):
        return
    match frame:
        case frames.Queued():
            turn.emit(JoinQueued(room.id, frame.ahead))
        case frames.Admitted():
            _download(turn, room, frame)
        case frames.Refused():
            _put_off(turn, room, frame)
        case _:
            pass


def group_fetched(turn: Turn, purpose: ToFetchGroup, frame: frames.Answer) -> None:
    """Take the group that was asked for."""
    room = turn.room(purpose.room)
    if room is None:
        return
    work = room.live.work
    match frame:
        case frames.Group() if isinstance(work, Checking):
            turn.put(_check_advice(turn, room, frame))
        case frames.Group() if isinstance(work, Admission):
            _download(turn, room, frame)
        case frames.Refused() if isinstance(work, Admission | Checking):
            _put_off(turn, room, frame)
        case _:
            pass


def _check_advice(turn: Turn, room: Room, frame: frames.Group) -> Room:
    """Repair what the relay tells joiners, if it is not of the epoch I am in."""
    room = room.with_live(work=None)
    group, policy = room.group, room.policy
    if group is None or policy is None or frame.handshake != room.state.handshake:
        return room
    fits = _fits(room, group, policy, frame)
    if room.state.unconfirmed:
        return _judge_entry(turn, room, fits=fits)
    if not fits:
        return publishing.begin(turn, room, Repairing(), group)
    # The advice fits; whom the bundle put out is put in again.
    bundle = frames.Bundle(route=publishing.devices(room, group))
    turn.request(
        lambda number: frames.Repair(number, room.id, frame.handshake, bundle),
        ToRoute(room.id),
    )
    return room


def _fits(
    room: Room, group: mls.Group, policy: RoomPolicy, frame: frames.Group
) -> bool | None:
    """Tell whether advice is of my epoch; None if it does not open."""
    try:
        opened = open_wrap(member_wrap_key(policy.secret), room.id, frame.wrapped)
    except _UNFIT:
        return None
    return is_current(opened, group)


def _judge_entry(turn: Turn, room: Room, *, fits: bool | None) -> Room:
    """Leave the epoch I entered if the room's is another one.

    Advice that does not open is of nobody, or of members who changed the keys. Those
    who are where I am give it anew.
    """
    if fits:
        return room.with_live(reports=0)
    if fits is None and room.live.reports < limits.REPORTS:
        return _report(turn, room).with_live(repair_at=turn.now + limits.REVIEW_PAUSE)
    return _leave_branch(turn, room)


def _leave_branch(turn: Turn, room: Room) -> Room:
    """Nobody is where this device entered: enter again, where the others are."""
    turn.emit(Warned(room.id, "out_of_step"))
    turn.emit(RoomChanged(room.id))
    room = room.without_pending().with_state(unconfirmed=False)
    if not room.state.link:
        return room.with_state(status=RoomStatus.LOST)
    room = replace(room, group=None).with_live(entered=False, work=None)
    return room.with_state(status=RoomStatus.JOINING)


def _put_off(turn: Turn, room: Room, frame: frames.Refused) -> None:
    """The relay does not let this device enter: not yet, or not at all."""
    room = room.with_live(work=None)
    if frame.code in LATER:
        pause = frame.facts.retry_after or limits.STORAGE_PAUSE
        paused = turn.now + max(pause, limits.SHORTEST_PAUSE)
        turn.put(room.with_live(paused=paused))
        return
    if room.is_member:
        turn.put(room)  # it was only to look
        return
    _unfit(turn, room, RelayRefusedError(frame.code))


def _unfit(turn: Turn, room: Room, error: TertuliaError) -> None:
    """Entering is in vain, as far as this connection goes."""
    if room.state.status is RoomStatus.JOINING:
        entering.fail(turn, room, error)
        return
    if not room.live.warned:
        turn.emit(Warned(room.id, "cannot_return"))
    # Somebody's next commit may name this device again.
    later = turn.now + limits.CHORE_PAUSE
    room = room.with_live(reports=0, warned=True)
    turn.put(room.with_live(work=None, paused=later, route=Route.UNKNOWN))


def _download(turn: Turn, room: Room, frame: frames.Admitted | frames.Group) -> None:
    if not is_genuine(turn.link.identity, room.id, frame.head):
        _unfit(turn, room, InviteRefusedError("its signature is wrong"))
        return
    tree, ticket = frame.tree, frame.ticket
    if tree.size > limits.ADVICE:
        _give_back(turn, room, OversizeError(tree.size, limits.ADVICE))
        return
    turn.transfer(
        lambda number: DownloadBlob(number, tree.blob, ticket, tree.size),
        Transfer(room.id, tree.blob, is_upload=False),
    )
    position = Position(frame.head.place, frame.head.hash)
    fetched = Fetched(
        frame.handshake,
        frame.wrapped,
        position,
        tree.blob,
        frame.group_info,
        frame.patches,
    )
    turn.put(room.with_live(work=fetched))


def downloaded(turn: Turn, transfer: Transfer, data: bytes) -> None:
    """Make the external commit once the tree is here."""
    room = turn.room(transfer.room)
    if room is None or not isinstance(room.live.work, Fetched):
        return
    if room.live.work.tree == transfer.what:  # else of an earlier attempt
        _enter(turn, room, room.live.work, data)


def _enter(turn: Turn, room: Room, work: Fetched, tree: bytes) -> None:
    joins = room.state.status is RoomStatus.JOINING
    make = external_entry.enter_by_link if joins else external_entry.enter_again
    try:
        end = make(turn, room, work, tree)
    except (FullRoomError, NoMlKemError) as error:
        _unfit(turn, room, error)
        return
    except _UNFIT as error:
        _give_back(turn, room, error)
        return
    turn.put(publishing.begin(turn, room.with_live(reports=0), end, end.group))


def _give_back(turn: Turn, room: Room, error: TertuliaError) -> None:
    """What the relay gave is of no use: have it given anew, but not for ever."""
    if _is_of_no_use(error) and room.live.reports < limits.REPORTS:
        paused = turn.now + limits.REPORT_PAUSE
        turn.put(_report(turn, room).with_live(work=None, paused=paused))
    else:
        _unfit(turn, room, InviteRefusedError(str(error)))


def _is_of_no_use(error: TertuliaError) -> bool:
    """Tell whether the relay's advice is broken, and not this device unwelcome."""
    if isinstance(error, mls.InvalidError):
        return error.rule is not mls.Rule.POLICY
    return isinstance(error, SealError | CodecError | CryptoError)


def _report(turn: Turn, room: Room) -> Room:
    """Have a member give the advice anew."""
    turn.request(lambda number: frames.ReportGroup(number, room.id), ToReport(room.id))
    return room.with_live(reports=room.live.reports + 1)


def reported(turn: Turn, frame: frames.GroupReported) -> None:
    """Somebody could not enter: give the advice anew, but not for ever."""
    room = turn.room(frame.room)
    if room is not None and room.is_member and room.live.mended <= turn.now:
        turn.put(room.with_live(reported=True))


def begin_mending(turn: Turn, room: Room, group: mls.Group) -> Room:
    """Give the relay advice anew, with the whole tree."""
    mended = turn.now + limits.MEND_PAUSE
    room = room.with_live(reported=False, mended=mended)
    return publishing.begin(turn, room, Repairing(), group)


def failed(turn: Turn, transfer: Transfer) -> None:
    """A blob did not come: ask again in a while."""
    room = turn.room(transfer.room)
    if room is not None and isinstance(room.live.work, Fetched):
        paused = turn.now + limits.STORAGE_PAUSE
        turn.put(room.with_live(work=None, paused=paused))
