"""What the application has to say about members and commits.

The engine knows keys, not people. A policy is asked at every leaf that enters a
member's view of a group and at every commit, before anything secret is touched, so
that all members who share a policy come to the same verdict.
"""

from dataclasses import dataclass
from typing import Protocol

from tertulia.mls.framing import MemberSender, NewMemberCommit
from tertulia.mls.group_context import GroupContext
from tertulia.mls.leaf_node import LeafNode
from tertulia.mls.proposal_list import SentProposal
from tertulia.mls.ratchet_tree import RatchetTree


@dataclass(frozen=True, slots=True)
class Change:
    """What a commit does: its proposals, and the group before and after it.

    `committer` is the leaf index of whoever made it, a joiner's new one included;
    `new_leaf` is the leaf its path brings, if it has a path.
    """

    sender: MemberSender | NewMemberCommit
    committer: int
    authenticated_data: bytes
    proposals: tuple[SentProposal, ...]
    new_leaf: LeafNode | None
    context_before: GroupContext
    tree_before: RatchetTree
    context_after: GroupContext
    tree_after: RatchetTree


class Policy(Protocol):
    """The application's judgement.

    Verdicts must depend on the arguments alone, never on a clock or on history, or
    members disagree and the group falls apart. Both methods raise InvalidError, with
    `Rule.CREDENTIAL` or `Rule.POLICY`, to refuse.
    """

    def check_member(self, leaf: LeafNode) -> None:
        """Refuse a leaf whose credential does not belong to its keys."""

    def check_change(self, change: Change) -> None:
        """Refuse a commit that its sender may not make.

        In `context_after` the confirmed transcript hash is still that of before.
        """


class AcceptEverything:
    """For tests and experiments: no authentication beyond possession of keys."""

    def check_member(self, leaf: LeafNode) -> None:
        """Accept any credential."""

    def check_change(self, change: Change) -> None:
        """Accept any commit that RFC 9420 allows."""
