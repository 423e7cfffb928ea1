"""The vault: saves the changes of a session, and loads what a session or a face asks.

One owner calls it, one call at a time. A save is one transaction; when it returns, it
is on disk. What is not kept for ever, and how much of it, stands beside its queries.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import apsw

from tertulia.client import (
    EntryRow,
    EvidenceRow,
    MessageRow,
    ProfileRow,
    PutEntry,
    RelayRow,
    RowChange,
    StoredRoom,
)
from tertulia.crypto import Secret
from tertulia.vault import changes as carrying_out
from tertulia.vault import entries, evidence, messages, profiles, rooms, store
from tertulia.vault.failures import failures
from tertulia.vault.transaction import transaction

P = ParamSpec("P")
T = TypeVar("T")


class Vault:
    """An open vault. Every call may raise a VaultError."""

    def __init__(self, path: Path, database: apsw.Connection) -> None:
        self._path = path
        self._database = database

    def close(self) -> None:
        """Let go of the file."""
        with failures(self._path):
            self._database.close()

    def save(self, changes: Sequence[RowChange]) -> None:
        """Carry out all changes in order, durably, or none."""
        self._ask(_save, changes)

    def profile(self) -> ProfileRow | None:
        """Return the profile, None in a new vault."""
        return self._ask(profiles.profile)

    def relays(self) -> list[RelayRow]:
        """Return all relays, in order of first use."""
        return self._ask(profiles.relays)

    def rooms(self, relay: bytes) -> list[StoredRoom]:
        """Return all rooms of a relay, in order of first use."""
        return self._ask(rooms.rooms, relay)

    def hash_at(self, room: bytes, place: int) -> bytes | None:
        """Return the running hash at a place; None if no kept entry has it."""
        return self._ask(entries.hash_at, room, place)

    def entries(self, room: bytes, after: int, limit: int) -> list[EntryRow]:
        """Return the first kept entries after a place."""
        return self._ask(entries.entries, room, after, limit)

    def messages(
        self, room: bytes | None, after: int, limit: int, *, newest: bool = False
    ) -> list[MessageRow]:
        """Return lines after a number, of a room or of all, oldest first.

        If there are more than `limit`, these are the first, or else the newest.
        """
        query = messages.newest_messages if newest else messages.messages_after
        return self._ask(query, room, after, limit)

    def message(self, room: bytes | None, message: bytes) -> MessageRow | None:
        """Return the line with an id; its number is where `messages` goes on."""
        return self._ask(messages.message, room, message)

    def count_messages(self, room: bytes) -> int:
        """Return how many lines a room has."""
        return self._ask(messages.count_messages, room)

    def evidence(self) -> list[EvidenceRow]:
        """Return all proofs, in order of arrival."""
        return self._ask(evidence.evidence)

    def _ask(
        self,
        query: Callable[Concatenate[apsw.Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        with failures(self._path):
            return query(self._database, *args, **kwargs)


def create_vault(path: Path, key: Secret) -> Vault:
    """Make a vault without a profile, and open it.

    Raises VaultExistsError or VaultStorageError.
    """
    store.create(path, key, store.schema_steps())
    return open_vault(path, key)


def open_vault(path: Path, key: Secret, steps: Sequence[str] | None = None) -> Vault:
    """Open a vault; an older one is upgraded (`steps`) after a backup beside it.

    Raises MissingVaultError, WrongKeyError, DamagedVaultError, NewerVaultError,
    VaultInUseError or VaultStorageError.
    """
    steps = store.schema_steps() if steps is None else steps
    return Vault(path, store.open_store(path, key, steps))


def _save(database: apsw.Connection, changes: Sequence[RowChange]) -> None:
    with transaction(database):
        for change in changes:
            carrying_out.apply(database, change)
        for room in {
            change.row.room for change in changes if isinstance(change, PutEntry)
        }:
            entries.drop_oldest(database, room)
