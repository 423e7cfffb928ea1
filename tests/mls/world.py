"""People and groups for the tests of this folder.

Everything is made from names and seeds, so that a test that fails fails again. Names
become identities, names in a row become a group of them, each with its own view.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass
from random import Random
from typing import Any

import pytest

from tertulia.crypto import CipherSuite, Rng, Secret, cipher_suite
from tertulia.mls import (
    AcceptEverything,
    Add,
    Aids,
    BasicCredential,
    Capabilities,
    Change,
    CommitPlan,
    Committed,
    Extensions,
    Group,
    GroupContext,
    Identity,
    InvalidError,
    KeyPackageSecrets,
    LeafNode,
    Lifetime,
    PrivateMessage,
    PublicMessage,
    RatchetTree,
    ReceivedCommit,
    ReceivedProposal,
    Rule,
    commit,
    create_group,
    create_key_package,
    join,
    receive,
)

SUITE = cipher_suite(1)
NOW = 1_700_000_000
ALWAYS = Lifetime(0, 2**64 - 1)
ANYTHING = AcceptEverything()
GROUP_ID = b"tertulia"


def seeded(seed: str) -> Rng:
    """Return a source of bytes that gives the same ones for the same seed."""
    return Random(seed).randbytes


@dataclass(frozen=True)
class About:
    """What may differ between the people of a test."""

    suite: CipherSuite = SUITE
    capabilities: Capabilities = field(default_factory=Capabilities)
    leaf_extensions: Extensions = ()


USUAL = About()


def identity(name: str, about: About = USUAL) -> Identity:
    """Return who `name` is: the same keys each time."""
    keys = about.suite.generate_signature_key_pair(seeded(f"identity of {name}"))
    return Identity(
        about.suite,
        BasicCredential(name.encode()),
        keys,
        about.capabilities,
        about.leaf_extensions,
    )


def key_package(
    name: str, about: About = USUAL, *, number: int = 0, last_resort: bool = False
) -> KeyPackageSecrets:
    """Return one of the key packages of `name`; each `number` gives another."""
    rng = seeded(f"key package {number} of {name}")
    return create_key_package(
        identity(name, about), ALWAYS, rng, last_resort=last_resort
    )


def alone(
    name: str,
    about: About = USUAL,
    group_id: bytes = GROUP_ID,
    extensions: Extensions = (),
) -> Group:
    """Return a new group with nobody but `name`."""
    rng = seeded(f"group of {name}")
    return create_group(identity(name, about), group_id, ALWAYS, rng, extensions)


def group_of(
    *names: str, about: About = USUAL, extensions: Extensions = ()
) -> list[Group]:
    """Return everybody's view of a group that the first founded and filled."""
    founder, *others = names
    group = alone(founder, about, extensions=extensions)
    if not others:
        return [group]
    packages = [key_package(name, about) for name in others]
    made = make(group, adds(*packages))
    assert made.welcome is not None
    joined = [join(made.welcome, package, ANYTHING) for package in packages]
    return [made.after, *joined]


def grown(*names: str, about: About = USUAL) -> list[Group]:
    """Return a group in which everybody has committed once: no blank parent is left."""
    groups = group_of(*names, about=about)
    for number in range(len(groups)):
        groups = follow(groups, make(groups[number]))
    return groups


def adds(*packages: KeyPackageSecrets) -> CommitPlan:
    """Return the plan to add the owners of `packages`."""
    return CommitPlan(proposals=[Add(package.key_package) for package in packages])


# Nothing but fresh keys for the committer.
HEAL = CommitPlan()


def make(group: Group, plan: CommitPlan = HEAL, seed: str = "") -> Committed:
    """Commit; by default only fresh keys for the committer."""
    context = group.context
    seed = f"commit {seed} by {group.leaf_index} in {context.epoch}"
    return commit(group, plan, ANYTHING, seeded(seed))


def follow(groups: Sequence[Group], made: Committed) -> list[Group]:
    """Return everybody's view after a commit, without those whom it removed."""
    after = []
    for group in groups:
        if group.leaf_index == made.before.leaf_index:
            after.append(made.after)
            continue
        received = receive(group, made.message, ANYTHING)
        if isinstance(received, ReceivedCommit):
            after.append(received.group)
    return after


def hear(
    groups: Sequence[Group], speaker: Group, message: PublicMessage | PrivateMessage
) -> list[Group]:
    """Return everybody's view after a proposal; `speaker` is its sender's."""
    after = []
    for group in groups:
        if group.leaf_index == speaker.leaf_index:
            after.append(speaker)
            continue
        received = receive(group, message, ANYTHING)
        assert isinstance(received, ReceivedProposal)
        after.append(received.group)
    return after


def agree(groups: Sequence[Group]) -> bool:
    """Tell whether all are in the same epoch, of the same tree and secrets."""
    first = groups[0]
    return all(
        group.context == first.context
        and group.tree.nodes == first.tree.nodes
        and group.epoch.secrets == first.epoch.secrets
        and group.epoch.confirmation_tag == first.epoch.confirmation_tag
        for group in groups
    )


def contents(value: Any) -> Any:
    """Return what a value holds, all the way down, to compare before and after."""
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, RatchetTree):
        return value.nodes
    if isinstance(value, CipherSuite):
        return value.id
    if isinstance(value, Mapping):
        return {key: contents(item) for key, item in value.items()}
    if is_dataclass(value):
        names = [part.name for part in fields(value)]
        return {name: contents(getattr(value, name)) for name in names}
    return value


@contextmanager
def unchanged(*values: object) -> Iterator[None]:
    """Demand that the block leaves `values` as they were."""
    before = contents_of_all(values)
    yield
    assert contents_of_all(values) == before


def contents_of_all(values: Sequence[object]) -> list[Any]:
    return [contents(value) for value in values]


@contextmanager
def refused(rule: Rule) -> Iterator[None]:
    """Demand that the block is refused for breaking `rule`."""
    with pytest.raises(InvalidError) as caught:
        yield
    assert caught.value.rule is rule, str(caught.value)


def context(epoch: int = 0, extensions: Extensions = ()) -> GroupContext:
    """Return a GroupContext of no group in particular."""
    return GroupContext(1, SUITE.id, GROUP_ID, epoch, bytes(32), bytes(32), extensions)


def given_tree(tree: RatchetTree) -> Aids:
    """Return what helps a joiner who gets the tree separately."""
    return Aids({}, tree)


class Picky:
    """A policy with an opinion on names and on what a commit says of itself."""

    def check_member(self, leaf: LeafNode) -> None:
        """Refuse whoever is called Mallory."""
        if leaf.credential == BasicCredential(b"Mallory"):
            raise InvalidError(Rule.CREDENTIAL, "Mallory is not welcome")

    def check_change(self, change: Change) -> None:
        """Refuse a commit that calls itself forbidden."""
        if change.authenticated_data == b"forbidden":
            raise InvalidError(Rule.POLICY, "it said so itself")


PICKY = Picky()
