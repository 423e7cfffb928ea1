"""The handshake: both sides prove their keys over both nonces.

The relay speaks first, so that a client knows whom it tells who it is. What fails is
not told apart: every wrong signature, credential or certificate is the same answer.
"""

from typing import Final

from tertulia.codec import CodecError
from tertulia.crypto import CryptoError
from tertulia.relay import invites
from tertulia.relay.effects import Effects, HangUp, Send
from tertulia.relay.engine import EnrolledDevice, Enrolment, InviteUse
from tertulia.relay.node import Node
from tertulia.relay.refusal import Refusal
from tertulia.relay.session import Phase, Session
from tertulia.wire import (
    AccountPolicy,
    Device,
    DeviceCredential,
    DeviceProof,
    ErrorCode,
    RelayProof,
    UnsupportedVersionError,
    choose_version,
    frames,
    limits,
)

NONCE_SIZE: Final = 32


async def greet(node: Node, session: Session, frame: frames.Hello, now: int) -> Effects:
    """Answer a hello with the relay's proof and its challenge."""
    try:
        version = choose_version(frame.versions)
    except UnsupportedVersionError:
        raise Refusal(ErrorCode.UNSUPPORTED_VERSION, fatal=True) from None
    session.phase = Phase.PROVING
    session.version = version
    session.client_nonce = frame.nonce
    session.relay_nonce = node.rng(NONCE_SIZE)
    proof = RelayProof(
        frame.versions,
        version,
        frame.nonce,
        session.relay_nonce,
        node.settings.certificate,
        node.engine.incarnation,
    )
    challenge = frames.Challenge(
        version,
        node.identity.public,
        session.relay_nonce,
        node.settings.certificate,
        node.engine.incarnation,
        now,
        node.settings.accounts,
        proof.sign(node.identity.private),
    )
    return [Send(session, challenge)]


async def authenticate(
    node: Node, session: Session, frame: frames.Authenticate, now: int
) -> Effects:
    """Check the device's proof, enrol it if it is new, and open the connection."""
    # One try only: whatever comes next on this connection finds it closed or open.
    session.phase = Phase.CLOSED
    node.buckets.check(limits.PROOFS, session.place, now)
    device = _proven_device(node, session, frame, now)
    node.require_welcome(device.account.hex(), now)
    known = await node.engine.device(device.device)
    if known is None:
        await _enrol(node, session, frame, device, now)
    else:
        _require_same(known, device)
    await _require_newer(node, device, frame.counter)
    answer = await _opened(node, device)
    if session not in node.sessions:  # it hung up meanwhile
        return []
    effects = cut_off(node, device.device, ErrorCode.SUPERSEDED)
    session.device = device
    session.is_owner = answer.is_owner
    session.phase = Phase.OPEN
    node.by_device[device.device] = session
    effects.append(Send(session, answer))
    return effects


def cut_off(node: Node, device: bytes, code: ErrorCode) -> Effects:
    """End the device's connection, if it has one."""
    session = node.by_device.get(device)
    if session is None:
        return []
    node.forget(session)
    return [Send(session, frames.Goodbye(code)), HangUp(session)]


def _proven_device(
    node: Node, session: Session, frame: frames.Authenticate, now: int
) -> Device:
    try:
        credential = DeviceCredential.decode(frame.credential)
        device = credential.verify(frame.device_key)
        proof = DeviceProof(
            session.version,
            node.identity.public,
            frame.certificate,
            session.client_nonce,
            session.relay_nonce,
            device.device,
            frame.counter,
        )
        proof.verify(frame.device_key, frame.signature)
    except (CodecError, CryptoError):
        raise _failed(node, session, now) from None
    if frame.certificate not in {b"", node.settings.certificate}:
        raise _failed(node, session, now)
    return device


def _failed(node: Node, session: Session, now: int) -> Refusal:
    node.buckets.take(limits.PROOFS, session.place, now)
    return Refusal(ErrorCode.AUTHENTICATION_FAILED, fatal=True)


def _require_same(known: EnrolledDevice, device: Device) -> None:
    if (known.account, known.key) != (device.account, device.device_key):
        raise Refusal(ErrorCode.AUTHENTICATION_FAILED, fatal=True)
    if known.is_revoked:
        raise Refusal(ErrorCode.REVOKED, fatal=True)


async def _enrol(
    node: Node, session: Session, frame: frames.Authenticate, device: Device, now: int
) -> None:
    account = await node.engine.account(device.account)
    use = None
    if account is None:
        node.buckets.take(limits.NEW_ACCOUNTS, session.place, now)
        use = await _permission(node, session, frame.invite, device, now)
    enrolment = Enrolment(device, now, use, account is None)
    refused = await node.engine.enrol(enrolment)
    if refused is not None:
        raise Refusal(refused, fatal=True)


async def _permission(
    node: Node,
    session: Session,
    proof: frames.InviteProof | None,
    device: Device,
    now: int,
) -> InviteUse | None:
    """Return the invite by which a new account comes, None if it needs none."""
    if node.settings.accounts is AccountPolicy.CLOSED and not _is_server_invite(proof):
        raise Refusal(ErrorCode.ACCOUNTS_CLOSED, fatal=True)
    if proof is None:
        if node.settings.accounts is AccountPolicy.OPEN:
            return None
        raise Refusal(ErrorCode.INVITE_REQUIRED, fatal=True)
    await invites.require_proof(node, session, proof, device.device, now)
    return InviteUse(proof.invite, proof.room or b"")


def _is_server_invite(proof: frames.InviteProof | None) -> bool:
    return proof is not None and proof.room is None


async def _require_newer(node: Node, device: Device, counter: int) -> None:
    before = await node.engine.connect(device.device, counter)
    if before >= counter:
        raise Refusal(ErrorCode.CLONED, frames.Facts(counter=before), fatal=True)


async def _opened(node: Node, device: Device) -> frames.Authenticated:
    account = await node.engine.account(device.account)
    one_time, has_last_resort = await node.engine.count_key_packages(device.device)
    listed = await node.engine.device_list(device.account)
    return frames.Authenticated(
        device.account,
        device.device,
        account is not None and account.is_owner,
        one_time,
        has_last_resort,
        listed[0] if listed else 0,
        await node.engine.count_welcomes(device.device),
    )
