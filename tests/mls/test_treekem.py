from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tertulia.crypto import Secret
from tertulia.mls import Group, OutOfStepError, RatchetTree, Rule
from tertulia.mls.key_package import new_leaf
from tertulia.mls.leaf_node import LeafPlace, UpdateSource
from tertulia.mls.treekem import (
    HPKECiphertext,
    PathKeys,
    ReceivedPath,
    UpdatePath,
    create_path,
    derive_path,
    find_misfit,
    merge_path,
    open_path,
)
from tests.mls.world import (
    GROUP_ID,
    SUITE,
    group_of,
    grown,
    identity,
    key_package,
    refused,
    seeded,
)

CONTEXT = b"the next epoch's context"
NAMES = ("Ana", "Luis", "Eva", "Juan", "Mia")


class Exchange:
    """One member makes a path in a tree that all the others share."""

    def __init__(self, tree: RatchetTree, sender: int, new_leaves: Sequence[int] = ()):
        name = NAMES[sender]
        self.before = tree
        self.place = LeafPlace(GROUP_ID, sender)
        self.new_leaves = new_leaves
        self.made = create_path(
            tree.edit(), identity(name), self.place, seeded(f"path of {name}")
        )
        self.update = self.made.encrypt(SUITE, CONTEXT, new_leaves, seeded("hpke"))

    def received(self, update: UpdatePath | None = None) -> ReceivedPath:
        return ReceivedPath(update or self.update, self.place, self.new_leaves)

    def merged(self, update: UpdatePath | None = None) -> RatchetTree:
        return merge_path(SUITE, self.before.edit(), self.received(update))

    def opened(self, group: Group, update: UpdatePath | None = None) -> PathKeys:
        return open_path(
            SUITE,
            self.made.tree,
            self.received(update),
            group.epoch.private_keys,
            CONTEXT,
        )

    def forged(self, **what: Any) -> UpdatePath:
        return replace(self.update, **what)

    def forged_node(self, number: int, **what: Any) -> UpdatePath:
        nodes = list(self.update.nodes)
        nodes[number] = replace(nodes[number], **what)
        return replace(self.update, nodes=tuple(nodes))

    def forged_leaf(self, **what: Any) -> UpdatePath:
        """Return the path with another leaf, signed by the sender as any member can."""
        key = identity(NAMES[self.place.leaf_index]).signature_key.private
        leaf = replace(self.update.leaf_node, **what).sign(SUITE, key, self.place)
        return replace(self.update, leaf_node=leaf)


def four() -> tuple[list[Group], Exchange]:
    groups = grown(*NAMES[:4])
    return groups, Exchange(groups[0].tree, 0)


def test_the_secrets_of_a_path_are_chained_upwards() -> None:
    first = Secret(b"first".ljust(32))
    keys = derive_path(SUITE, first, [1, 3])
    second = SUITE.derive_secret(first, "path")
    assert keys.path_secrets == {1: first, 3: second}
    assert keys.key_pairs[3] == SUITE.kem_derive_key_pair(
        SUITE.derive_secret(second, "node")
    )
    assert keys.commit_secret == SUITE.derive_secret(second, "path")


def test_a_path_of_no_node_still_gives_a_commit_secret() -> None:
    first = Secret(b"first".ljust(32))
    assert derive_path(SUITE, first, []).commit_secret == first


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("build", [group_of, grown])
def test_everybody_comes_to_the_tree_and_the_commit_secret_of_the_sender(
    build: Callable[..., list[Group]], size: int
) -> None:
    groups = build(*NAMES[:size])
    for sender in range(size):
        exchange = Exchange(groups[0].tree, sender)
        assert exchange.merged().nodes == exchange.made.tree.nodes
        for group in groups:
            if group.leaf_index != sender:
                keys = exchange.opened(group)
                assert keys.commit_secret == exchange.made.keys.commit_secret


def test_a_path_replaces_every_key_that_the_sender_held() -> None:
    groups, exchange = four()
    before, after = groups[0].tree, exchange.made.tree
    for index in (0, 1, 3):
        assert before.encryption_key(index) != after.encryption_key(index)
    assert before.node(5) == after.node(5)


def test_new_leaves_get_nothing_encrypted_to_them() -> None:
    groups = grown("Ana", "Luis", "Eva")
    draft = groups[0].tree.edit()
    added = draft.add_leaf(key_package("Juan").key_package.leaf_node)
    tree = draft.finish()
    to_all = Exchange(tree, 0)
    but_new = Exchange(tree, 0, [added])
    # Juan is alone with Eva on the other side; only the root's node is for them.
    assert [len(node.encrypted_path_secret) for node in to_all.update.nodes] == [1, 2]
    assert [len(node.encrypted_path_secret) for node in but_new.update.nodes] == [1, 1]
    for group in groups[1:]:
        assert but_new.opened(group).commit_secret == but_new.made.keys.commit_secret
    with refused(Rule.PATH_CIPHERTEXTS):
        but_new.merged(to_all.update)


def test_a_member_that_holds_no_key_of_the_resolution_is_out_of_step() -> None:
    groups, exchange = four()
    luis = groups[1].epoch.private_keys
    forgetful = replace(
        groups[1],
        epoch=replace(groups[1].epoch, private_keys=replace(luis, by_node={})),
    )
    with pytest.raises(OutOfStepError, match="no key") as caught:
        exchange.opened(forgetful)
    assert caught.value.node == 1


def test_a_secret_that_does_not_open_puts_only_its_receiver_out_of_step() -> None:
    groups, exchange = four()
    garbled = exchange.forged_node(
        0, encrypted_path_secret=(HPKECiphertext(b"x" * 32, b"garbled"),)
    )
    # In public nothing is wrong with it, and the others go on.
    assert exchange.merged(garbled).nodes == exchange.made.tree.nodes
    exchange.opened(groups[2], garbled)
    exchange.opened(groups[3], garbled)
    with pytest.raises(OutOfStepError) as caught:
        exchange.opened(groups[1], garbled)
    assert caught.value.node == 1


def test_a_malformed_kem_output_is_no_different() -> None:
    groups, exchange = four()
    (good,) = exchange.update.nodes[1].encrypted_path_secret
    malformed = exchange.forged_node(
        1, encrypted_path_secret=(replace(good, kem_output=b"short"),)
    )
    with pytest.raises(OutOfStepError):
        exchange.opened(groups[2], malformed)


def test_a_secret_that_does_not_fit_the_published_tree_is_noticed() -> None:
    groups, exchange = four()
    secret = SUITE.encrypt_with_label(
        exchange.made.tree.encryption_key(2),
        "UpdatePathNode",
        CONTEXT,
        b"some other secret".ljust(32),
        seeded("liar"),
    )
    lie = exchange.forged_node(0, encrypted_path_secret=(HPKECiphertext(*secret),))
    with pytest.raises(OutOfStepError, match="not the published one") as caught:
        exchange.opened(groups[1], lie)
    assert caught.value.node == 1


def test_a_path_opens_only_under_its_own_context() -> None:
    groups, exchange = four()
    with pytest.raises(OutOfStepError):
        open_path(
            SUITE,
            exchange.made.tree,
            exchange.received(),
            groups[1].epoch.private_keys,
            b"another context",
        )


@pytest.mark.parametrize("change", [lambda nodes: nodes[:-1], lambda nodes: nodes * 2])
def test_a_path_has_one_node_for_each_of_the_filtered_direct_path(
    change: Callable[[tuple[Any, ...]], tuple[Any, ...]],
) -> None:
    _, exchange = four()
    with refused(Rule.PATH_LENGTH):
        exchange.merged(exchange.forged(nodes=change(exchange.update.nodes)))


def test_parents_with_nobody_on_the_other_side_take_no_part() -> None:
    groups = grown("Ana", "Luis", "Eva")
    # Eva has nobody beside her: her path is the root alone.
    assert len(Exchange(groups[0].tree, 2).update.nodes) == 1


@pytest.mark.parametrize("count", [0, 2])
def test_a_path_node_has_one_ciphertext_for_each_recipient(count: int) -> None:
    _, exchange = four()
    ciphertexts = exchange.update.nodes[0].encrypted_path_secret * count
    with refused(Rule.PATH_CIPHERTEXTS):
        exchange.merged(exchange.forged_node(0, encrypted_path_secret=ciphertexts))


def test_keys_that_are_none_are_refused() -> None:
    _, exchange = four()
    with refused(Rule.ENCRYPTION_KEY_VALID):
        exchange.merged(exchange.forged_node(0, encryption_key=bytes(32)))


def test_a_key_of_the_tree_does_not_come_again_in_a_path() -> None:
    groups, exchange = four()
    tree = groups[0].tree
    for used in (
        tree.encryption_key(5),
        tree.encryption_key(1),
        tree.encryption_key(2),
    ):
        with refused(Rule.PATH_KEY):
            exchange.merged(exchange.forged_node(1, encryption_key=used))
    for used in (tree.encryption_key(0), tree.encryption_key(4)):
        with refused(Rule.PATH_KEY):
            exchange.merged(exchange.forged_leaf(encryption_key=used))


def test_no_key_stands_twice_in_a_path() -> None:
    _, exchange = four()
    low, high = exchange.update.nodes
    with refused(Rule.PATH_KEY):
        exchange.merged(exchange.forged_node(0, encryption_key=high.encryption_key))
    with refused(Rule.PATH_KEY):
        exchange.merged(exchange.forged_leaf(encryption_key=low.encryption_key))


def test_another_key_in_a_path_breaks_its_parent_hash() -> None:
    _, exchange = four()
    other = SUITE.generate_kem_key_pair(seeded("other")).public
    with refused(Rule.PATH_PARENT_HASH):
        exchange.merged(exchange.forged_node(1, encryption_key=other))


def test_the_leaf_of_a_path_comes_from_a_commit_and_is_signed() -> None:
    _, exchange = four()
    ana, key = identity("Ana"), exchange.update.leaf_node.encryption_key
    updated = new_leaf(ana, key, UpdateSource(), exchange.place)
    with refused(Rule.LEAF_SOURCE):
        exchange.merged(exchange.forged(leaf_node=updated))
    with refused(Rule.LEAF_SIGNATURE):
        exchange.merged(
            exchange.forged(
                leaf_node=replace(exchange.update.leaf_node, signature=bytes(64))
            )
        )


def test_private_keys_follow_the_tree() -> None:
    groups, exchange = four()
    luis = groups[1].epoch.private_keys
    assert set(luis.by_node) == {2, 1, 3}
    keys = exchange.opened(groups[1])
    moved = luis.moved_to(exchange.made.tree, keys)
    for index, private in moved.by_node.items():
        public = SUITE.hpke.kem.public_key(private)
        assert public == exchange.made.tree.encryption_key(index)


def test_private_keys_of_blank_and_cut_off_nodes_are_dropped() -> None:
    groups = grown(*NAMES)
    mia, ana = groups[4].epoch.private_keys, groups[0].epoch.private_keys
    assert 7 in ana.by_node
    draft = groups[0].tree.edit()
    draft.remove_leaf(4)
    draft.truncate()
    # The old root is cut off, and with it Mia's leaf.
    assert mia.moved_to(draft.finish(), None).by_node == {}
    assert set(ana.moved_to(draft.finish(), None).by_node) == {0, 1, 3}
    draft.remove_leaf(1)
    assert set(ana.moved_to(draft.finish(), None).by_node) == {0}


def test_a_misfit_is_found_at_its_node() -> None:
    groups, exchange = four()
    keys = exchange.opened(groups[2])
    assert find_misfit(exchange.made.tree, keys) is None
    assert find_misfit(groups[0].tree, keys) == 3
    draft = exchange.made.tree.edit()
    draft.set_node(3, None)
    assert find_misfit(draft.finish(), keys) == 3
