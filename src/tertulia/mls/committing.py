"""Making commits (RFC 9420 section 12.4.1).

A commit is planned, checked as its receivers will check it, and made. The result holds
both the epoch that the commit starts and the old epoch with the message key used up:
go on from one when the commit is accepted, from the other when it is refused.
`make_commit` serves members here and external joiners in `external_joining`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tertulia.crypto import CipherSuite, Rng, Secret
from tertulia.mls import tree_math
from tertulia.mls.commit import ByReference, ByValue, Commit, ProposalOrRef
from tertulia.mls.epoch_change import (
    EpochInputs,
    check_change,
    next_epoch,
    provisional_context,
)
from tertulia.mls.framing import (
    AuthenticatedContent,
    CommitContent,
    FramedContent,
    MemberSender,
    WireFormat,
    sign,
    with_confirmation_tag,
)
from tertulia.mls.group import Epoch, Group, begin
from tertulia.mls.group_context import GroupContext
from tertulia.mls.group_info import make_group_info
from tertulia.mls.key_package import Identity
from tertulia.mls.key_schedule import NewEpoch
from tertulia.mls.leaf_node import LeafNode, LeafPlace
from tertulia.mls.policy import Change, Policy
from tertulia.mls.private_message import PrivateMessage
from tertulia.mls.proposal import Add, Proposal
from tertulia.mls.proposal_list import (
    ProposalList,
    apply_proposals,
    check_proposals,
    find_proposals,
)
from tertulia.mls.psk import PSKs, ResumptionPSKUsage, derive_psk_secret
from tertulia.mls.public_message import PublicMessage
from tertulia.mls.ratchet_tree import RatchetTree
from tertulia.mls.sending import PRIVATE, Framing, frame
from tertulia.mls.transcript import confirmation_tag
from tertulia.mls.treekem import NewPath, PrivateKeys, create_path
from tertulia.mls.welcome import Newcomer, Welcome, WelcomeKeys, make_welcome


@dataclass(frozen=True, slots=True)
class CommitPlan:
    """What to commit and how.

    `proposals` are my own, `references` name pending ones. Without a `path` a commit
    is smaller and heals nothing; where one is needed it is made anyway.
    `new_identity` replaces what my leaf says of me, its signature key included.
    `continues` is for the first commit of a successor or branch: see `succession`.
    """

    proposals: Sequence[Proposal] = ()
    references: Sequence[bytes] = ()
    psks: PSKs = field(default_factory=dict)
    framing: Framing = PRIVATE
    path: bool = True
    new_identity: Identity | None = None
    tree_in_welcome: bool = True
    continues: ResumptionPSKUsage | None = None


@dataclass(frozen=True, slots=True)
class Committed:
    """A commit to send, and what to go on with.

    `before` is the old epoch with the sent message's key used up, `after` the epoch
    that the commit starts.
    """

    message: PublicMessage | PrivateMessage
    welcome: Welcome | None
    before: Group
    after: Group
    change: Change


def commit(group: Group, plan: CommitPlan, policy: Policy, rng: Rng) -> Committed:
    """Make a commit as a member.

    Raises MisuseError, UnknownPskError, and InvalidError for whatever its receivers
    would refuse.
    """
    group.check_open()
    suite, epoch = group.suite, group.epoch
    identity = plan.new_identity or group.identity
    sender = MemberSender(group.leaf_index)
    named: list[ProposalOrRef] = [ByReference(name) for name in plan.references]
    named += [ByValue(proposal) for proposal in plan.proposals]
    pending = {name: item.sent for name, item in group.traffic.proposals.items()}
    made = make_commit(
        Start(
            group.context,
            group.tree,
            epoch.interim_transcript_hash,
            epoch.secrets.init_secret,
            epoch.signature_key,
        ),
        replace(
            find_proposals(suite, sender, named, pending), continues=plan.continues
        ),
        Terms(
            identity=identity,
            psks=group.known_psks(plan.psks),
            wire_format=plan.framing.wire_format,
            path=plan.path or plan.new_identity is not None,
            authorize=lambda _leaf: plan.framing.authenticated_data,
        ),
        policy,
        rng,
    )
    before, message = frame(group, made.signed, plan.framing.padding, rng)
    after = made.start(
        Continuity(
            epoch.private_keys, identity.signature_key.private, group.resumption_after()
        )
    )
    welcome = None
    if made.proposals.of_type(Add):
        group_info = make_group_info(after, tree=plan.tree_in_welcome)
        welcome = make_welcome(
            suite, group_info, made.welcome_keys(), made.newcomers(), rng
        )
    return Committed(message, welcome, before, after, made.change)


@dataclass(frozen=True, slots=True)
class Start:
    """What a commit sets out from: the epoch, and the key that signs the message."""

    context: GroupContext
    tree: RatchetTree
    interim_transcript_hash: bytes
    init_secret: Secret
    signature_key: Secret


@dataclass(frozen=True, slots=True)
class Terms:
    """How a commit is made.

    `authorize` gets the committer's new leaf (None without a path) and returns the
    message's authenticated data.
    """

    identity: Identity
    psks: PSKs
    wire_format: WireFormat
    path: bool
    authorize: Callable[[LeafNode | None], bytes]


@dataclass(frozen=True, slots=True)
class Continuity:
    """What the committer brings into the next epoch of its own."""

    private_keys: PrivateKeys
    signature_key: Secret
    past_resumption: Mapping[int, Secret] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MadeCommit:
    """A commit that is signed and confirmed, not yet framed, and its epoch."""

    suite: CipherSuite
    proposals: ProposalList
    signed: AuthenticatedContent
    confirmation_tag: bytes
    place: LeafPlace
    path: NewPath | None
    added: tuple[int, ...]
    psk_secret: Secret
    context: GroupContext
    started: NewEpoch
    change: Change

    def start(self, mine: Continuity) -> Group:
        """Return the committer's group in the epoch that the commit starts."""
        epoch = Epoch(
            suite=self.suite,
            context=self.context,
            tree=self.change.tree_after,
            secrets=self.started.secrets,
            confirmation_tag=self.confirmation_tag,
            private_keys=self._private_keys(mine.private_keys),
            signature_key=mine.signature_key,
            past_resumption=mine.past_resumption,
            reinit=self.proposals.reinit,
        )
        return begin(epoch, self.started)

    def _private_keys(self, before: PrivateKeys) -> PrivateKeys:
        """Return the committer's private keys after the commit."""
        tree = self.change.tree_after
        if self.path is None:
            return before.moved_to(tree, None)
        leaf_key = {2 * self.place.leaf_index: self.path.leaf_key}
        moved = before.moved_to(tree, self.path.keys)
        return PrivateKeys(self.place.leaf_index, {**moved.by_node, **leaf_key})

    def welcome_keys(self) -> WelcomeKeys:
        """Return what newcomers need to start where the commit leads."""
        return WelcomeKeys(
            self.started.joiner_secret, self.psk_secret, self.proposals.psk_ids
        )

    def newcomers(self) -> list[Newcomer]:
        """Return who is added, each with the path secret due (section 12.4.3.1)."""
        adds = self.proposals.of_type(Add)
        return [
            Newcomer(add.key_package, self._path_secret_for(leaf_index))
            for (add, _), leaf_index in zip(adds, self.added, strict=True)
        ]

    def _path_secret_for(self, leaf_index: int) -> Secret | None:
        if self.path is None:
            return None
        lowest_shared = next(
            index
            for index, _ in self.path.path
            if tree_math.is_below(2 * leaf_index, index)
        )
        return self.path.keys.path_secrets[lowest_shared]


def make_commit(
    start: Start, proposals: ProposalList, terms: Terms, policy: Policy, rng: Rng
) -> MadeCommit:
    """Check, sign and confirm a commit; raise InvalidError, UnknownPskError."""
    suite = proposals.suite
    check_proposals(proposals, start.tree, start.context)
    psk_secret = derive_psk_secret(suite, proposals.psk_ids, terms.psks)
    applied = apply_proposals(proposals, start.tree, start.context)
    place = LeafPlace(
        start.context.group_id, applied.make_place_for(proposals.committer)
    )
    path = None
    if terms.path or proposals.path_required:
        path = create_path(applied.draft, terms.identity, place, rng)
    tree = applied.draft.finish() if path is None else path.tree
    provisional = provisional_context(suite, start.context, tree, applied.extensions)
    new_leaf = None if path is None else path.leaf
    change = Change(
        sender=proposals.committer,
        committer=place.leaf_index,
        authenticated_data=terms.authorize(new_leaf),
        proposals=proposals.sent,
        new_leaf=new_leaf,
        context_before=start.context,
        tree_before=start.tree,
        context_after=provisional,
        tree_after=tree,
    )
    check_change(change, applied.new_leaves, policy)
    update = commit_secret = None
    if path is not None:
        update = path.encrypt(suite, provisional.encode(), applied.added, rng)
        commit_secret = path.keys.commit_secret
    signed = sign(
        suite,
        start.signature_key,
        terms.wire_format,
        FramedContent(
            start.context.group_id,
            start.context.epoch,
            proposals.committer,
            change.authenticated_data,
            CommitContent(Commit(proposals.named(), update)),
        ),
        start.context,
    )
    inputs = EpochInputs(
        start.init_secret, commit_secret, psk_secret, start.interim_transcript_hash
    )
    context, started = next_epoch(suite, inputs, provisional, signed)
    tag = confirmation_tag(
        suite, started.secrets.confirmation_key, context.confirmed_transcript_hash
    )
    return MadeCommit(
        suite=suite,
        proposals=proposals,
        signed=with_confirmation_tag(signed, tag),
        confirmation_tag=tag,
        place=place,
        path=path,
        added=applied.added,
        psk_secret=psk_secret,
        context=context,
        started=started,
        change=change,
    )
