"""Cases about the tree that a newcomer is shown."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from tertulia.codec import Reader, encode_opaque
from tertulia.mls import (
    BasicCredential,
    Capabilities,
    Extension,
    LeafNode,
    ParentNode,
    RequiredCapabilities,
    Rule,
    encode_message,
    required_capabilities_extension,
)
from tertulia.mls.leaf_node import CommitSource, LeafPlace
from tools.mls_negative.cases import ENCODING, Case
from tools.mls_negative.changes import flip, setting
from tools.mls_negative.commits import BAD_KEYS
from tools.mls_negative.forging import (
    GROUP_ID,
    HONEST,
    Forgery,
    Landscape,
    forge,
    new_landscape,
)
from tools.mls_negative.rooms import SUPPORTED, UNSUPPORTED

ABOUT = "the tree that a newcomer is shown: shape, hashes, leaves, parents"


def cases() -> Iterator[Case]:
    """Yield all cases of this file."""
    land = new_landscape("trees")
    yield from _shapes(land)
    yield from _parent_hashes(land)
    yield from _unmerged(land)
    yield from _leaves(land)
    yield from _keys(land)
    yield from _extensions(land)
    for suite in (2, 7):
        yield from _in_suite(new_landscape("trees", suite), f"-in-suite-{suite}")


def _case(
    land: Landscape,
    name: str,
    expected: Rule | str,
    changed: Landscape,
    forgery: Forgery = HONEST,
) -> Case:
    return Case(
        name,
        expected,
        "join",
        land.state,
        encode_message(forge(changed, forgery)),
        encode_message(forge(land)),
    )


def _shapes(land: Landscape) -> Iterator[Case]:
    parent, leaf = land.nodes[3], land.nodes[2]
    shapes: dict[str, tuple[Rule | str, Callable[[bytes], bytes]]] = {
        "tree-empty": (Rule.TREE_SHAPE, lambda _: b"\0"),
        "tree-of-one-blank-node": (Rule.TREE_SHAPE, lambda _: b"\1\0"),
        "tree-ends-in-a-blank-node": (
            Rule.TREE_SHAPE,
            lambda whole: _resized(whole, lambda body: body + b"\0"),
        ),
        "tree-with-bytes-behind-it": (ENCODING, lambda whole: whole + b"\0"),
        "tree-with-presence-byte-2": (
            ENCODING,
            lambda whole: _resized(whole, lambda body: b"\2" + body[1:]),
        ),
        "tree-with-node-type-3": (
            ENCODING,
            lambda whole: _resized(whole, lambda body: body[:1] + b"\3" + body[2:]),
        ),
        "tree-with-node-type-0": (
            ENCODING,
            lambda whole: _resized(whole, lambda body: body[:1] + b"\0" + body[2:]),
        ),
        "tree-cut": (
            ENCODING,
            lambda whole: _resized(whole, lambda body: body[:-1]),
        ),
    }
    for name, (expected, change) in shapes.items():
        yield _case(land, name, expected, land, Forgery(encoded_tree=change))
    yield _case(
        land, "leaf-in-a-parents-place", Rule.TREE_SHAPE, land.with_node(3, leaf)
    )
    yield _case(
        land, "parent-in-a-leafs-place", Rule.TREE_SHAPE, land.with_node(4, parent)
    )
    yield _case(
        land,
        "tree-hash-altered",
        Rule.TREE_HASH,
        land,
        Forgery(
            group_context=lambda context: replace(
                context, tree_hash=flip(context.tree_hash)
            )
        ),
    )
    other = land.with_leaf(2, lambda leaf: replace(leaf, capabilities=_more(leaf)))
    yield _case(
        land,
        "tree-of-another-hash",
        Rule.TREE_HASH,
        land,
        Forgery(encoded_tree=lambda _: other.tree.encode()),
    )


def _more(leaf: LeafNode) -> Capabilities:
    return replace(leaf.capabilities, proposals=(UNSUPPORTED,))


def _resized(vector: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Return a TLS vector with another body, its length made right."""
    source = Reader(vector)
    return encode_opaque(change(source.take(source.varint())))


def _parent_hashes(land: Landscape) -> Iterator[Case]:
    rule = Rule.PARENT_HASH
    yield _case(
        land,
        "leaf-names-another-parent-hash",
        rule,
        _with_leaf_source(land, flip(land.parent_hash_below(1, 0))),
    )
    yield _case(land, "leaf-names-no-parent-hash", rule, _with_leaf_source(land, b""))
    # Node 3 was made before leaf 3 came: the hash of its right side then is what counts.
    with_the_new_leaf = land.room.suite.hash(
        b"".join(
            encode_opaque(part)
            for part in (
                land.tree.encryption_key(3),
                _parent_hash_of(land, 3),
                land.tree.tree_hash(land.room.suite, 5),
            )
        )
    )
    yield _case(
        land,
        "parent-hash-over-the-sibling-as-it-is-now",
        rule,
        _with_parent_hash(land, 1, with_the_new_leaf),
    )
    yield _case(
        land,
        "parent-hash-altered",
        rule,
        _with_parent_hash(land, 1, flip(_parent_hash_of(land, 1))),
    )
    yield _case(
        land,
        "parent-hash-empty",
        rule,
        _with_parent_hash(land, 1, b""),
    )
    own = ParentNode(
        land.room.suite.generate_kem_key_pair(land.room.rng).public, b"", (3,)
    )
    yield _case(
        land,
        "parent-that-nobody-below-names",
        rule,
        land.with_node(5, own).linked(),
    )
    yield _case(
        land,
        "parent-key-exchanged",
        rule,
        land.changed(1, setting(encryption_key=own.encryption_key)),
    )
    yield _case(
        land,
        "unmerged-leaves-forgotten-at-the-root",
        rule,
        land.changed(7, setting(unmerged_leaves=())),
    )


def _parent_hash_of(land: Landscape, index: int) -> bytes:
    node = land.nodes[index]
    return b"" if node is None else node.parent_hash or b""


def _with_leaf_source(land: Landscape, parent_hash: bytes) -> Landscape:
    """Return the tree with another parent hash in Ana's leaf, all else made right."""
    leaf = land.nodes[0]
    if not isinstance(leaf, LeafNode):
        raise TypeError("Ana has no leaf")
    signed = land.sign(replace(leaf, source=CommitSource(parent_hash)), 0)
    return land.with_node(0, signed).linked_below(4, (11, 7))


def _with_parent_hash(land: Landscape, index: int, parent_hash: bytes) -> Landscape:
    """Return the tree with another parent hash in node 1, all else made right."""
    changed = land.changed(index, setting(parent_hash=parent_hash))
    return changed.linked_below(0, (1,)).linked_below(4, (11, 7))


def _unmerged(land: Landscape) -> Iterator[Case]:
    lists: dict[str, tuple[int, tuple[int, ...]]] = {
        "unmerged-leaves-not-sorted": (7, (5, 3)),
        "unmerged-leaf-twice": (7, (3, 3, 5)),
        "unmerged-leaf-blank": (7, (3, 5, 7)),
        "unmerged-leaf-beyond-the-tree": (7, (3, 5, 8)),
        "unmerged-leaf-far-beyond-the-tree": (7, (3, 5, 2**32 - 1)),
        "unmerged-leaf-not-below": (3, (3, 5)),
        "unmerged-leaf-not-listed-on-the-way": (3, ()),
    }
    for name, (index, listed) in lists.items():
        changed = land.changed(
            index,
            setting(unmerged_leaves=listed),
        )
        yield _case(land, name, Rule.UNMERGED_LEAVES, changed)


def _leaves(land: Landscape) -> Iterator[Case]:
    twice = (Extension(SUPPORTED, b"once"), Extension(SUPPORTED, b"twice"))
    changes: dict[str, tuple[Rule, Callable[[LeafNode], LeafNode]]] = {
        "tree-leaf-extension-not-listed": (
            Rule.LEAF_EXTENSIONS,
            lambda leaf: replace(leaf, extensions=(Extension(UNSUPPORTED, b""),)),
        ),
        "tree-leaf-extension-twice": (
            Rule.EXTENSION_ONCE,
            lambda leaf: replace(leaf, extensions=twice),
        ),
        "tree-leaf-credential-not-listed": (
            Rule.LEAF_CREDENTIAL,
            lambda leaf: replace(
                leaf, capabilities=replace(leaf.capabilities, credentials=(2,))
            ),
        ),
        "tree-leaf-key-of-low-order": (
            Rule.ENCRYPTION_KEY_VALID,
            lambda leaf: replace(leaf, encryption_key=BAD_KEYS[1]["order-8"]),
        ),
        "tree-leaf-key-of-another-leaf": (
            Rule.ENCRYPTION_KEY_UNIQUE,
            lambda leaf: replace(leaf, encryption_key=land.tree.encryption_key(8)),
        ),
        "tree-leaf-key-of-a-parent": (
            Rule.ENCRYPTION_KEY_UNIQUE,
            lambda leaf: replace(leaf, encryption_key=land.tree.encryption_key(7)),
        ),
    }
    for name, (rule, change) in changes.items():
        for leaf_index, who in ((2, "early"), (3, "unmerged")):
            yield _case(land, f"{name}-{who}", rule, land.with_leaf(leaf_index, change))
    yield from _forged_leaves(land)


def _forged_leaves(land: Landscape) -> Iterator[Case]:
    leaf = land.tree.leaf(2)
    ana = land.tree.leaf(0)
    emil = land.tree.leaf(4)
    if leaf is None or ana is None or emil is None:
        raise ValueError("a leaf is blank")
    suite, keys = land.room.suite, land.signature_keys
    forged: dict[str, tuple[Rule, int, LeafNode]] = {
        "tree-leaf-signature-altered": (
            Rule.LEAF_SIGNATURE,
            2,
            replace(leaf, signature=flip(leaf.signature)),
        ),
        "tree-leaf-signature-empty": (
            Rule.LEAF_SIGNATURE,
            2,
            replace(leaf, signature=b""),
        ),
        "tree-leaf-signed-by-another": (
            Rule.LEAF_SIGNATURE,
            2,
            leaf.sign(suite, keys[0], LeafPlace(GROUP_ID, 2)),
        ),
        "tree-leaf-with-the-signature-key-of-another": (
            Rule.SIGNATURE_KEY_UNIQUE,
            2,
            replace(leaf, signature_key=ana.signature_key).sign(
                suite, keys[0], LeafPlace(GROUP_ID, 2)
            ),
        ),
    }
    for name, (rule, index, changed) in forged.items():
        yield _case(land, name, rule, land.with_node(2 * index, changed).linked())
    places = {
        "for-another-place": LeafPlace(GROUP_ID, 5),
        "for-another-group": LeafPlace(b"another group", 4),
    }
    for name, place in places.items():
        moved = emil.sign(suite, keys[4], place)
        yield _case(
            land,
            f"tree-leaf-signed-{name}",
            Rule.LEAF_SIGNATURE,
            land.with_node(8, moved),
        )


def _keys(land: Landscape) -> Iterator[Case]:
    keys = {
        "of-another-parent": (Rule.ENCRYPTION_KEY_UNIQUE, land.tree.encryption_key(7)),
        "of-a-leaf": (Rule.ENCRYPTION_KEY_UNIQUE, land.tree.encryption_key(4)),
        **{name: (Rule.ENCRYPTION_KEY_VALID, key) for name, key in BAD_KEYS[1].items()},
    }
    for name, (rule, key) in keys.items():
        changed = land.changed(
            1,
            setting(encryption_key=key),
        )
        yield _case(land, f"parent-with-key-{name}", rule, changed.linked())


def _extensions(land: Landscape) -> Iterator[Case]:
    known = Extension(SUPPORTED, b"")
    needed = required_capabilities_extension(RequiredCapabilities((UNSUPPORTED,)))
    lists = {
        "joined-group-extension-unsupported": (
            Rule.GROUP_EXTENSIONS,
            (Extension(UNSUPPORTED, b""),),
        ),
        "joined-group-extension-twice": (Rule.EXTENSION_ONCE, (known, known)),
        "joined-group-requires-too-much": (Rule.REQUIRED_CAPABILITIES, (needed,)),
    }
    for name, (rule, extensions) in lists.items():
        forgery = Forgery(group_context=setting(extensions=extensions))
        yield _case(land, name, rule, land, forgery)
    yield Case(
        "joined-group-with-a-refused-member",
        Rule.CREDENTIAL,
        "join",
        land.state,
        encode_message(
            forge(
                land.with_leaf(
                    2,
                    lambda leaf: replace(leaf, credential=BasicCredential(b"Mallory")),
                )
            )
        ),
        encode_message(forge(land)),
        {"policy": {"refused_identity": b"Mallory".hex()}},
    )


def _in_suite(land: Landscape, suffix: str) -> Iterator[Case]:
    yield _case(
        land,
        f"parent-hash-altered{suffix}",
        Rule.PARENT_HASH,
        _with_parent_hash(land, 1, flip(_parent_hash_of(land, 1))),
    )
    bad = BAD_KEYS[land.room.suite.id]["not-on-the-curve"]
    yield _case(
        land,
        f"parent-with-key-not-on-the-curve{suffix}",
        Rule.ENCRYPTION_KEY_VALID,
        land.changed(1, setting(encryption_key=bad)).linked(),
    )
