"""What the whole store holds, in SQL."""

import sqlite3

from tertulia.relay import Usage


def usage(database: sqlite3.Connection) -> Usage:
    """Return what the whole relay stores."""
    row = database.execute(
        "SELECT (SELECT count(*) FROM account), (SELECT count(*) FROM device),"
        " (SELECT count(*) FROM room), (SELECT coalesce(sum(place), 0) FROM room),"
        " (SELECT coalesce(sum(size), 0) FROM room), (SELECT count(*) FROM blob),"
        " (SELECT coalesce(sum(blob_bytes), 0) FROM account)"
    ).fetchone()
    accounts, devices, rooms, entries, size, blobs, blob_bytes = row
    return Usage(
        accounts, devices, rooms, entries, size - blob_bytes, blobs, blob_bytes
    )
