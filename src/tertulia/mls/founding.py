"""A new group with one member (RFC 9420 section 11)."""

from tertulia.crypto import Rng, Secret
from tertulia.mls.extension import Extensions, check_unique_types
from tertulia.mls.group import Epoch, Group, begin
from tertulia.mls.group_context import GroupContext
from tertulia.mls.key_package import Identity, new_leaf
from tertulia.mls.key_schedule import start_epoch
from tertulia.mls.leaf_node import MLS10, Lifetime
from tertulia.mls.ratchet_tree import RatchetTree
from tertulia.mls.transcript import confirmation_tag
from tertulia.mls.tree_validation import check_members
from tertulia.mls.treekem import PrivateKeys


def create_group(
    identity: Identity,
    group_id: bytes,
    lifetime: Lifetime,
    rng: Rng,
    extensions: Extensions = (),
) -> Group:
    """Return a new group of which `identity` is the only member, at epoch 0.

    `group_id` must be unlike that of any other group the members are in: random bytes
    will do. Raises InvalidError if the identity does not support `extensions`.
    """
    suite = identity.suite
    check_unique_types(extensions)
    encryption_key = suite.generate_kem_key_pair(rng)
    tree = RatchetTree([new_leaf(identity, encryption_key.public, lifetime)])
    check_members(tree, extensions)
    context = GroupContext(
        version=MLS10,
        cipher_suite=suite.id,
        group_id=group_id,
        epoch=0,
        tree_hash=tree.tree_hash(suite),
        confirmed_transcript_hash=b"",
        extensions=extensions,
    )
    # The first epoch's secret is random; the key schedule takes any joiner secret.
    zero = Secret(bytes(suite.kdf.size))
    started = start_epoch(suite, suite.random(rng), zero, context)
    tag = confirmation_tag(suite, started.secrets.confirmation_key, b"")
    epoch = Epoch(
        suite=suite,
        context=context,
        tree=tree,
        secrets=started.secrets,
        confirmation_tag=tag,
        private_keys=PrivateKeys(0, {0: encryption_key.private}),
        signature_key=identity.signature_key.private,
    )
    return begin(epoch, started)
