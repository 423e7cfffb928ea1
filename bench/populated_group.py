"""A group in which every parent node has a key, without the commits that it takes.

In a real room each member commits now and then, so that after a while no parent is
blank. A thousand members would need hundreds of commits, each processed by all. Here
one hand makes the paths of all members, and only the last of them exists as a member.
"""

from dataclasses import replace

from tertulia import mls
from tertulia.crypto import CipherSuite, system_rng
from tertulia.mls.group import begin
from tertulia.mls.key_package import new_leaf
from tertulia.mls.key_schedule import start_epoch
from tertulia.mls.leaf_node import LeafPlace
from tertulia.mls.ratchet_tree import RatchetTree
from tertulia.mls.treekem import NewPath, PrivateKeys, create_path

FOREVER = mls.Lifetime(0, 2**63 - 1)


def populated_group(
    founder: mls.Identity, size: int, group_id: bytes = b"populated"
) -> mls.Group:
    """Return the group of `size` members as `founder`, at leaf 0, sees it.

    Nobody else can take part, but members can be added.
    """
    suite = founder.suite
    others = [new_identity(suite, b"ghost %d" % number) for number in range(1, size)]
    identities = [founder, *others]
    draft = RatchetTree([None]).edit()
    for identity in identities:
        key = suite.generate_kem_key_pair(system_rng)
        draft.add_leaf(new_leaf(identity, key.public, FOREVER))
    tree = draft.finish()
    for number in range(size - 1 - size % 2, 0, -2):
        tree = _path(tree, identities[number], LeafPlace(group_id, number)).tree
    return _enter(_path(tree, founder, LeafPlace(group_id, 0)), founder, group_id)


def new_identity(suite: CipherSuite, name: bytes) -> mls.Identity:
    """Return a client with a fresh signature key and a basic credential."""
    return mls.Identity(
        suite,
        mls.BasicCredential(name),
        suite.generate_signature_key_pair(system_rng),
        mls.Capabilities(cipher_suites=(suite.id,)),
    )


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
