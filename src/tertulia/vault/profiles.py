"""Who I am, and the relays I know, in SQL."""

import apsw
import msgspec

from tertulia.client import ProfileRow, RelayRow
from tertulia.crypto import Secret


def put_profile(database: apsw.Connection, row: ProfileRow) -> None:
    """Replace the profile."""
    database.execute(
        "INSERT OR REPLACE INTO profile VALUES (1, ?, ?, ?, ?, ?, ?, ?)",
        (
            row.account_public,
            None if row.account_key is None else row.account_key.reveal(),
            row.device,
            row.device_public,
            row.device_key.reveal(),
            row.created,
            row.name,
        ),
    )


def profile(database: apsw.Connection) -> ProfileRow | None:
    """Return the profile, None before it was first stored."""
    found = database.execute(
        "SELECT account_public, account_key, device, device_public, device_key,"
        " created, name FROM profile"
    ).fetchone()
    if found is None:
        return None
    account_public, account_key, device, device_public, device_key, *rest = found
    return ProfileRow(
        account_public,
        None if account_key is None else Secret(account_key),
        device,
        device_public,
        Secret(device_key),
        *rest,
    )


def put_relay(database: apsw.Connection, row: RelayRow) -> None:
    """Add or replace a relay."""
    addresses = msgspec.json.encode(row.addresses).decode()
    database.execute(
        "INSERT INTO relay (relay, addresses, counter, invite) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (relay) DO UPDATE SET addresses = excluded.addresses,"
        " counter = excluded.counter, invite = excluded.invite",
        (row.relay, addresses, row.counter, row.invite),
    )


def relays(database: apsw.Connection) -> list[RelayRow]:
    """Return all relays, in order of first use."""
    found = database.execute(
        "SELECT relay, addresses, counter, invite FROM relay ORDER BY number"
    )
    return [
        RelayRow(
            relay,
            msgspec.json.decode(addresses, type=tuple[str, ...]),
            counter,
            invite,
        )
        for relay, addresses, counter, invite in found
    ]
