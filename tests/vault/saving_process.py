"""Saves for ever, and says after each save which one it was; a test ends it.

Each save writes many rows that say the same number, so that half a save would show.
"""

import sys
from itertools import count
from pathlib import Path

from tertulia.client import (
    EntryRow,
    MessageRow,
    PutEntry,
    PutEpoch,
    PutMessage,
    PutRoom,
    RoomRow,
    RowChange,
)
from tertulia.vault import ProfileFolder, ProfileLock, open_vault
from tests.vault.samples import KEY, RELAY, ROOM

LINES = 50


def changes(number: int) -> list[RowChange]:
    """Return a save that replaces some rows and adds others."""
    state = b"%d" % number
    rows: list[RowChange] = [PutRoom(RoomRow(ROOM, RELAY, state))]
    for index in range(LINES):
        place = number * LINES + index
        message = b"message %d" % place
        rows.append(PutMessage(MessageRow(ROOM, message, place, state * 100)))
        rows.append(PutEntry(EntryRow(ROOM, place, state, state * 100)))
    return [*rows, PutEpoch(ROOM, state, {b"key": state})]


def main(folder: Path, first: int) -> None:
    """Save from number `first` on."""
    with ProfileLock(folder):
        vault = open_vault(ProfileFolder(folder).vault, KEY)
        for number in count(first):
            vault.save(changes(number))
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
