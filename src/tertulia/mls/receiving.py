"""Receiving messages of a group (RFC 9420 sections 6, 12.1 and 12.4.2).

    bytes → decode_message → Message → receive → what it means, and the group after it

A refusal is one of three kinds. `InvalidError`, CodecError: everybody refuses alike.
`UnfitPathError`: only my own path secret failed. `UnknownPskError`: give the key and
try again. The old group stays as it was in each case.
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

from tertulia.crypto import Secret
from tertulia.mls.commit import Commit
from tertulia.mls.epoch_change import (
    EpochInputs,
    check_change,
    next_epoch,
    provisional_context,
)
from tertulia.mls.errors import InvalidError, MisuseError, OutOfStepError
from tertulia.mls.extension import external_senders
from tertulia.mls.framing import (
    ApplicationContent,
    AuthenticatedContent,
    CommitContent,
    ExternalSenderIndex,
    FramedContent,
    MemberSender,
    NewMemberCommit,
    NewMemberProposal,
    ProposalContent,
    verify_signature,
)
from tertulia.mls.group import Group, PendingProposal, begin
from tertulia.mls.key_schedule import decapsulate_init_secret
from tertulia.mls.leaf_node import LeafPlace
from tertulia.mls.limits import MAX_PENDING_PROPOSALS
from tertulia.mls.policy import Change, Policy
from tertulia.mls.private_message import PrivateMessage, open_private_message
from tertulia.mls.proposal import Add, Proposal, Remove
from tertulia.mls.proposal_list import (
    ProposalList,
    SentProposal,
    apply_proposals,
    check_proposals,
    check_sender_may_propose,
    find_proposals,
)
from tertulia.mls.psk import PSKs, derive_psk_secret
from tertulia.mls.public_message import PublicMessage, open_public_message
from tertulia.mls.rules import Rule
from tertulia.mls.transcript import check_confirmation_tag
from tertulia.mls.treekem import (
    PrivateKeys,
    ReceivedPath,
    merge_path,
    open_path,
)
from tertulia.mls.unverified import Unverified

NO_PSKS: PSKs = {}


@dataclass(frozen=True, slots=True)
class ReceivedApplication:
    """Application data from the member at leaf `sender`."""

    group: Group
    sender: int
    data: bytes
    authenticated_data: bytes


@dataclass(frozen=True, slots=True)
class ReceivedProposal:
    """A proposal, now pending until a commit names it."""

    group: Group
    sent: SentProposal
    authenticated_data: bytes


@dataclass(frozen=True, slots=True)
class ReceivedCommit:
    """A commit that was applied: `group` is in the next epoch."""

    group: Group
    change: Change


@dataclass(frozen=True, slots=True)
class RemovedFromGroup:
    """A commit that removed me: there is no group to go on with."""

    change: Change


Received: TypeAlias = (
    ReceivedApplication | ReceivedProposal | ReceivedCommit | RemovedFromGroup
)


class UnfitPathError(OutOfStepError):
    """All that everybody can check of a commit holds; its path secret fails for me."""

    def __init__(self, error: OutOfStepError, change: Change) -> None:
        super().__init__(error.node, error.detail)
        self.change = change


def receive(
    group: Group,
    message: PublicMessage | PrivateMessage,
    policy: Policy,
    psks: PSKs = NO_PSKS,
) -> Received:
    """Open, verify and carry out a message of another member or of an outsider.

    Save the returned group before acting on what it brought: the key is used up.
    Raises InvalidError, CodecError, UnfitPathError, UnknownPskError, and MisuseError
    for a PublicMessage of my own: nobody receives those, and the key of a
    PrivateMessage of my own is used up.
    """
    group, unverified = _open(group, message)
    verified = _verify(group, unverified)
    content = verified.content
    match content.sender, content.content:
        case MemberSender(leaf_index), ApplicationContent(data):
            return ReceivedApplication(
                group, leaf_index, data, content.authenticated_data
            )
        case _, ProposalContent(proposal):
            return _receive_proposal(group, verified, proposal)
        case (MemberSender() | NewMemberCommit()) as sender, CommitContent(commit):
            signed = _SignedCommit(verified, sender, commit)
            return _receive_commit(group, signed, policy, psks)
        case _:
            raise InvalidError(Rule.SENDER_TYPE, type(content.sender).__name__)


def _open(
    group: Group, message: PublicMessage | PrivateMessage
) -> tuple[Group, Unverified[AuthenticatedContent]]:
    if isinstance(message, PublicMessage):
        _check_address(group, message.content.group_id, message.content.epoch)
        membership_key = group.epoch.secrets.membership_key
        return group, open_public_message(
            group.suite, membership_key, message, group.context
        )
    _check_address(group, message.group_id, message.epoch)
    secret_tree, opened = open_private_message(
        group.suite, group.private_message_keys(), message
    )
    return group.with_secret_tree(secret_tree), opened


def _check_address(group: Group, group_id: bytes, epoch: int) -> None:
    if group_id != group.context.group_id:
        raise InvalidError(Rule.GROUP_ID)
    if epoch != group.context.epoch:
        raise InvalidError(
            Rule.EPOCH, f"of epoch {epoch}, while I am in {group.context.epoch}"
        )


def _verify(
    group: Group, unverified: Unverified[AuthenticatedContent]
) -> AuthenticatedContent:
    key = _signature_key_of(group, unverified.take_for_checking().content)
    verified = verify_signature(group.suite, unverified, key, group.context)
    # Only now: a forgery in my name is no message of mine, and refused by all alike.
    if verified.content.sender == MemberSender(group.leaf_index):
        raise MisuseError("this is a message of my own")
    return verified


def _signature_key_of(group: Group, content: FramedContent) -> bytes:
    """Return the key that must have signed `content`; raise InvalidError."""
    match content.sender, content.content:
        case MemberSender(leaf_index), _:
            return group.leaf_of(leaf_index).signature_key
        case ExternalSenderIndex(index), _:
            senders = external_senders(group.context.extensions)
            if index >= len(senders):
                raise InvalidError(Rule.EXTERNAL_SENDER, f"there is no sender {index}")
            return senders[index].signature_key
        case NewMemberProposal(), ProposalContent(Add(key_package)):
            return key_package.leaf_node.signature_key
        case NewMemberCommit(), CommitContent(Commit(path=path)) if path is not None:
            return path.leaf_node.signature_key
        case NewMemberCommit(), CommitContent():
            raise InvalidError(Rule.PATH_REQUIRED, "an external commit without a path")
        case _:
            raise InvalidError(Rule.SENDER_TYPE, type(content.sender).__name__)


def _receive_proposal(
    group: Group, verified: AuthenticatedContent, proposal: Proposal
) -> ReceivedProposal:
    sender = verified.content.sender
    check_sender_may_propose(proposal, sender)
    if len(group.traffic.proposals) >= MAX_PENDING_PROPOSALS:
        raise InvalidError(Rule.PROPOSAL_LIMIT)
    reference = verified.proposal_ref(group.suite)
    sent = SentProposal(proposal, sender, reference)
    return ReceivedProposal(
        group.with_proposal(reference, PendingProposal(sent)),
        sent,
        verified.content.authenticated_data,
    )


@dataclass(frozen=True, slots=True)
class _SignedCommit:
    """A commit by somebody who may make one, its signature verified."""

    verified: AuthenticatedContent
    sender: MemberSender | NewMemberCommit
    commit: Commit


def _receive_commit(
    group: Group, signed: _SignedCommit, policy: Policy, psks: PSKs
) -> ReceivedCommit | RemovedFromGroup:
    if group.reinit is not None:
        raise InvalidError(Rule.REINIT_PENDING)
    judged = _judge(group, signed, policy)
    removed = [remove.removed for remove, _ in judged.proposals.of_type(Remove)]
    if group.leaf_index in removed:
        return RemovedFromGroup(judged.change)
    try:
        after = _advance(group, signed.verified, judged, psks)
    except OutOfStepError as error:
        raise UnfitPathError(error, judged.change) from error
    return ReceivedCommit(after, judged.change)


@dataclass(frozen=True, slots=True)
class _Judged:
    """A commit that everybody finds valid, before anything secret was touched."""

    proposals: ProposalList
    path: ReceivedPath | None
    change: Change


def _judge(group: Group, signed: _SignedCommit, policy: Policy) -> _Judged:
    """Check all that does not need my secrets (section 12.4.2); raise InvalidError."""
    sender, commit = signed.sender, signed.commit
    pending = {name: item.sent for name, item in group.traffic.proposals.items()}
    proposals = find_proposals(group.suite, sender, commit.proposals, pending)
    if commit.path is None and proposals.path_required:
        raise InvalidError(Rule.PATH_REQUIRED)
    check_proposals(proposals, group.tree, group.context)
    applied = apply_proposals(proposals, group.tree, group.context)
    place = LeafPlace(group.context.group_id, applied.make_place_for(sender))
    path = None
    if commit.path is not None:
        path = ReceivedPath(commit.path, place, applied.added)
    tree = (
        applied.draft.finish()
        if path is None
        else merge_path(group.suite, applied.draft, path)
    )
    change = Change(
        sender=sender,
        committer=place.leaf_index,
        authenticated_data=signed.verified.content.authenticated_data,
        proposals=proposals.sent,
        new_leaf=None if path is None else path.update.leaf_node,
        context_before=group.context,
        tree_before=group.tree,
        context_after=provisional_context(
            group.suite, group.context, tree, applied.extensions
        ),
        tree_after=tree,
    )
    check_change(change, applied.new_leaves, policy)
    return _Judged(proposals, path, change)


def _advance(
    group: Group, verified: AuthenticatedContent, judged: _Judged, psks: PSKs
) -> Group:
    """Derive the next epoch with my own secrets and check that all agree on it."""
    suite, epoch, change = group.suite, group.epoch, judged.change
    psk_secret = derive_psk_secret(
        suite, judged.proposals.psk_ids, group.known_psks(psks)
    )
    # Before the path: whether this opens, everybody can see.
    init_secret = _init_secret(group, judged.proposals)
    mine = _with_own_update(group, judged.proposals)
    keys = None
    if judged.path is not None:
        context = change.context_after.encode()
        keys = open_path(suite, change.tree_after, judged.path, mine, context)
    inputs = EpochInputs(
        init_secret=init_secret,
        commit_secret=None if keys is None else keys.commit_secret,
        psk_secret=psk_secret,
        interim_transcript_hash=epoch.interim_transcript_hash,
    )
    context_after, started = next_epoch(suite, inputs, change.context_after, verified)
    tag = verified.auth.confirmation_tag or b""
    check_confirmation_tag(
        suite,
        started.secrets.confirmation_key,
        context_after.confirmed_transcript_hash,
        tag,
    )
    after = replace(
        epoch,
        context=context_after,
        tree=change.tree_after,
        secrets=started.secrets,
        confirmation_tag=tag,
        private_keys=mine.moved_to(change.tree_after, keys),
        past_resumption=group.resumption_after(),
        reinit=judged.proposals.reinit,
    )
    return begin(after, started)


def _init_secret(group: Group, proposals: ProposalList) -> Secret:
    external_init = proposals.external_init
    if external_init is None:
        return group.epoch.secrets.init_secret
    external_priv = group.epoch.secrets.external_key_pair(group.suite).private
    return decapsulate_init_secret(group.suite, external_priv, external_init.kem_output)


def _with_own_update(group: Group, proposals: ProposalList) -> PrivateKeys:
    """Return my private keys with that of my own Update, if it is committed."""
    mine = group.epoch.private_keys
    for sent in proposals.sent:
        pending = group.traffic.proposals.get(sent.reference or b"")
        if pending is not None and pending.leaf_key is not None:
            leaf = 2 * group.leaf_index
            return replace(mine, by_node={**mine.by_node, leaf: pending.leaf_key})
    return mine
