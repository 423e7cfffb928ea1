"""Reaching the relay, proving who each side is, and coming back after a loss.

The relay proves first that it is the one we mean: by the identity that the link named,
over the certificate that we saw. Only then do we prove our device, with a counter that
is on the disk before it is on the wire.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from tertulia.client import enrolment, entering, limits, wishes
from tertulia.client.effects import Connect, Disconnect, LinkClosed, LinkOpened
from tertulia.client.errors import RelayRefusedError
from tertulia.client.events import ConnectionChanged
from tertulia.client.identity import credential_of
from tertulia.client.proofs import prove_invite
from tertulia.client.rows import ProfileRow
from tertulia.client.state import Link, Phase
from tertulia.client.turn import Turn
from tertulia.client.views import Connection
from tertulia.crypto import CryptoError
from tertulia.wire import (
    VERSIONS,
    DeviceProof,
    ErrorCode,
    RelayProof,
    account_id,
    frames,
    parse_link,
)

# Trying again cannot help before a person does something.
FINAL: Final = frozenset(
    {
        ErrorCode.ACCOUNTS_CLOSED,
        ErrorCode.BANNED,
        ErrorCode.INVITE_INVALID,
        ErrorCode.INVITE_REQUIRED,
        ErrorCode.REVOKED,
        ErrorCode.SUPERSEDED,
        ErrorCode.UNSUPPORTED_VERSION,
    }
)


def connect(turn: Turn) -> None:
    """Try to reach the relay now."""
    turn.set_link(phase=Phase.CONNECTING, retry_at=None, reason=None)
    turn.connect(Connect(turn.session.relay.addresses, trusted=turn.link.trusted))
    _tell(turn, Connection.CONNECTING)


def retry_if_due(turn: Turn) -> None:
    """Try again when the time has come."""
    retry = turn.link.retry_at
    if turn.link.phase is Phase.IDLE and retry is not None and retry <= turn.now:
        connect(turn)


def moved(turn: Turn, addresses: tuple[str, ...]) -> None:
    """The relay is to be found elsewhere; go there now unless it is reached."""
    relay = replace(turn.session.relay, addresses=addresses)
    turn.session = replace(turn.session, relay=relay)
    if not turn.is_open:
        network_changed(turn)


def opened(turn: Turn, item: LinkOpened) -> None:
    """Greet the relay."""
    if turn.link.phase is not Phase.CONNECTING:
        return
    nonce = turn.rng(32)
    turn.set_link(
        phase=Phase.GREETED,
        base=item.base,
        certificate=item.certificate,
        trusted=item.trusted,
        nonce=nonce,
    )
    turn.transmit(frames.Hello(VERSIONS, nonce))


def closed(turn: Turn, item: LinkClosed) -> None:
    """Forget what was under way, and plan to come back."""
    if turn.link.phase in {Phase.STOPPED, Phase.IDLE}:
        return  # what is to come was decided when we hung up
    reason = turn.link.reason or item.reason
    _forget_connection(turn)
    _plan_retry(turn, reason)


def network_changed(turn: Turn) -> None:
    """Distrust the link and connect anew at once."""
    if turn.link.phase is Phase.STOPPED:
        return
    if turn.link.phase is not Phase.IDLE:
        turn.connect(Disconnect())
        _forget_connection(turn)
    turn.set_link(failures=0)
    connect(turn)


def challenged(turn: Turn, frame: frames.Challenge) -> None:
    """Check that this is the relay we mean, and prove who we are."""
    link = turn.link
    if link.phase is not Phase.GREETED:
        return
    if not _is_the_relay(turn, frame):
        _drop(turn, "wrong_relay")
        return
    if link.certificate and not frame.certificate and not link.trusted:
        # Somebody else ends TLS: then the system must vouch for who that is.
        turn.set_link(trusted=True)
        turn.connect(Disconnect())
        _forget_connection(turn)
        connect(turn)
        return
    if frame.certificate not in {b"", link.certificate}:
        _drop(turn, "wrong_certificate")
        return
    relay = replace(turn.session.relay, counter=turn.session.relay.counter + 1)
    turn.session = replace(turn.session, relay=relay)
    turn.set_link(
        phase=Phase.PROVING,
        relay_nonce=frame.nonce,
        identity=frame.identity,
        incarnation=frame.incarnation,
    )
    turn.transmit(_authenticate(turn, frame))


def _is_the_relay(turn: Turn, frame: frames.Challenge) -> bool:
    if account_id(frame.identity) != turn.session.relay.relay:
        return False
    proof = RelayProof(
        VERSIONS,
        frame.version,
        turn.link.nonce,
        frame.nonce,
        frame.certificate,
        frame.incarnation,
    )
    try:
        proof.verify(frame.identity, frame.signature)
    except CryptoError:
        return False
    return frame.version in VERSIONS


def _authenticate(turn: Turn, frame: frames.Challenge) -> frames.Authenticate:
    profile, link = turn.session.profile, turn.link
    proof = DeviceProof(
        frame.version,
        frame.identity,
        link.certificate,
        link.nonce,
        frame.nonce,
        profile.device,
        turn.session.relay.counter,
    )
    return frames.Authenticate(
        credential_of(profile).encode(),
        profile.device_public,
        turn.session.relay.counter,
        link.certificate,
        proof.sign(profile.device_key),
        _invite_proof(turn),
    )


def _invite_proof(turn: Turn) -> frames.InviteProof | None:
    """Return the proof by which this account may be made, if it must be."""
    if not turn.session.relay.invite:
        return None
    return prove_invite(turn, parse_link(turn.session.relay.invite).link)


def authenticated(turn: Turn, frame: frames.Authenticated) -> None:
    """Begin to work: the connection is open."""
    if turn.link.phase is not Phase.PROVING:
        return
    turn.set_link(phase=Phase.OPEN, failures=0, reason=None)
    relay = turn.session.relay
    if turn.link.base in relay.addresses:
        # Links lead to where the relay has proved to be, not to where somebody says.
        rest = [each for each in relay.addresses if each != turn.link.base]
        relay = replace(relay, addresses=(turn.link.base, *rest))
    turn.session = replace(turn.session, relay=replace(relay, invite=""))
    enrolment.ask_devices(turn, frame.device_list_version)
    _tell(turn, Connection.ONLINE)


def said_goodbye(turn: Turn, frame: frames.Goodbye) -> None:
    """Note why the relay is about to hang up."""
    reason = frame.code.value
    if turn.link.phase not in {Phase.PROVING, Phase.OPEN}:
        # Whoever says so has not shown to be our relay: it decides nothing.
        turn.set_link(reason=reason)
        return
    if frame.code is ErrorCode.CLONED:
        become_another(turn)
        return
    if frame.code in FINAL:
        _forget_connection(turn)
        turn.set_link(phase=Phase.STOPPED, reason=reason, retry_at=None)
        turn.connect(Disconnect())
        _tell(turn, Connection.STOPPED)
        return
    pause = frame.facts.retry_after
    turn.set_link(reason=reason)
    if pause is not None:
        turn.connect(Disconnect())
        _forget_connection(turn)
        _plan_retry(turn, reason, at_least=pause)


def become_another(turn: Turn) -> None:
    """Go on as another device of the account, and connect as that."""
    turn.connect(Disconnect())
    _forget_connection(turn)
    turn.set_link(is_copied=False)
    if enrolment.renew(turn):
        connect(turn)
        return
    turn.set_link(phase=Phase.STOPPED, reason=ErrorCode.CLONED.value, retry_at=None)
    _tell(turn, Connection.STOPPED)


def profile_changed(turn: Turn, profile: ProfileRow) -> None:
    """Take over what another session made of the profile."""
    is_other_device = profile.device != turn.session.profile.device
    if is_other_device:
        turn.connect(Disconnect())
        _forget_connection(turn)
    enrolment.change_profile(turn, profile)
    if is_other_device:
        connect(turn)


def _drop(turn: Turn, reason: str) -> None:
    """Hang up on whoever this is; another address may lead to the relay."""
    turn.connect(Disconnect())
    _forget_connection(turn)
    addresses = turn.session.relay.addresses
    relay = replace(turn.session.relay, addresses=(*addresses[1:], *addresses[:1]))
    turn.session = replace(turn.session, relay=relay)
    _plan_retry(turn, reason)


def _forget_connection(turn: Turn) -> None:
    """Everything that only this connection knew is gone."""
    turn.session = replace(turn.session, requests={}, transfers={})
    for room in tuple(turn.session.rooms.values()):
        turn.put(replace(room, live=room.live.disconnected()))
    turn.set_link(phase=Phase.IDLE, nonce=b"", relay_nonce=b"")


def disappoint(turn: Turn) -> None:
    """Who the relay shuts out enters and changes nothing: say so at once."""
    error = RelayRefusedError(ErrorCode(turn.link.reason or ""))
    for name in tuple(turn.session.entering):
        room = turn.room(name)
        if room is not None:
            entering.fail(turn, room, error)
    for room in tuple(turn.session.rooms.values()):
        for wish in room.live.wishes:
            turn.put(wishes.give_up(turn, turn.session.rooms[room.id], wish, error))


def _plan_retry(turn: Turn, reason: str, *, at_least: int = 0) -> None:
    failures = turn.link.failures + 1
    pause = max(not_all_at_once(at_least, turn.rng), backoff(failures, turn.rng))
    retry = turn.now + pause
    turn.set_link(phase=Phase.IDLE, failures=failures, retry_at=retry, reason=reason)
    _tell(turn, Connection.OFFLINE)


def backoff(failures: int, rng: Callable[[int], bytes]) -> int:
    """Return how long to wait after so many failures in a row, in milliseconds.

    Between half and all of a time that doubles, so that clients of a restarted relay
    do not come all at once.
    """
    most: int = min(limits.RETRY_FIRST << min(failures - 1, 16), limits.RETRY_LAST)
    return most // 2 + _part(most - most // 2, rng)


def not_all_at_once(pause: int, rng: Callable[[int], bytes]) -> int:
    """Return a pause the relay asked for, or up to twice as long.

    A relay that stops says the same time to everybody.
    """
    return pause + _part(pause, rng)


def _part(whole: int, rng: Callable[[int], bytes]) -> int:
    return int.from_bytes(rng(4), "big") * whole // 2**32


_CONNECTIONS: Final[Mapping[Phase, Connection]] = {
    Phase.IDLE: Connection.OFFLINE,
    Phase.CONNECTING: Connection.CONNECTING,
    Phase.GREETED: Connection.CONNECTING,
    Phase.PROVING: Connection.CONNECTING,
    Phase.OPEN: Connection.ONLINE,
    Phase.STOPPED: Connection.STOPPED,
}


def connection_of(link: Link) -> Connection:
    """Return how a face names the state of the connection."""
    return _CONNECTIONS[link.phase]


def _tell(turn: Turn, connection: Connection) -> None:
    link = turn.link
    event = ConnectionChanged(
        turn.session.relay.relay, connection, link.reason, link.retry_at
    )
    turn.emit(event)
