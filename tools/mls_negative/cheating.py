"""Somebody who cheats: commits and messages with one thing wrong.

What follows from the one thing is made right again (signatures, hashes, tags), so that
only a check of that very thing can tell. `Flaw` says where to put it; without one, what
is made is valid.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from tertulia.crypto import KeyPair, Rng, Secret
from tertulia.mls import (
    ByReference,
    ByValue,
    Commit,
    Group,
    GroupContext,
    GroupInfo,
    Identity,
    LeafNode,
    MemberSender,
    NewMemberCommit,
    Proposal,
    PSKs,
    PublicMessage,
    RatchetTree,
    Remove,
    SentProposal,
    WireFormat,
    encode_message,
)
from tertulia.mls.committing import Start
from tertulia.mls.epoch_change import EpochInputs, next_epoch, provisional_context
from tertulia.mls.framing import (
    AuthenticatedContent,
    CommitContent,
    Content,
    FramedContent,
    ProposalContent,
    sign,
    to_be_signed,
    with_confirmation_tag,
)
from tertulia.mls.key_package import new_leaf
from tertulia.mls.leaf_node import CommitSource, LeafPlace
from tertulia.mls.parent_hash import link_path
from tertulia.mls.proposal_list import ProposalList, apply_proposals, find_proposals
from tertulia.mls.psk import derive_psk_secret
from tertulia.mls.ratchet_tree import TreeDraft
from tertulia.mls.transcript import confirmation_tag, interim_transcript_hash
from tertulia.mls.treekem import NewPath, PathKeys, UpdatePath, derive_path

T = TypeVar("T")


def as_it_is(value: T) -> T:
    """Leave `value` alone."""
    return value


@dataclass(frozen=True, slots=True)
class Flaw:
    """Where a message goes wrong; each field changes what its name says."""

    leaf: Callable[[LeafNode], LeafNode] = as_it_is
    signed_leaf: Callable[[LeafNode], LeafNode] = as_it_is
    public_keys: Callable[[list[bytes]], list[bytes]] = as_it_is
    path_context: Callable[[GroupContext], GroupContext] = as_it_is
    update_path: Callable[[UpdatePath], UpdatePath] = as_it_is
    commit: Callable[[Commit], Commit] = as_it_is
    content: Callable[[FramedContent], FramedContent] = as_it_is
    signature: Callable[[bytes], bytes] = as_it_is
    confirmation_tag: Callable[[bytes], bytes] = as_it_is
    membership_tag: Callable[[bytes], bytes] = as_it_is


NO_FLAW = Flaw()


@dataclass(frozen=True, slots=True)
class Cheat:
    """Who cheats: where their commits start, as whom they speak, what they know."""

    start: Start
    sender: MemberSender | NewMemberCommit
    identity: Identity
    rng: Rng
    psks: PSKs
    pending: Sequence[SentProposal] = ()
    membership_key: Secret | None = None

    def commit(
        self,
        proposals: Iterable[ByReference | Proposal] = (),
        flaw: Flaw = NO_FLAW,
        *,
        path: bool = True,
    ) -> bytes:
        """Return a commit as a PublicMessage, of a path unless told otherwise."""
        suite, start = self.identity.suite, self.start
        named = [
            item if isinstance(item, ByReference) else ByValue(item)
            for item in proposals
        ]
        pending = {sent.reference or b"": sent for sent in self.pending}
        found = find_proposals(suite, self.sender, named, pending)
        applied = apply_proposals(
            _possible(found, start.tree), start.tree, start.context
        )
        place = LeafPlace(start.context.group_id, applied.make_place_for(self.sender))
        new_path = self._path(applied.draft, place, flaw) if path else None
        tree = applied.draft.finish() if new_path is None else new_path.tree
        provisional = provisional_context(
            suite, start.context, tree, applied.extensions
        )
        update = commit_secret = None
        if new_path is not None:
            context = flaw.path_context(provisional).encode()
            encrypted = new_path.encrypt(suite, context, applied.added, self.rng)
            update = flaw.update_path(encrypted)
            commit_secret = new_path.keys.commit_secret
        commit = flaw.commit(Commit(found.named(), update))
        signed = self._sign(CommitContent(commit), flaw)
        inputs = EpochInputs(
            start.init_secret,
            commit_secret,
            derive_psk_secret(suite, found.psk_ids, self.psks),
            start.interim_transcript_hash,
        )
        context_after, started = next_epoch(suite, inputs, provisional, signed)
        tag = confirmation_tag(
            suite,
            started.secrets.confirmation_key,
            context_after.confirmed_transcript_hash,
        )
        return self._frame(
            with_confirmation_tag(signed, flaw.confirmation_tag(tag)), flaw
        )

    def propose(self, proposal: Proposal, flaw: Flaw = NO_FLAW) -> bytes:
        """Return a proposal as a PublicMessage."""
        return self.say(ProposalContent(proposal), flaw)

    def say(self, content: Content, flaw: Flaw = NO_FLAW) -> bytes:
        """Return any content as a PublicMessage."""
        return self._frame(self._sign(content, flaw), flaw)

    def _path(self, draft: TreeDraft, place: LeafPlace, flaw: Flaw) -> NewPath:
        suite = self.identity.suite
        path = draft.filtered_direct_path(place.leaf_index)
        leaf_key = suite.generate_kem_key_pair(self.rng)
        keys = derive_path(suite, suite.random(self.rng), [index for index, _ in path])
        pairs = [keys.key_pairs[index] for index, _ in path]
        publics = flaw.public_keys([pair.public for pair in pairs])
        shown = {
            index: KeyPair(pair.private, public)
            for (index, _), pair, public in zip(path, pairs, publics, strict=True)
        }
        parent_hash, nodes = link_path(suite, draft, path, publics)
        leaf = new_leaf(
            self.identity, leaf_key.public, CommitSource(parent_hash), place
        )
        if flaw.leaf is not as_it_is:
            key = self.identity.signature_key.private
            leaf = flaw.leaf(leaf).sign(suite, key, place)
        leaf = flaw.signed_leaf(leaf)
        draft.update_leaf(place.leaf_index, leaf)
        for (index, _), node in zip(path, nodes, strict=True):
            draft.set_node(index, node)
        return NewPath(
            draft.finish(),
            leaf,
            leaf_key.private,
            path,
            PathKeys(keys.path_secrets, shown, keys.commit_secret),
        )

    def _sign(self, content: Content, flaw: Flaw) -> AuthenticatedContent:
        context = self.start.context
        framed = FramedContent(
            context.group_id, context.epoch, self.sender, b"", content
        )
        signed = sign(
            self.identity.suite,
            self.start.signature_key,
            WireFormat.PUBLIC_MESSAGE,
            flaw.content(framed),
            context,
        )
        auth = replace(signed.auth, signature=flaw.signature(signed.auth.signature))
        return replace(signed, auth=auth)

    def _frame(self, signed: AuthenticatedContent, flaw: Flaw) -> bytes:
        """Return a PublicMessage; unlike the engine, of application data, too."""
        tag = None
        if isinstance(signed.content.sender, MemberSender):
            to_be_tagged = bytearray(
                to_be_signed(signed.wire_format, signed.content, self.start.context)
            )
            signed.auth.write(to_be_tagged)
            key = self.membership_key or Secret(b"")
            tag = self.identity.suite.mac(key, bytes(to_be_tagged))
            tag = flaw.membership_tag(tag)
        return encode_message(PublicMessage(signed.content, signed.auth, tag))


def _possible(proposals: ProposalList, tree: RatchetTree) -> ProposalList:
    """Return the proposals that can be applied: nobody is removed who is not there."""
    kept = tuple(
        item
        for item in proposals.sent
        if not isinstance(item.proposal, Remove)
        or tree.leaf(item.proposal.removed) is not None
    )
    return replace(proposals, sent=kept)


def cheating_member(group: Group, rng: Rng, psks: PSKs | None = None) -> Cheat:
    """Return the member whose group this is, as a cheat."""
    return Cheat(
        Start(
            group.context,
            group.tree,
            group.epoch.interim_transcript_hash,
            group.epoch.secrets.init_secret,
            group.epoch.signature_key,
        ),
        MemberSender(group.leaf_index),
        group.identity,
        rng,
        group.known_psks(psks or {}),
        [item.sent for item in group.traffic.proposals.values()],
        group.epoch.secrets.membership_key,
    )


def cheating_joiner(
    group_info: GroupInfo,
    tree: RatchetTree,
    identity: Identity,
    init_secret: Secret,
    rng: Rng,
) -> Cheat:
    """Return somebody who joins from outside, with the init secret of the epoch."""
    context = group_info.group_context
    interim = interim_transcript_hash(
        identity.suite, context.confirmed_transcript_hash, group_info.confirmation_tag
    )
    return Cheat(
        Start(context, tree, interim, init_secret, identity.signature_key.private),
        NewMemberCommit(),
        identity,
        rng,
        {},
    )
