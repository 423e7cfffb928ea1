"""Key packages, in SQL."""

import sqlite3
from collections.abc import Sequence

from tertulia.wire import frames, limits


def publish(
    database: sqlite3.Connection,
    device: bytes,
    one_time: Sequence[bytes],
    last_resort: bytes | None,
) -> bool:
    """Add all or none; False if there would be more one-time ones than allowed."""
    there, _ = count(database, device)
    if there + len(one_time) > limits.KEY_PACKAGES_PER_DEVICE:
        return False
    database.executemany(
        "INSERT INTO key_package (device, bytes) VALUES (?, ?)",
        [(device, package) for package in one_time],
    )
    if last_resort is not None:
        database.execute(
            "UPDATE device SET last_resort = ? WHERE device = ?", (last_resort, device)
        )
    return True


def claim(
    database: sqlite3.Connection, account: bytes
) -> Sequence[frames.ClaimedKeyPackage]:
    """Take the oldest of each device that is not revoked; a last resort stays."""
    devices = database.execute(
        "SELECT device, last_resort FROM device WHERE account = ? AND NOT is_revoked"
        " ORDER BY rowid",
        (account,),
    ).fetchall()
    claimed = []
    for device, last_resort in devices:
        package = _take_oldest(database, device)
        if package is not None:
            claimed.append(
                frames.ClaimedKeyPackage(device, package, is_last_resort=False)
            )
        elif last_resort is not None:
            claimed.append(
                frames.ClaimedKeyPackage(device, last_resort, is_last_resort=True)
            )
    return claimed


def _take_oldest(database: sqlite3.Connection, device: bytes) -> bytes | None:
    row = database.execute(
        "SELECT number, bytes FROM key_package WHERE device = ? ORDER BY number LIMIT 1",
        (device,),
    ).fetchone()
    if row is None:
        return None
    number, package = row
    database.execute("DELETE FROM key_package WHERE number = ?", (number,))
    taken: bytes = package
    return taken


def count(database: sqlite3.Connection, device: bytes) -> tuple[int, bool]:
    """Return the number of one-time ones, and whether there is a last resort."""
    row: tuple[int, int] = database.execute(
        "SELECT (SELECT count(*) FROM key_package WHERE device = :device),"
        " EXISTS (SELECT 1 FROM device"
        " WHERE device = :device AND last_resort IS NOT NULL)",
        {"device": device},
    ).fetchone()
    return row[0], bool(row[1])
