"""A group in which every parent node has a key, without the commits that it takes.

In a real room each member commits now and then, so that after a while no parent is
blank. A thousand members would need hundreds of commits, each processed by all. Here
one hand makes the paths of all members, and only the last of them exists as a member.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from tertulia import mls
from tertulia.client.identity import mls_identity, new_profile
from tertulia.crypto import CipherSuite, system_rng
from tertulia.errors import BugError
from tertulia.mls.group import begin
from tertulia.mls.key_package import new_leaf
from tertulia.mls.key_schedule import start_epoch
from tertulia.mls.leaf_node import LeafPlace
from tertulia.mls.ratchet_tree import RatchetTree
from tertulia.mls.treekem import NewPath, PrivateKeys, create_path

FOREVER = mls.Lifetime(0, 2**63 - 1)

NewIdentity: TypeAlias = Callable[[CipherSuite, bytes], mls.Identity]


def new_identity(suite: CipherSuite, name: bytes) -> mls.Identity:
    """Return a client with a fresh signature key and a basic credential."""
    return mls.Identity(
        suite,
        mls.BasicCredential(name),
        suite.generate_signature_key_pair(system_rng),
        mls.Capabilities(cipher_suites=(suite.id,)),
    )


def device_identity(suite: CipherSuite, name: bytes) -> mls.Identity:
    """Return a client as rooms have them: a device that its account certified."""
    profile = new_profile(name.decode(), 0, system_rng)
    return mls_identity(profile, suite, profile.name)


def populated_group(
    founder: mls.Identity, size: int, make_identity: NewIdentity = new_identity
) -> mls.Group:
    """Return the group of `size` members as `founder`, at leaf 0, sees it.

    Nobody else can take part, but members can be added.
    """
    suite, group_id = founder.suite, b"populated"
    others = [make_identity(suite, b"ghost %d" % number) for number in range(1, size)]
    identities = [founder, *others]
    draft = RatchetTree([None]).edit()
    for identity in identities:
        key = suite.generate_kem_key_pair(system_rng)
        draft.add_leaf(new_leaf(identity, key.public, FOREVER))
    tree = draft.finish()
    for number in range(size - 1 - size % 2, 0, -2):
        tree = _path(tree, identities[number], LeafPlace(group_id, number)).tree
    return _enter(_path(tree, founder, LeafPlace(group_id, 0)), founder, group_id)


def welcome_into(group: mls.Group, newcomer: mls.KeyPackage) -> bytes:
    """Return the Welcome that a member's commit without a path makes."""
    plan = mls.CommitPlan([mls.Add(newcomer)], path=False)
    made = mls.commit(group, plan, mls.AcceptEverything(), system_rng)
    if made.welcome is None:
        raise BugError("an Add without a Welcome")
    return mls.encode_message(made.welcome)


def _path(tree: RatchetTree, identity: mls.Identity, place: LeafPlace) -> NewPath:
    return create_path(tree.edit(), identity, place, system_rng)


def _enter(path: NewPath, founder: mls.Identity, group_id: bytes) -> mls.Group:
    """Return the founder's group as if the path had come by a commit."""
    suite = founder.suite
    alone = mls.create_group(founder, group_id, FOREVER, system_rng)
    context = replace(alone.context, tree_hash=path.tree.tree_hash(suite))
    started = start_epoch(
        suite, suite.random(system_rng), suite.random(system_rng), context
    )
    private = {index: pair.private for index, pair in path.keys.key_pairs.items()}
    epoch = replace(
        alone.epoch,
        context=context,
        tree=path.tree,
        secrets=started.secrets,
        private_keys=PrivateKeys(0, {**private, 0: path.leaf_key}),
    )
    return begin(epoch, started)
