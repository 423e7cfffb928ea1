"""One step of a session while it is taken: what is known, and what is to be done.

A turn collects. At its end everything that changed in rooms becomes one `Save`, before
whatever is sent, before whatever is shown: no rule can get that order wrong, because no
rule decides it.
"""

from collections.abc import Callable
from dataclasses import replace

from tertulia.client.commands import AnyAnswer
from tertulia.client.effects import (
    Connect,
    Disconnect,
    DownloadBlob,
    Effect,
    Emit,
    LoadEntries,
    Reply,
    Save,
    Transmit,
    UploadBlob,
)
from tertulia.client.events import AnyEvent
from tertulia.client.requests import ForRooms, Purpose, Transfer
from tertulia.client.room import Room
from tertulia.client.room_rows import changes_of
from tertulia.client.rows import (
    DropRoom,
    EvidenceRow,
    PutEvidence,
    PutProfile,
    PutRelay,
    RowChange,
)
from tertulia.client.state import Link, Phase, Session
from tertulia.crypto import Rng
from tertulia.errors import TertuliaError
from tertulia.wire import frames

Going = Connect | Disconnect | Transmit | UploadBlob | DownloadBlob | LoadEntries


class Turn:
    """A session in the middle of a step."""

    def __init__(self, session: Session, now: int) -> None:
        self._before = session
        self.session = session
        self.now = now
        self._changes: list[RowChange] = []
        self._going: list[Going] = []
        self._showing: list[Emit | Reply] = []

    # What is known

    @property
    def rng(self) -> Rng:
        """Randomness."""
        return self.session.rng

    @property
    def link(self) -> Link:
        """The connection."""
        return self.session.link

    @property
    def is_open(self) -> bool:
        """Whether requests can be sent."""
        return self.session.link.phase is Phase.OPEN

    @property
    def is_asking_rooms(self) -> bool:
        """Whether the list of rooms is on its way."""
        return any(
            isinstance(purpose, ForRooms) for purpose in self.session.requests.values()
        )

    def room(self, room: bytes) -> Room | None:
        """Return a room as it is now."""
        return self.session.rooms.get(room)

    # What changes

    def put(self, room: Room) -> Room:
        """Replace a room, or add one."""
        if self.session.rooms.get(room.id) is room:
            return room
        rooms = {**self.session.rooms, room.id: room}
        self.session = replace(self.session, rooms=rooms)
        return room

    def forget_room(self, room: bytes) -> None:
        """Drop a room that never came to be."""
        rooms = {
            name: kept for name, kept in self.session.rooms.items() if name != room
        }
        self.session = replace(self.session, rooms=rooms)

    def set_link(self, **changes: object) -> None:
        """Replace parts of the connection's state."""
        link = replace(self.session.link, **changes)  # type: ignore[arg-type]
        self.session = replace(self.session, link=link)

    def save(self, *changes: RowChange) -> None:
        """Save rows that belong to no room's state."""
        self._changes += changes

    def keep_evidence(self, room: bytes, code: str, data: bytes) -> None:
        """Save a proof."""
        self.save(PutEvidence(EvidenceRow(room, self.now, code, data)))

    # What is done

    def connect(self, effect: Connect | Disconnect) -> None:
        """Open or close the link."""
        self._going.append(effect)

    def transmit(self, frame: frames.FromClient) -> None:
        """Write a frame."""
        self._going.append(Transmit(frame))

    def request(
        self, make: Callable[[int], frames.FromClient], purpose: Purpose
    ) -> None:
        """Write a frame that will be answered, and remember what for."""
        session = self.session
        number = session.next_request
        self.session = replace(
            session,
            next_request=number % (2**32 - 1) + 1,
            requests={**session.requests, number: purpose},
        )
        self.transmit(make(number))

    def take_request(self, number: int) -> Purpose | None:
        """Return what a request was for, and forget it."""
        requests = dict(self.session.requests)
        purpose = requests.pop(number, None)
        self.session = replace(self.session, requests=requests)
        return purpose

    def transfer(
        self, make: Callable[[int], UploadBlob | DownloadBlob], transfer: Transfer
    ) -> None:
        """Move a blob."""
        session = self.session
        number = session.next_transfer
        self.session = replace(
            session,
            next_transfer=number + 1,
            transfers={**session.transfers, number: transfer},
        )
        self._going.append(make(number))

    def take_transfer(self, number: int) -> Transfer | None:
        """Return what a transfer was for, and forget it."""
        transfers = dict(self.session.transfers)
        transfer = transfers.pop(number, None)
        self.session = replace(self.session, transfers=transfers)
        return transfer

    def load(self, effect: LoadEntries) -> None:
        """Look something up in the vault."""
        self._going.append(effect)

    def emit(self, event: AnyEvent) -> None:
        """Tell the faces."""
        self._showing.append(Emit(event))

    def reply(self, number: int | None, answer: AnyAnswer | TertuliaError) -> None:
        """Answer a command, if a command is to be answered."""
        if number is not None:
            self._showing.append(Reply(number, answer))

    # The end

    def effects(self) -> list[Effect]:
        """Return what is to be done, in order."""
        changes = [*self._profile_changes(), *self._room_changes(), *self._changes]
        effects: list[Effect] = [Save(tuple(changes))] if changes else []
        return [*effects, *self._going, *self._showing]

    def _profile_changes(self) -> list[RowChange]:
        changes: list[RowChange] = []
        if self.session.profile != self._before.profile:
            changes.append(PutProfile(self.session.profile))
        if self.session.relay != self._before.relay:
            changes.append(PutRelay(self.session.relay))
        return changes

    def _room_changes(self) -> list[RowChange]:
        relay = self.session.relay.relay
        changes: list[RowChange] = [
            DropRoom(name)
            for name in self._before.rooms
            if name not in self.session.rooms
        ]
        for name, room in self.session.rooms.items():
            before = self._before.rooms.get(name)
            if room is not before:
                changes += changes_of(before, room, relay)
        return changes
