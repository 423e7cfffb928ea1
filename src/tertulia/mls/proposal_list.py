"""The proposals of a commit: found, checked, applied (12.1, 12.2, 12.3)."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar, assert_never, get_args

from tertulia.crypto import CipherSuite
from tertulia.mls.commit import ByReference, ByValue, ProposalOrRef
from tertulia.mls.errors import InvalidError
from tertulia.mls.extension import Extensions, check_unique_types
from tertulia.mls.framing import (
    ExternalSenderIndex,
    MemberSender,
    NewMemberCommit,
    NewMemberProposal,
    Sender,
)
from tertulia.mls.group_context import GroupContext
from tertulia.mls.key_package import check_key_package
from tertulia.mls.leaf_node import (
    LeafNode,
    LeafPlace,
    UpdateSource,
    check_leaf,
    check_source,
)
from tertulia.mls.proposal import (
    Add,
    ExternalInit,
    GroupContextExtensions,
    PreSharedKey,
    Proposal,
    ReInit,
    Remove,
    Update,
)
from tertulia.mls.psk import PreSharedKeyID, ResumptionPSK, ResumptionPSKUsage
from tertulia.mls.ratchet_tree import RatchetTree, TreeDraft
from tertulia.mls.rules import Rule

P = TypeVar("P", bound=Proposal)

# A commit with one of these must bring a path (section 12.4, table 6).
_NEED_PATH = (Update, Remove, ExternalInit, GroupContextExtensions)


@dataclass(frozen=True, slots=True)
class SentProposal:
    """A proposal with its sender; `reference` is None in the committer's own."""

    proposal: Proposal
    sender: Sender
    reference: bytes | None = None


@dataclass(frozen=True, slots=True)
class ProposalList:
    """The proposals of one commit, in its order.

    Only the founder of a successor or branch of another group sets `continues`: the
    usage of the resumption PSK that its first commit holds.
    """

    suite: CipherSuite
    committer: MemberSender | NewMemberCommit
    sent: tuple[SentProposal, ...]
    continues: ResumptionPSKUsage | None = None

    def of_type(self, kind: type[P]) -> list[tuple[P, Sender]]:
        """Return the proposals of a type with their senders."""
        return [
            (sent.proposal, sent.sender)
            for sent in self.sent
            if isinstance(sent.proposal, kind)
        ]

    def named(self) -> tuple[ProposalOrRef, ...]:
        """Return the proposals as the commit names them."""
        return tuple(
            ByValue(sent.proposal)
            if sent.reference is None
            else ByReference(sent.reference)
            for sent in self.sent
        )

    @property
    def path_required(self) -> bool:
        """Whether the commit must bring a path: without proposals it must, too."""
        return not self.sent or any(
            isinstance(sent.proposal, _NEED_PATH) for sent in self.sent
        )

    @property
    def psk_ids(self) -> tuple[PreSharedKeyID, ...]:
        """The pre-shared keys to mix in, in their order."""
        return tuple(proposal.psk for proposal, _ in self.of_type(PreSharedKey))

    @property
    def reinit(self) -> ReInit | None:
        """The proposal that ends the group, if there is one."""
        found = self.of_type(ReInit)
        return found[0][0] if found else None

    @property
    def external_init(self) -> ExternalInit | None:
        """The key encapsulation of an external commit."""
        found = self.of_type(ExternalInit)
        return found[0][0] if found else None


def find_proposals(
    suite: CipherSuite,
    committer: MemberSender | NewMemberCommit,
    named: Iterable[ProposalOrRef],
    pending: Mapping[bytes, SentProposal],
) -> ProposalList:
    """Return the proposals that a commit names; raise InvalidError if one is unknown."""
    sent = []
    for item in named:
        match item:
            case ByValue(proposal):
                sent.append(SentProposal(proposal, committer))
            case ByReference(reference):
                if reference not in pending:
                    raise InvalidError(Rule.PROPOSAL_REFERENCE)
                sent.append(pending[reference])
            case _:
                assert_never(item)
    return ProposalList(suite, committer, tuple(sent))


def check_proposals(
    proposals: ProposalList, tree: RatchetTree, context: GroupContext
) -> None:
    """Raise InvalidError unless the proposals may be committed together (12.2)."""
    match proposals.committer:
        case MemberSender(leaf_index):
            _check_member_list(proposals, leaf_index)
        case NewMemberCommit():
            _check_external_list(proposals)
        case _:
            assert_never(proposals.committer)
    _check_changes_per_leaf(proposals)
    _check_psks(proposals)
    _check_reinit(proposals, context)
    _check_group_context_extensions(proposals)
    for add, _ in proposals.of_type(Add):
        check_key_package(add.key_package, proposals.suite)
    for update, sender in proposals.of_type(Update):
        _check_update(proposals.suite, update, sender, tree, context.group_id)
    for remove, _ in proposals.of_type(Remove):
        if tree.leaf(remove.removed) is None:
            raise InvalidError(Rule.REMOVE_LEAF, f"leaf {remove.removed} is blank")
    _check_adds(proposals, tree)


def _check_member_list(proposals: ProposalList, committer: int) -> None:
    if proposals.of_type(ExternalInit):
        raise InvalidError(Rule.EXTERNAL_INIT_BY_MEMBER)
    for sent in proposals.sent:
        if isinstance(sent.proposal, Update):
            if sent.reference is None:
                raise InvalidError(Rule.UPDATE_BY_VALUE)
            if sent.sender == proposals.committer:
                raise InvalidError(Rule.UPDATE_BY_COMMITTER)
    if any(remove.removed == committer for remove, _ in proposals.of_type(Remove)):
        raise InvalidError(Rule.REMOVE_COMMITTER)


def _check_external_list(proposals: ProposalList) -> None:
    if any(sent.reference is not None for sent in proposals.sent):
        raise InvalidError(Rule.EXTERNAL_BY_VALUE)
    if len(proposals.of_type(ExternalInit)) != 1:
        raise InvalidError(Rule.EXTERNAL_INIT_ONCE)
    if len(proposals.of_type(Remove)) > 1:
        raise InvalidError(Rule.EXTERNAL_PROPOSALS, "more than one Remove")
    for sent in proposals.sent:
        if not isinstance(sent.proposal, ExternalInit | Remove | PreSharedKey):
            kind = type(sent.proposal).__name__
            raise InvalidError(Rule.EXTERNAL_PROPOSALS, f"{kind} is not allowed")


def _check_changes_per_leaf(proposals: ProposalList) -> None:
    changed = [remove.removed for remove, _ in proposals.of_type(Remove)]
    changed += [_updated_leaf(sender) for _, sender in proposals.of_type(Update)]
    if len(changed) != len(set(changed)):
        raise InvalidError(Rule.ONE_CHANGE_PER_LEAF)


def _updated_leaf(sender: Sender) -> int:
    if not isinstance(sender, MemberSender):
        raise InvalidError(Rule.PROPOSAL_SENDER, "an Update by somebody outside")
    return sender.leaf_index


def _check_psks(proposals: ProposalList) -> None:
    psk_ids = proposals.psk_ids
    if len(psk_ids) != len(set(psk_ids)):
        raise InvalidError(Rule.PSK_ONCE)
    for psk_id in psk_ids:
        if len(psk_id.psk_nonce) != proposals.suite.kdf.size:
            raise InvalidError(Rule.PSK_NONCE)
        allowed = (ResumptionPSKUsage.APPLICATION, proposals.continues)
        if isinstance(psk_id.psk, ResumptionPSK) and psk_id.psk.usage not in allowed:
            raise InvalidError(Rule.PSK_USAGE)


def _check_reinit(proposals: ProposalList, context: GroupContext) -> None:
    reinit = proposals.reinit
    if reinit is None:
        return
    if len(proposals.sent) > 1:
        raise InvalidError(Rule.REINIT_ALONE)
    if reinit.version < context.version:
        raise InvalidError(Rule.REINIT_VERSION)
    check_unique_types(reinit.extensions)


def _check_group_context_extensions(proposals: ProposalList) -> None:
    found = proposals.of_type(GroupContextExtensions)
    if len(found) > 1:
        raise InvalidError(Rule.ONE_GROUP_CONTEXT_EXTENSIONS)
    for proposal, _ in found:
        check_unique_types(proposal.extensions)


def _check_update(
    suite: CipherSuite,
    update: Update,
    sender: Sender,
    tree: RatchetTree,
    group_id: bytes,
) -> None:
    leaf_index = _updated_leaf(sender)
    before = tree.leaf(leaf_index)
    if before is None:
        raise InvalidError(Rule.SENDER_LEAF, f"leaf {leaf_index} is blank")
    check_source(update.leaf_node, UpdateSource)
    check_leaf(update.leaf_node, suite, LeafPlace(group_id, leaf_index))
    if update.leaf_node.encryption_key == before.encryption_key:
        raise InvalidError(Rule.UPDATE_KEY)


def _check_adds(proposals: ProposalList, tree: RatchetTree) -> None:
    """Refuse to add a client twice, or one that stays (12.2).

    Clients are told apart by signature key; the application may know better and say
    so in its policy.
    """
    added = Counter(
        add.key_package.leaf_node.signature_key for add, _ in proposals.of_type(Add)
    )
    removed = {remove.removed for remove, _ in proposals.of_type(Remove)}
    stays = (
        leaf.signature_key for index, leaf in tree.members() if index not in removed
    )
    if added and (max(added.values()) > 1 or any(key in added for key in stays)):
        raise InvalidError(Rule.ADD_ONCE)


@dataclass(frozen=True, slots=True)
class AppliedProposals:
    """A draft of the tree with the proposals applied, and what else they say."""

    draft: TreeDraft
    extensions: Extensions
    added: tuple[int, ...]
    new_leaves: tuple[LeafNode, ...]

    def make_place_for(self, committer: MemberSender | NewMemberCommit) -> int:
        """Return the committer's leaf index; a joiner gets the leftmost free place.

        That may widen the tree; raises InvalidError as `free_place` does.
        """
        if isinstance(committer, MemberSender):
            return committer.leaf_index
        return self.draft.free_place()


def apply_proposals(
    proposals: ProposalList, tree: RatchetTree, context: GroupContext
) -> AppliedProposals:
    """Apply checked proposals in the order of section 12.3."""
    draft = tree.edit()
    extensions = context.extensions
    for change, _ in proposals.of_type(GroupContextExtensions):
        extensions = change.extensions
    updates = proposals.of_type(Update)
    for update, sender in updates:
        draft.update_leaf(_updated_leaf(sender), update.leaf_node)
    removes = proposals.of_type(Remove)
    for remove, _ in removes:
        draft.remove_leaf(remove.removed)
    if removes:
        draft.truncate()
    adds = [add.key_package.leaf_node for add, _ in proposals.of_type(Add)]
    added = tuple(draft.add_leaf(leaf) for leaf in adds)
    new_leaves = (*(update.leaf_node for update, _ in updates), *adds)
    return AppliedProposals(draft, extensions, added, new_leaves)


# Members may propose anything, outsiders what section 12.1.8 lists.
_MAY_PROPOSE: Mapping[type[Sender], tuple[type[Proposal], ...]] = {
    MemberSender: get_args(Proposal),
    ExternalSenderIndex: (Add, Remove, PreSharedKey, ReInit, GroupContextExtensions),
    NewMemberProposal: (Add,),
    NewMemberCommit: (),
}


def check_sender_may_propose(proposal: Proposal, sender: Sender) -> None:
    """Raise InvalidError unless `sender` may propose this (section 12.1.8)."""
    allowed = _MAY_PROPOSE[type(sender)]
    if not isinstance(proposal, allowed):
        name = f"{type(proposal).__name__} by {type(sender).__name__}"
        raise InvalidError(Rule.PROPOSAL_SENDER, name)
