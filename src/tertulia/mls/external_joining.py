"""Joining by external commit (RFC 9420 sections 3.3 and 12.4.3.2)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tertulia.crypto import Rng
from tertulia.mls.commit import ByValue
from tertulia.mls.committing import Continuity, Start, Terms, make_commit
from tertulia.mls.errors import InvalidError
from tertulia.mls.extension import ExtensionType, ExternalPub, find_extension
from tertulia.mls.framing import NewMemberCommit, WireFormat
from tertulia.mls.group import Group
from tertulia.mls.group_info import GroupInfo, verify_group_info
from tertulia.mls.joining import NO_AIDS, Aids, check_joined_tree
from tertulia.mls.key_package import Identity
from tertulia.mls.key_schedule import encapsulate_init_secret
from tertulia.mls.leaf_node import LeafNode
from tertulia.mls.policy import Change, Policy
from tertulia.mls.proposal import ExternalInit, PreSharedKey, Proposal, Remove
from tertulia.mls.proposal_list import find_proposals
from tertulia.mls.psk import PreSharedKeyID
from tertulia.mls.public_message import PublicMessage
from tertulia.mls.rules import Rule
from tertulia.mls.transcript import interim_transcript_hash
from tertulia.mls.treekem import PrivateKeys
from tertulia.mls.unverified import Unverified

Authorization: TypeAlias = Callable[[bytes, LeafNode], bytes]


def no_authorization(_kem_output: bytes, _leaf: LeafNode) -> bytes:
    """Say nothing in the message's authenticated data."""
    return b""


@dataclass(frozen=True, slots=True)
class ExternalJoin:
    """How to join from outside.

    `replaces` is a leaf of the same client to remove on the way; `psk_ids` are mixed
    in. `authorize` gets the `kem_output` and the joiner's leaf and returns the
    message's authenticated data, for instance a signature that policies look for.
    """

    identity: Identity
    aids: Aids = NO_AIDS
    replaces: int | None = None
    psk_ids: Sequence[PreSharedKeyID] = ()
    authorize: Authorization = no_authorization


@dataclass(frozen=True, slots=True)
class JoinedExternally:
    """The commit to send, and the group that it joins once it is accepted."""

    message: PublicMessage
    group: Group
    change: Change


def join_externally(
    unverified: Unverified[GroupInfo], plan: ExternalJoin, policy: Policy, rng: Rng
) -> JoinedExternally:
    """Join a group of which the GroupInfo is known; raise InvalidError, CodecError.

    The GroupInfo says nothing of who else is outside: whether it is genuine and fresh
    is for the caller to know.
    """
    suite = plan.identity.suite
    group_info, tree = verify_group_info(unverified, suite, plan.aids.tree)
    context = group_info.group_context
    check_joined_tree(suite, tree, context, policy)
    kem_output, init_secret = encapsulate_init_secret(
        suite, _external_pub(group_info), rng
    )
    start = Start(
        context,
        tree,
        interim_transcript_hash(
            suite, context.confirmed_transcript_hash, group_info.confirmation_tag
        ),
        init_secret,
        plan.identity.signature_key.private,
    )
    named: list[Proposal] = [ExternalInit(kem_output)]
    if plan.replaces is not None:
        named.append(Remove(plan.replaces))
    named += [PreSharedKey(psk_id) for psk_id in plan.psk_ids]
    made = make_commit(
        start,
        find_proposals(suite, NewMemberCommit(), map(ByValue, named), {}),
        Terms(
            identity=plan.identity,
            psks=plan.aids.psks,
            wire_format=WireFormat.PUBLIC_MESSAGE,
            path=True,
            authorize=lambda leaf: (
                b"" if leaf is None else plan.authorize(kem_output, leaf)
            ),
        ),
        policy,
        rng,
    )
    message = PublicMessage(made.signed.content, made.signed.auth)
    nothing_yet = PrivateKeys(made.place.leaf_index, {})
    mine = Continuity(nothing_yet, plan.identity.signature_key.private)
    return JoinedExternally(message, made.start(mine), made.change)


def _external_pub(group_info: GroupInfo) -> bytes:
    data = find_extension(group_info.extensions, ExtensionType.EXTERNAL_PUB)
    if data is None:
        raise InvalidError(Rule.EXTERNAL_PUB)
    return ExternalPub.decode(data).external_pub
