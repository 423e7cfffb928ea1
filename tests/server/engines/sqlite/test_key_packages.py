"""Key packages in SQL."""

import sqlite3

from tertulia.server.engines.sqlite import key_packages
from tests.server.engines.sqlite.conftest import ALICE, BOB


def test_the_oldest_is_claimed_and_gone(database: sqlite3.Connection) -> None:
    key_packages.publish(database, ALICE.device, (b"1", b"2"), None)
    key_packages.publish(database, BOB.device, (b"3",), b"last")
    (claimed,) = key_packages.claim(database, ALICE.account)
    assert claimed.key_package == b"1"
    assert key_packages.count(database, ALICE.device) == (1, False)
    assert key_packages.count(database, BOB.device) == (1, True)
    left = database.execute("SELECT bytes FROM key_package ORDER BY number")
    assert left.fetchall() == [(b"2",), (b"3",)]
