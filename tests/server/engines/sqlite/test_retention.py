"""Retention in SQL goes a part at a time."""

import sqlite3

import pytest

from tertulia.relay import Proposal, RetentionRules
from tertulia.server.engines.sqlite import retention
from tertulia.server.engines.sqlite.ledger import Ledger
from tertulia.wire import Kind
from tests.server.engines.sqlite.conftest import ALICE, ROOM


def test_no_transaction_drops_more_than_a_part(
    database: sqlite3.Connection, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        key = number.to_bytes(16)
        ledger.append(
            [
                Proposal(
                    ROOM,
                    ALICE.device,
                    key,
                    Kind.APPLICATION,
                    0,
                    b"abc",
                    1,
                    room_limit=1 << 40,
                )
            ]
        )
    ledger.finish()
    monkeypatch.setattr(retention, "_PART", 2)
    rules = RetentionRules(100, 10, 10, 10, 10)
    dropped = [retention.drop_blobs(database, ROOM, rules) for _ in range(4)]
    assert dropped == [(2, 6), (2, 6), (1, 3), (0, 0)]
    assert retention.drop_blobs(database, bytes(16), rules) == (0, 0)
    assert retention.rooms(database) == [ROOM]
    assert retention.past_blobs(database, rules) == []
