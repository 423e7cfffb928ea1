from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tertulia.codec import CodecError
from tertulia.mls import (
    BasicCredential,
    Capabilities,
    Extension,
    Extensions,
    ExtensionType,
    LeafNode,
    RatchetTree,
    RequiredCapabilities,
    Rule,
    X509Credential,
    required_capabilities_extension,
)
from tertulia.mls.leaf_node import CommitSource
from tertulia.mls.parent_hash import parent_hash
from tertulia.mls.ratchet_tree import Node
from tertulia.mls.tree_validation import (
    check_members,
    check_required,
    check_tree,
    check_unmerged_leaves,
)
from tests.mls.world import (
    GROUP_ID,
    SUITE,
    About,
    group_of,
    grown,
    key_package,
    refused,
)

NAMES = ("Ana", "Luis", "Eva", "Juan", "Mia")


def altered(tree: RatchetTree, index: int, **what: Any) -> RatchetTree:
    node = tree.node(index)
    assert node is not None
    return with_node(tree, index, replace(node, **what))


def with_node(tree: RatchetTree, index: int, node: Node | None) -> RatchetTree:
    draft = tree.edit()
    draft.set_node(index, node)
    return draft.finish()


def leaf_with(name: str, **capabilities: tuple[int, ...]) -> LeafNode:
    about = About(capabilities=replace(Capabilities(), **capabilities))
    return key_package(name, about).key_package.leaf_node


def tree_of(leaves: Sequence[LeafNode]) -> RatchetTree:
    draft = RatchetTree(leaves[:1]).edit()
    for leaf in leaves[1:]:
        draft.add_leaf(leaf)
    return draft.finish()


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_the_trees_of_our_own_groups_are_valid(size: int) -> None:
    for groups in (group_of(*NAMES[:size]), grown(*NAMES[:size])):
        check_tree(SUITE, groups[0].tree, GROUP_ID)
        check_members(groups[0].tree, ())


def test_the_leaves_of_a_tree_are_valid_in_its_group_only() -> None:
    with refused(Rule.LEAF_SIGNATURE):
        check_tree(SUITE, grown("Ana", "Luis")[0].tree, b"another group")


def test_a_leaf_in_another_leafs_place_is_found_out() -> None:
    tree = grown("Ana", "Luis", "Eva", "Juan")[0].tree
    moved = with_node(with_node(tree, 0, tree.node(2)), 2, tree.node(0))
    with refused(Rule.PARENT_HASH):
        check_tree(SUITE, moved, GROUP_ID)


def test_the_keys_of_parents_are_checked() -> None:
    tree = group_of("Ana", "Luis")[0].tree
    root, ana = tree.parent(1), tree.leaf(0)
    assert root is not None
    assert ana is not None
    # The parent hashes are right, but for a root whose key is none.
    bad_root = replace(root, encryption_key=bytes(32))
    source = CommitSource(parent_hash(SUITE, tree, bad_root, 2))
    bad = with_node(with_node(tree, 1, bad_root), 0, replace(ana, source=source))
    with refused(Rule.ENCRYPTION_KEY_VALID):
        check_tree(SUITE, bad, GROUP_ID)


@pytest.mark.parametrize(
    ("index", "unmerged"),
    [
        (3, (3, 1)),
        (3, (1, 1)),
        (1, (2,)),
        (1, (0, 3)),
        (3, (4,)),
        (3, (2**32 - 1,)),
        (3, (1,)),
    ],
    ids=[
        "not sorted",
        "twice",
        "not below",
        "one not below",
        "beyond the tree",
        "far beyond the tree",
        "not listed on the way",
    ],
)
def test_unmerged_leaves_are_sorted_present_below_and_listed_on_the_way(
    index: int, unmerged: tuple[int, ...]
) -> None:
    tree = grown("Ana", "Luis", "Eva", "Juan")[0].tree
    check_unmerged_leaves(tree)
    with refused(Rule.UNMERGED_LEAVES):
        check_unmerged_leaves(altered(tree, index, unmerged_leaves=unmerged))


def test_a_blank_leaf_cannot_be_unmerged() -> None:
    tree = with_node(grown("Ana", "Luis", "Eva", "Juan")[0].tree, 2, None)
    with refused(Rule.UNMERGED_LEAVES):
        check_unmerged_leaves(altered(tree, 3, unmerged_leaves=(1,)))


def test_a_leaf_unmerged_below_may_be_merged_above_or_past_a_blank() -> None:
    tree = grown("Ana", "Luis", "Eva", "Juan")[0].tree
    check_unmerged_leaves(altered(tree, 1, unmerged_leaves=(0, 1)))
    both = altered(altered(tree, 1, unmerged_leaves=(1,)), 3, unmerged_leaves=(1,))
    check_unmerged_leaves(both)
    past_a_blank = altered(with_node(tree, 1, None), 3, unmerged_leaves=(0, 1))
    check_unmerged_leaves(past_a_blank)


def test_signature_keys_are_unique() -> None:
    ana, luis = leaf_with("Ana"), leaf_with("Luis")
    with refused(Rule.SIGNATURE_KEY_UNIQUE):
        check_members(
            tree_of([ana, replace(luis, signature_key=ana.signature_key)]), ()
        )


def test_encryption_keys_are_unique_among_leaves_and_parents() -> None:
    ana, luis = leaf_with("Ana"), leaf_with("Luis")
    with refused(Rule.ENCRYPTION_KEY_UNIQUE):
        check_members(
            tree_of([ana, replace(luis, encryption_key=ana.encryption_key)]), ()
        )
    tree = grown("Ana", "Luis")[0].tree
    copied = altered(tree, 1, encryption_key=tree.encryption_key(0))
    with refused(Rule.ENCRYPTION_KEY_UNIQUE):
        check_members(copied, ())


def test_everybody_supports_everybodys_type_of_credential() -> None:
    basic_only = leaf_with("Ana")
    both = leaf_with("Luis", credentials=(1, 2))
    x509 = replace(both, credential=X509Credential((b"certificate",)))
    check_members(
        tree_of([replace(basic_only, credential=BasicCredential(b"")), both]), ()
    )
    with refused(Rule.LEAF_CREDENTIAL):
        check_members(tree_of([basic_only, x509]), ())


def test_everybody_supports_every_extension_of_the_group() -> None:
    knows, does_not = leaf_with("Ana", extensions=(0xF001,)), leaf_with("Luis")
    in_group = (Extension(0xF001, b"room policy"),)
    check_members(tree_of([knows]), in_group)
    check_members(tree_of([knows, does_not]), ())
    with refused(Rule.GROUP_EXTENSIONS):
        check_members(tree_of([knows, does_not]), in_group)


def test_extensions_that_everybody_supports_need_not_be_listed() -> None:
    required = required_capabilities_extension(
        RequiredCapabilities((1, 5), (1, 7), (1,))
    )
    check_members(tree_of([leaf_with("Ana")]), (required, Extension(5, b"\0")))


@pytest.mark.parametrize(
    "required",
    [
        RequiredCapabilities(extension_types=(0xF001,)),
        RequiredCapabilities(proposal_types=(0xF001,)),
        RequiredCapabilities(credential_types=(2,)),
    ],
)
def test_what_the_group_requires_every_leaf_must_list(
    required: RequiredCapabilities,
) -> None:
    able = leaf_with(
        "Ana", extensions=(0xF001,), proposals=(0xF001,), credentials=(1, 2)
    )
    extensions: Extensions = (required_capabilities_extension(required),)
    check_members(tree_of([able]), extensions)
    with refused(Rule.REQUIRED_CAPABILITIES):
        check_members(tree_of([able, leaf_with("Luis")]), extensions)


def test_requirements_are_of_types_not_of_values() -> None:
    check_required(RequiredCapabilities(), Capabilities())
    everything = RequiredCapabilities(tuple(range(1, 6)), tuple(range(1, 8)), (1,))
    check_required(everything, Capabilities())


def test_malformed_requirements_are_refused() -> None:
    with pytest.raises(CodecError):
        check_members(tree_of([leaf_with("Ana")]), (Extension(3, b"\5"),))


def test_external_senders_that_cannot_be_read_are_refused() -> None:
    unreadable = Extension(ExtensionType.EXTERNAL_SENDERS, b"\xff")
    with pytest.raises(CodecError):
        check_members(group_of("Ana")[0].tree, (unreadable,))
