"""A database with two accounts, a device each, and a room of both."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tertulia.relay import Enrolment, RepairProposal
from tertulia.server.engines.sqlite import accounts, store
from tertulia.server.engines.sqlite.ledger import Ledger
from tertulia.wire import Device, frames

ALICE = Device(b"a" * 16, b"A" * 32, b"k" * 32, b"d" * 32)
BOB = Device(b"b" * 16, b"B" * 32, b"k" * 32, b"d" * 32)
ROOM = b"r" * 16


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    store.prepare(tmp_path, Random(1).randbytes)
    connection = store.connect(tmp_path / store.DATABASE)
    for device in (ALICE, BOB):
        enrolment = Enrolment(device, 1, None, may_create_account=True)
        assert accounts.enrol(connection, enrolment) is None
    yield connection
    connection.close()


@pytest.fixture
def ledger(database: sqlite3.Connection) -> Ledger:
    made = Ledger(database)
    assert made.create_room(ROOM, ALICE.device, 1) is None
    bundle = frames.Bundle(route=(BOB.device,))
    made.repair(RepairProposal(ROOM, ALICE.device, 0, bundle, 1))
    made.finish()
    return made
