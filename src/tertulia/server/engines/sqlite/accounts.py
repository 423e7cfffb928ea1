"""Accounts, devices, invites to the relay and bans, in SQL."""

import sqlite3
from collections.abc import Sequence

from tertulia.relay import (
    Account,
    Ban,
    DeviceListChange,
    EnrolledDevice,
    Enrolment,
    EnrolmentView,
    RoomInvite,
    ServerInvite,
    object_to_enrolment,
)
from tertulia.server.engines.sqlite import rows
from tertulia.wire import Device, ErrorCode

_ACCOUNT = "account, key, is_owner, created, rooms, blob_bytes"
_DEVICE = "device, account, key, counter, is_revoked"
_SERVER_INVITE = "invite, public_key, created, expires, uses, used, makes_owner"
_ROOM_INVITE = "invite, public_key, wrap, expires, uses, joined, accounts"


def account(database: sqlite3.Connection, account_id: bytes) -> Account | None:
    """Return the account, if there is one."""
    row = database.execute(
        f"SELECT {_ACCOUNT} FROM account WHERE account = ?",  # noqa: S608
        (account_id,),
    ).fetchone()
    return None if row is None else _account(row)


def accounts(database: sqlite3.Connection) -> Sequence[Account]:
    """Return all accounts in order of creation."""
    found = database.execute(f"SELECT {_ACCOUNT} FROM account ORDER BY created")  # noqa: S608
    return [_account(row) for row in found]


def _account(row: tuple[bytes, bytes, int, int, int, int]) -> Account:
    account_id, key, is_owner, created, rooms, blob_bytes = row
    return Account(account_id, key, bool(is_owner), created, rooms, blob_bytes)


def device(database: sqlite3.Connection, device_id: bytes) -> EnrolledDevice | None:
    """Return the device, if it ever enrolled."""
    row = database.execute(
        f"SELECT {_DEVICE} FROM device WHERE device = ?",  # noqa: S608
        (device_id,),
    ).fetchone()
    return None if row is None else rows.device(row)


def enrol(database: sqlite3.Connection, enrolment: Enrolment) -> ErrorCode | None:
    """Add the device, and its account if there is none."""
    new = enrolment.device
    invite = _invite_used(database, enrolment)
    view = EnrolmentView(
        device(database, new.device),
        _count_devices(database, new.account),
        _is_revoked(database, new),
        account(database, new.account) is not None,
        invite,
    )
    objection = object_to_enrolment(view, enrolment)
    if objection is not None:
        return objection
    if not view.has_account:
        _add_account(database, enrolment, invite)
    database.execute(
        "INSERT INTO device (device, account, key) VALUES (?, ?, ?)",
        (new.device, new.account, new.device_key),
    )
    return None


def _count_devices(database: sqlite3.Connection, account_id: bytes) -> int:
    count: int = database.execute(
        "SELECT count(*) FROM device WHERE account = ? AND NOT is_revoked",
        (account_id,),
    ).fetchone()[0]
    return count


def _is_revoked(database: sqlite3.Connection, new: Device) -> bool:
    found = database.execute(
        "SELECT 1 FROM revoked WHERE account = ? AND device = ?",
        (new.account, new.device),
    )
    return found.fetchone() is not None


def _invite_used(
    database: sqlite3.Connection, enrolment: Enrolment
) -> ServerInvite | RoomInvite | None:
    use = enrolment.invite
    if use is None:
        return None
    if use.room:
        return room_invite(database, use.room, use.invite)
    return server_invite(database, use.invite)


def room_invite(
    database: sqlite3.Connection, room: bytes, invite: bytes
) -> RoomInvite | None:
    """Return a room's invite with how often it was used."""
    row = database.execute(
        f"SELECT {_ROOM_INVITE} FROM room_invite WHERE invite = ?"  # noqa: S608
        " AND room = (SELECT number FROM room WHERE room = ?)",
        (invite, room),
    ).fetchone()
    return None if row is None else rows.room_invite(room, row)


def _add_account(
    database: sqlite3.Connection,
    enrolment: Enrolment,
    invite: ServerInvite | RoomInvite | None,
) -> None:
    is_owner = False
    match invite:
        case ServerInvite():
            is_owner = invite.makes_owner
            database.execute(
                "UPDATE server_invite SET used = used + 1 WHERE invite = ?",
                (invite.invite,),
            )
        case RoomInvite():
            database.execute(
                "UPDATE room_invite SET accounts = accounts + 1 WHERE invite = ?"
                " AND room = (SELECT number FROM room WHERE room = ?)",
                (invite.invite.invite, invite.room),
            )
        case None:
            pass
    new = enrolment.device
    database.execute(
        "INSERT INTO account (account, key, is_owner, created) VALUES (?, ?, ?, ?)",
        (new.account, new.account_key, is_owner, enrolment.now),
    )


def connect(database: sqlite3.Connection, device_id: bytes, counter: int) -> int:
    """Raise the device's counter if `counter` is higher; return the one before."""
    before: int = database.execute(
        "SELECT counter FROM device WHERE device = ?", (device_id,)
    ).fetchone()[0]
    if counter > before:
        database.execute(
            "UPDATE device SET counter = ? WHERE device = ?", (counter, device_id)
        )
    return before


def put_device_list(
    database: sqlite3.Connection, change: DeviceListChange
) -> Sequence[bytes] | None:
    """Store a newer list and revoke who it leaves out; return whom, or None."""
    stored = database.execute(
        "UPDATE account SET list = ?, list_bytes = ?"
        " WHERE account = ? AND coalesce(list, -1) < ?",
        (change.number, change.signed, change.account, change.number),
    )
    if stored.rowcount == 0:
        return None
    enrolled = database.execute(
        "SELECT device FROM device WHERE account = ? AND NOT is_revoked",
        (change.account,),
    ).fetchall()
    kept = set(change.listed) - set(change.revoked)
    left_out = [device_id for (device_id,) in enrolled if device_id not in kept]
    database.executemany(
        "UPDATE device SET is_revoked = 1 WHERE device = ?",
        [(device_id,) for device_id in left_out],
    )
    database.executemany(
        "INSERT OR IGNORE INTO revoked VALUES (?, ?)",
        [(change.account, each) for each in {*left_out, *change.revoked}],
    )
    return left_out


def device_list(
    database: sqlite3.Connection, account_id: bytes
) -> tuple[int, bytes] | None:
    """Return number and bytes of the newest list."""
    row: tuple[int, bytes] | None = database.execute(
        "SELECT list, list_bytes FROM account WHERE account = ? AND list IS NOT NULL",
        (account_id,),
    ).fetchone()
    return row


def put_server_invite(database: sqlite3.Connection, invite: ServerInvite) -> bool:
    """Store a new invite; False if the id is taken."""
    stored = database.execute(
        f"INSERT OR IGNORE INTO server_invite ({_SERVER_INVITE})"  # noqa: S608
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            invite.invite,
            invite.public_key,
            invite.created,
            invite.expires,
            invite.uses,
            invite.used,
            invite.makes_owner,
        ),
    )
    return stored.rowcount == 1


def server_invite(database: sqlite3.Connection, invite: bytes) -> ServerInvite | None:
    """Return the invite with how often it was used."""
    row = database.execute(
        f"SELECT {_SERVER_INVITE} FROM server_invite WHERE invite = ?",  # noqa: S608
        (invite,),
    ).fetchone()
    return None if row is None else rows.server_invite(row)


def server_invites(database: sqlite3.Connection) -> Sequence[ServerInvite]:
    """Return all server invites in order of creation."""
    found = database.execute(
        f"SELECT {_SERVER_INVITE} FROM server_invite ORDER BY created"  # noqa: S608
    )
    return [rows.server_invite(row) for row in found]


def remove_server_invite(database: sqlite3.Connection, invite: bytes) -> bool:
    """Remove the invite; False if there is none."""
    removed = database.execute("DELETE FROM server_invite WHERE invite = ?", (invite,))
    return removed.rowcount == 1


def put_ban(database: sqlite3.Connection, ban: Ban) -> None:
    """Store or replace the ban of its subject."""
    database.execute(
        "INSERT OR REPLACE INTO ban VALUES (?, ?, ?)",
        (ban.subject, ban.created, ban.expires),
    )


def remove_ban(database: sqlite3.Connection, subject: str) -> bool:
    """Remove the ban; False if there is none."""
    return (
        database.execute("DELETE FROM ban WHERE subject = ?", (subject,)).rowcount == 1
    )


def bans(database: sqlite3.Connection) -> Sequence[Ban]:
    """Return all bans."""
    return [Ban(*row) for row in database.execute("SELECT * FROM ban ORDER BY created")]
