"""A session: one relay, an account there and its rooms. Items in, effects out.

`step` is the only way a session changes. It reads no clock and does no I/O; what it
wants done it returns, in the order in which it must be done.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias, assert_never

from tertulia.client import (
    commanding,
    connecting,
    enrolment,
    following,
    founding,
    joining,
    publishing,
    sending,
)
from tertulia.client.advance import advance, entries_loaded, wake_at
from tertulia.client.effects import (
    Asked,
    Downloaded,
    Effect,
    EntriesLoaded,
    FrameArrived,
    Item,
    LinkClosed,
    LinkOpened,
    NetworkChanged,
    ProfileChanged,
    RelayMoved,
    Started,
    Ticked,
    TransferFailed,
    Uploaded,
)
from tertulia.client.requests import (
    ForDeviceList,
    ForDevices,
    ForRooms,
    Purpose,
    ToAppend,
    ToCreate,
    ToEnter,
    ToFetch,
    ToFetchGroup,
    ToFollow,
    ToPublish,
    ToRefeed,
    ToReport,
    ToRoute,
    ToUpload,
)
from tertulia.client.room_rows import load_room
from tertulia.client.rows import ProfileRow, RelayRow, StoredRoom
from tertulia.client.state import Phase, Session
from tertulia.client.turn import Turn
from tertulia.client.views import RoomStatus
from tertulia.crypto import Rng
from tertulia.wire import frames

Answerer: TypeAlias = Callable[[Turn, Any, frames.Answer], None]


def _nothing(_turn: Turn, _purpose: Purpose, _frame: frames.Answer) -> None:
    """The answer changes nothing."""


ANSWERERS: Final[Mapping[type[Purpose], Answerer]] = {
    ForDevices: _nothing,
    ForDeviceList: lambda turn, _purpose, frame: enrolment.devices_listed(turn, frame),
    ForRooms: lambda turn, _purpose, frame: following.rooms_listed(turn, frame),
    ToCreate: founding.created,
    ToFollow: following.followed,
    ToFetch: following.page_arrived,
    ToRefeed: following.refed,
    ToAppend: sending.answered,
    ToUpload: publishing.announced,
    ToPublish: publishing.answered,
    ToReport: _nothing,
    ToRoute: _nothing,
    ToEnter: joining.answered,
    ToFetchGroup: joining.group_fetched,
}


def load_session(
    profile: ProfileRow, relay: RelayRow, rooms: Sequence[StoredRoom], rng: Rng
) -> Session:
    """Return the session as it was saved; raise StateError if rows are damaged."""
    loaded = {stored.row.room: load_room(stored) for stored in rooms}
    for name, room in loaded.items():
        if enrolment.is_former(profile, room) and room.is_member:
            loaded[name] = room.with_state(status=RoomStatus.LOST)
    return Session(profile, relay, rng, loaded)


def step(session: Session, item: Item, now: int) -> tuple[Session, Sequence[Effect]]:
    """Take one item at the time `now`, in milliseconds since 1970."""
    turn = Turn(session, now)
    _take(turn, item)
    advance(turn)
    session = replace(turn.session, wake_at=wake_at(turn))
    return session, turn.effects()


def _take(turn: Turn, item: Item) -> None:
    match item:
        case Asked():
            commanding.asked(turn, item)
        case FrameArrived(frame):
            _frame_arrived(turn, frame)
        case LinkOpened():
            connecting.opened(turn, item)
        case LinkClosed():
            connecting.closed(turn, item)
        case Uploaded(number) | Downloaded(number) | TransferFailed(number):
            _transferred(turn, number, item)
        case EntriesLoaded():
            entries_loaded(turn, item)
        case Started():
            connecting.connect(turn)
        case Ticked():
            connecting.retry_if_due(turn)
        case NetworkChanged():
            connecting.network_changed(turn)
        case ProfileChanged(profile):
            connecting.profile_changed(turn, profile)
        case RelayMoved(addresses):
            connecting.moved(turn, addresses)
        case _:
            assert_never(item)


def _frame_arrived(turn: Turn, frame: frames.FromRelay) -> None:
    match frame:
        case frames.Challenge():
            connecting.challenged(turn, frame)
        case frames.Authenticated():
            connecting.authenticated(turn, frame)
        case frames.Goodbye():
            connecting.said_goodbye(turn, frame)
        case _ if turn.link.phase is not Phase.OPEN:
            pass  # whoever says so has not shown to be our relay
        case frames.Entries(request=0):
            following.entries_pushed(turn, frame)
        case frames.Queued():
            # A request that is queued is answered again.
            purpose = turn.session.requests.get(frame.request)
            if isinstance(purpose, ToEnter):
                joining.answered(turn, purpose, frame)
        case frames.GroupReported():
            joining.reported(turn, frame)
        case frames.Answer():
            _answered(turn, frame)
        case frames.Signalled() | frames.Markers():
            pass  # typing and read markers: for a later version
        case _:
            assert_never(frame)


def _answered(turn: Turn, frame: frames.Answer) -> None:
    purpose = turn.take_request(frame.request)
    if purpose is not None:
        ANSWERERS[type(purpose)](turn, purpose, frame)


def _transferred(
    turn: Turn, number: int, item: Uploaded | Downloaded | TransferFailed
) -> None:
    transfer = turn.take_transfer(number)
    if transfer is None:
        return
    match item:
        case Uploaded():
            publishing.uploaded(turn, transfer)
        case Downloaded(data=data):
            joining.downloaded(turn, transfer, data)
        case TransferFailed() if transfer.is_upload:
            publishing.failed(turn, transfer)
        case _:
            joining.failed(turn, transfer)
