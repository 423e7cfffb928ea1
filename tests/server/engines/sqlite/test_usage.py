"""What the whole store holds."""

import sqlite3

from tertulia.relay import Usage
from tertulia.server.engines.sqlite.ledger import Ledger
from tertulia.server.engines.sqlite.usage import usage


def test_everything_is_counted(database: sqlite3.Connection, ledger: Ledger) -> None:
    ledger.finish()
    assert usage(database) == Usage(2, 2, 1, 0, 0, 0, 0)
