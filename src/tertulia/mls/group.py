"""A member's view of a group in one epoch, as a value.

A `Group` has two parts. `Epoch` changes with each commit: context, tree, secrets, my
private keys. `Traffic` changes with each message: the keys not yet used and the
proposals not yet committed. Operations return a new Group; the old one stays usable
until it is dropped, so a commit that a server refuses is simply forgotten.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tertulia.crypto import CipherSuite, KeyPair, Secret
from tertulia.mls.errors import InvalidError, MisuseError
from tertulia.mls.group_context import GroupContext
from tertulia.mls.key_package import Identity
from tertulia.mls.key_schedule import EpochSecrets, NewEpoch
from tertulia.mls.leaf_node import LeafNode, LeafPlace
from tertulia.mls.limits import MAX_RESUMPTION_EPOCHS
from tertulia.mls.private_message import PrivateMessageKeys
from tertulia.mls.proposal import ReInit
from tertulia.mls.proposal_list import SentProposal
from tertulia.mls.psk import PSK, PSKs, ResumptionPSK, ResumptionPSKUsage
from tertulia.mls.ratchet_tree import RatchetTree
from tertulia.mls.rules import Rule
from tertulia.mls.secret_tree import RatchetKind, SecretTree, new_secret_tree
from tertulia.mls.transcript import interim_transcript_hash
from tertulia.mls.treekem import PrivateKeys


@dataclass(frozen=True, slots=True)
class Epoch:
    """What changes with each commit."""

    suite: CipherSuite
    context: GroupContext
    tree: RatchetTree
    secrets: EpochSecrets
    confirmation_tag: bytes
    private_keys: PrivateKeys
    signature_key: Secret
    # Resumption secrets of epochs before this one, by epoch; the oldest go first.
    past_resumption: Mapping[int, Secret] = field(default_factory=dict)
    # The proposal that ended the group; nothing is committed after it.
    reinit: ReInit | None = None

    @property
    def interim_transcript_hash(self) -> bytes:
        """The hash over all commits up to the one that started this epoch."""
        return interim_transcript_hash(
            self.suite, self.context.confirmed_transcript_hash, self.confirmation_tag
        )


@dataclass(frozen=True, slots=True)
class PendingProposal:
    """A proposal of this epoch; with my own Update, the private key of its leaf."""

    sent: SentProposal
    leaf_key: Secret | None = None


@dataclass(frozen=True, slots=True)
class Traffic:
    """What changes with each message."""

    secret_tree: SecretTree
    proposals: Mapping[bytes, PendingProposal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group:
    """One member's view of a group in one epoch."""

    epoch: Epoch
    traffic: Traffic

    @property
    def suite(self) -> CipherSuite:
        """The group's cipher suite."""
        return self.epoch.suite

    @property
    def context(self) -> GroupContext:
        """What all members agree on: group id, epoch, tree hash, extensions."""
        return self.epoch.context

    @property
    def tree(self) -> RatchetTree:
        """All members' leaves."""
        return self.epoch.tree

    @property
    def leaf_index(self) -> int:
        """My place in the tree."""
        return self.epoch.private_keys.leaf_index

    @property
    def place(self) -> LeafPlace:
        """My place in this group, as signatures of leaves name it."""
        return LeafPlace(self.context.group_id, self.leaf_index)

    @property
    def leaf(self) -> LeafNode:
        """My own leaf."""
        return self.leaf_of(self.leaf_index)

    def leaf_of(self, leaf_index: int) -> LeafNode:
        """Return a member's leaf; raise InvalidError if there is none."""
        leaf = self.tree.leaf(leaf_index)
        if leaf is None:
            raise InvalidError(Rule.SENDER_LEAF, f"leaf {leaf_index} is blank")
        return leaf

    @property
    def identity(self) -> Identity:
        """Who I am in this group, to make further leaves of it."""
        leaf = self.leaf
        return Identity(
            self.suite,
            leaf.credential,
            KeyPair(self.epoch.signature_key, leaf.signature_key),
            leaf.capabilities,
            leaf.extensions,
        )

    @property
    def epoch_authenticator(self) -> Secret:
        """A value all members share, for comparing by other means (section 8.7)."""
        return self.epoch.secrets.epoch_authenticator

    @property
    def reinit(self) -> ReInit | None:
        """The ReInit that ended this group, if one did."""
        return self.epoch.reinit

    def export(self, label: str, context: bytes, length: int) -> Secret:
        """Return `length` bytes of MLS-Exporter (section 8.5) for an application."""
        return self.epoch.secrets.export(self.suite, label, context, length)

    def private_message_keys(self) -> PrivateMessageKeys:
        """Return what this epoch's PrivateMessages are encrypted with."""
        return PrivateMessageKeys(
            self.epoch.secrets.sender_data_secret, self.traffic.secret_tree
        )

    def with_secret_tree(self, secret_tree: SecretTree) -> "Group":
        """Return the group after keys were used."""
        return replace(self, traffic=replace(self.traffic, secret_tree=secret_tree))

    def without_skipped_keys(self, sender: int) -> "Group":
        """Return the group without application keys that leaf `sender` has passed over.

        For applications whose messages come in the order in which each member made
        them: what was passed over never comes, and its keys are of use to thieves only.
        """
        tree = self.traffic.secret_tree
        rest = tree.without_skipped(sender, RatchetKind.APPLICATION)
        return self if rest is tree else self.with_secret_tree(rest)

    def with_proposal(self, reference: bytes, pending: PendingProposal) -> "Group":
        """Return the group with one more proposal to commit."""
        proposals = {**self.traffic.proposals, reference: pending}
        return replace(self, traffic=replace(self.traffic, proposals=proposals))

    def check_open(self) -> None:
        """Raise MisuseError if a ReInit ended the group."""
        if self.epoch.reinit is not None:
            raise MisuseError("a ReInit ended this group: continue in its successor")

    def known_psks(self, given: PSKs) -> PSKs:
        """Return the pre-shared keys `given`, and this group's resumption secrets."""
        own: dict[PSK, Secret] = {
            ResumptionPSK(
                ResumptionPSKUsage.APPLICATION, self.context.group_id, epoch
            ): secret
            for epoch, secret in self._resumption().items()
        }
        return {**own, **given}

    def resumption_after(self) -> Mapping[int, Secret]:
        """Return the resumption secrets that the next epoch keeps."""
        return dict(sorted(self._resumption().items())[-MAX_RESUMPTION_EPOCHS:])

    def _resumption(self) -> dict[int, Secret]:
        this_epoch = {self.context.epoch: self.epoch.secrets.resumption_psk}
        return {**self.epoch.past_resumption, **this_epoch}


def begin(epoch: Epoch, started: NewEpoch) -> Group:
    """Return the group at the start of an epoch, all message keys unused."""
    secret_tree = new_secret_tree(started.encryption_secret, epoch.tree.leaf_count)
    return Group(epoch, Traffic(secret_tree))
