"""Carries an operator's commands out, on a running relay or on one that is stopped."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from tertulia.crypto import Rng
from tertulia.relay import Ban, Effects, Engine, Relay, Settings
from tertulia.server import commands
from tertulia.server.client_address import UNKNOWN, plain_address
from tertulia.server.clock import Clock
from tertulia.server.commands import Answer, AnyCommand
from tertulia.server.errors import CommandRefusedError
from tertulia.server.identity import fingerprint
from tertulia.server.reach import Reach
from tertulia.server.server_invite import Terms, link_of, new_invite


@dataclass(frozen=True, slots=True)
class Office:
    """What the operator's commands work on."""

    relay: Relay
    engine: Engine
    settings: Settings
    identity: bytes
    reach: Reach
    clock: Clock
    rng: Rng
    back_up: Callable[[Path], Awaitable[None]]
    carry_out: Callable[[Effects], None]


async def carry_out(office: Office, command: AnyCommand) -> Answer:
    """Do what the operator wants; a refusal is an answer. Raises TertuliaError."""
    try:
        return await _carry_out(office, command)
    except CommandRefusedError as error:
        return Answer(refused=error.reason)


async def _carry_out(office: Office, command: AnyCommand) -> Answer:
    match command:
        case commands.ListAccounts():
            return await _accounts(office)
        case commands.ListRooms():
            return await _rooms(office)
        case commands.RemoveRoom(room):
            found = await office.relay.remove_room(_id(room, 16))
            return _done(found, "there is no such room")
        case commands.ShowStorage():
            return await _storage(office)
        case commands.ListBans():
            return await _bans(office)
        case commands.PutBan(subject, duration):
            return await _ban(office, subject, duration)
        case commands.LiftBan(subject):
            lifted = await office.relay.lift_ban(_subject(subject))
            return _done(lifted, "there is no such ban")
        case commands.ListInvites():
            return await _invites(office)
        case commands.CreateInvite():
            return Answer([{"link": await create_invite(office, command)}])
        case commands.RemoveInvite(invite):
            removed = await office.engine.remove_server_invite(_id(invite, 16))
            return _done(removed, "there is no such invite")
        case commands.Backup(folder):
            await office.back_up(Path(folder))
            return Answer([{"folder": folder}])
        case _:
            assert_never(command)


async def create_invite(office: Office, command: commands.CreateInvite) -> str:
    """Store a new server invite and return its link."""
    now = office.clock()
    expires = None if command.duration is None else now + command.duration
    terms = Terms(command.uses, expires, command.makes_owner)
    invite, secret = new_invite(office.rng, now, terms)
    await office.relay.create_server_invite(invite)
    others = tuple(url.partition("://")[2] for url in office.reach.others)
    known_as = bytes.fromhex(fingerprint(office.identity))
    return link_of(invite, secret, known_as, others).url(office.reach.url)


async def _accounts(office: Office) -> Answer:
    return Answer(
        [
            {
                "account": account.account.hex(),
                "owner": account.is_owner,
                "created": account.created,
                "rooms": account.rooms,
                "blob_bytes": account.blob_bytes,
            }
            for account in await office.engine.accounts()
        ]
    )


async def _rooms(office: Office) -> Answer:
    return Answer(
        [
            {
                "room": room.room.hex(),
                "devices": room.devices,
                "entries": room.entries,
                "bytes": room.size,
                "last_used": room.time,
            }
            for room in await office.engine.rooms()
        ]
    )


async def _storage(office: Office) -> Answer:
    usage = await office.engine.usage()
    stored = usage.entry_bytes + usage.blob_bytes
    return Answer(
        [
            {
                "accounts": usage.accounts,
                "devices": usage.devices,
                "rooms": usage.rooms,
                "entries": usage.entries,
                "entry_bytes": usage.entry_bytes,
                "blobs": usage.blobs,
                "blob_bytes": usage.blob_bytes,
                "bytes": stored,
                "limit": office.settings.relay_storage,
            }
        ]
    )


async def _bans(office: Office) -> Answer:
    return Answer(
        [
            {"subject": ban.subject, "created": ban.created, "expires": ban.expires}
            for ban in await office.engine.bans()
        ]
    )


async def _ban(office: Office, subject: str, duration: int | None) -> Answer:
    now = office.clock()
    expires = None if duration is None else now + duration
    effects = await office.relay.ban(Ban(_subject(subject), now, expires))
    office.carry_out(effects)
    return Answer()


async def _invites(office: Office) -> Answer:
    return Answer(
        [
            {
                "invite": invite.invite.hex(),
                "created": invite.created,
                "expires": invite.expires,
                "uses": invite.uses,
                "used": invite.used,
                "makes_owner": invite.makes_owner,
            }
            for invite in await office.engine.server_invites()
        ]
    )


def _id(text: str, size: int) -> bytes:
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != size:
        raise CommandRefusedError(f"an id has {2 * size} hexadecimal digits")
    return value


def _subject(text: str) -> str:
    """Return an account's id or an address, in the spelling the relay compares."""
    address = plain_address(text)
    return _id(text, 32).hex() if address == UNKNOWN else address


def _done(found: bool, otherwise: str) -> Answer:  # noqa: FBT001
    if not found:
        raise CommandRefusedError(otherwise)
    return Answer()
