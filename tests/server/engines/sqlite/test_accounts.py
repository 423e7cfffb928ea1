"""Accounts in SQL; the rules are in the contract."""

import sqlite3

from tertulia.relay import Ban, DeviceListChange, ServerInvite
from tertulia.server.engines.sqlite import accounts
from tests.server.engines.sqlite.conftest import ALICE, BOB


def test_values_come_back_as_they_were(database: sqlite3.Connection) -> None:
    invite = ServerInvite(bytes(16), bytes(32), 1, None, 5, 2, makes_owner=True)
    ban = Ban("192.0.2.1", 1, 2)
    assert accounts.put_server_invite(database, invite)
    accounts.put_ban(database, ban)
    assert accounts.server_invite(database, invite.invite) == invite
    assert accounts.bans(database) == [ban]
    known = accounts.device(database, ALICE.device)
    assert known is not None
    assert (known.account, known.key, known.is_revoked) == (
        ALICE.account,
        ALICE.device_key,
        False,
    )
    assert accounts.room_invite(database, bytes(16), bytes(16)) is None


def test_a_list_of_one_account_revokes_nothing_of_another(
    database: sqlite3.Connection,
) -> None:
    change = DeviceListChange(ALICE.account, 0, (), (BOB.device,), b"signed")
    assert accounts.put_device_list(database, change) == [ALICE.device]
    known = accounts.device(database, BOB.device)
    assert known is not None
    assert not known.is_revoked
