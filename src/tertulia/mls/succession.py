"""Groups that come from another: reinitialised or branched (RFC 9420 11.2, 11.3).

The first commit of such a group mixes in a resumption secret of the old one, so that
only members of the old group can be in the new one.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tertulia.crypto import Rng, Secret
from tertulia.mls.committing import CommitPlan, Committed, commit
from tertulia.mls.errors import InvalidError, MisuseError
from tertulia.mls.extension import Extensions
from tertulia.mls.founding import create_group
from tertulia.mls.group import Group
from tertulia.mls.joining import Aids, join
from tertulia.mls.key_package import Identity, KeyPackage, KeyPackageSecrets
from tertulia.mls.leaf_node import LeafNode, Lifetime
from tertulia.mls.policy import Policy
from tertulia.mls.proposal import Add, PreSharedKey, ReInit
from tertulia.mls.psk import ResumptionPSK, ResumptionPSKUsage, new_psk_id
from tertulia.mls.ratchet_tree import RatchetTree
from tertulia.mls.rules import Rule
from tertulia.mls.welcome import Welcome

# What makes two leaves the same client, in the application's eyes.
Identify: TypeAlias = Callable[[LeafNode], Hashable]


def by_credential(leaf: LeafNode) -> Hashable:
    """Take leaves with equal credentials for the same client."""
    return leaf.credential


@dataclass(frozen=True, slots=True)
class Founder:
    """Who starts the new group, and whom it adds by their key packages."""

    identity: Identity
    lifetime: Lifetime
    members: Sequence[KeyPackage]


@dataclass(frozen=True, slots=True)
class NewGroup:
    """Name and settings of the group to start."""

    group_id: bytes
    extensions: Extensions = ()


def reinitialize(old: Group, founder: Founder, policy: Policy, rng: Rng) -> Committed:
    """Start the group that the ReInit committed in `old` announced.

    `founder` adds all other members of `old`. Raises MisuseError if no ReInit was
    committed or the suite is another, InvalidError as `commit` does.
    """
    reinit = old.reinit
    if reinit is None:
        raise MisuseError("no ReInit was committed in this group")
    if reinit.cipher_suite != founder.identity.suite.id:
        raise MisuseError("the founder's suite is not that of the ReInit")
    new = NewGroup(reinit.group_id, reinit.extensions)
    return _found(
        new, founder, _resumption(old, ResumptionPSKUsage.REINIT), policy, rng
    )


def branch(
    old: Group, new: NewGroup, founder: Founder, policy: Policy, rng: Rng
) -> Committed:
    """Start a subgroup of `old`, of the same suite; raise MisuseError, InvalidError."""
    if founder.identity.suite != old.suite:
        raise MisuseError("a subgroup has the suite of its group")
    return _found(
        new, founder, _resumption(old, ResumptionPSKUsage.BRANCH), policy, rng
    )


@dataclass(frozen=True, slots=True)
class _Resumption:
    psk: ResumptionPSK
    secret: Secret


def _resumption(old: Group, usage: ResumptionPSKUsage) -> _Resumption:
    psk = ResumptionPSK(usage, old.context.group_id, old.context.epoch)
    return _Resumption(psk, old.epoch.secrets.resumption_psk)


def _found(
    new: NewGroup, founder: Founder, resumption: _Resumption, policy: Policy, rng: Rng
) -> Committed:
    group = create_group(
        founder.identity, new.group_id, founder.lifetime, rng, new.extensions
    )
    adds = [Add(key_package) for key_package in founder.members]
    psk_id = new_psk_id(group.suite, resumption.psk, rng)
    plan = CommitPlan(
        proposals=[*adds, PreSharedKey(psk_id)],
        psks={resumption.psk: resumption.secret},
        continues=resumption.psk.usage,
    )
    return commit(group, plan, policy, rng)


def join_successor(
    old: Group,
    welcome: Welcome,
    mine: KeyPackageSecrets,
    policy: Policy,
    identify: Identify = by_credential,
) -> Group:
    """Join the group that takes the place of `old`; raise InvalidError, MisuseError."""
    reinit = old.reinit
    if reinit is None:
        raise MisuseError("no ReInit was committed in this group")
    group = _join(old, welcome, mine, policy, ResumptionPSKUsage.REINIT)
    context = group.context
    announced = ReInit(
        context.group_id, context.version, context.cipher_suite, context.extensions
    )
    if announced != reinit:
        raise InvalidError(Rule.SUCCESSOR_PARAMETERS)
    if not _clients(old.tree, identify) <= _clients(group.tree, identify):
        raise InvalidError(
            Rule.SUCCESSOR_MEMBERS, "members of the old group are missing"
        )
    return group


def join_branch(
    old: Group,
    welcome: Welcome,
    mine: KeyPackageSecrets,
    policy: Policy,
    identify: Identify = by_credential,
) -> Group:
    """Join a subgroup of `old`; raise InvalidError, UnknownPskError."""
    group = _join(old, welcome, mine, policy, ResumptionPSKUsage.BRANCH)
    parameters = group.context.version, group.context.cipher_suite
    if parameters != (old.context.version, old.context.cipher_suite):
        raise InvalidError(Rule.SUCCESSOR_PARAMETERS)
    if not _clients(group.tree, identify) <= _clients(old.tree, identify):
        raise InvalidError(Rule.SUCCESSOR_MEMBERS, "not all were in the old group")
    return group


def _join(
    old: Group,
    welcome: Welcome,
    mine: KeyPackageSecrets,
    policy: Policy,
    usage: ResumptionPSKUsage,
) -> Group:
    resumption = _resumption(old, usage)
    aids = Aids({resumption.psk: resumption.secret}, continues=resumption.psk)
    return join(welcome, mine, policy, aids)


def _clients(tree: RatchetTree, identify: Identify) -> set[Hashable]:
    return {identify(leaf) for _, leaf in tree.members()}
