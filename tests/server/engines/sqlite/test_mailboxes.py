"""Mailboxes in SQL."""

import sqlite3

from tertulia.server.engines.sqlite import mailboxes
from tertulia.wire import frames
from tests.server.engines.sqlite.conftest import ALICE, BOB, ROOM


def test_numbers_rise_even_after_discarding(database: sqlite3.Connection) -> None:
    welcome = frames.Welcome((ALICE.device, BOB.device), b"w")

    def post() -> list[int]:
        delivered = mailboxes.post(database, (ROOM, 1), [welcome])
        return [delivery.welcome.number for delivery in delivered]

    assert post() == [1, 1]
    mailboxes.discard(database, ALICE.device, 1)
    assert post() == [2, 2]
    assert mailboxes.count(database, ALICE.device) == 1
    waiting, more = mailboxes.welcomes(database, BOB.device, 0)
    assert ([each.number for each in waiting], more) == ([1, 2], False)
