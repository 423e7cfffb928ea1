"""Cases about the path of a commit, and about the group that a commit leads to."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from tertulia.mls import (
    Add,
    BasicCredential,
    CommitPlan,
    Extension,
    LeafNode,
    Lifetime,
    Rule,
    X509Credential,
)
from tertulia.mls.credential import CredentialType
from tertulia.mls.leaf_node import CommitSource, UpdateSource
from tertulia.mls.treekem import HPKECiphertext, UpdatePath
from tools.mls_negative.cases import OUT_OF_STEP, Case
from tools.mls_negative.changes import flip, setting
from tools.mls_negative.cheating import Flaw
from tools.mls_negative.key_packages import with_encryption_key, with_init_key
from tools.mls_negative.rooms import (
    SUPPORTED,
    UNSUPPORTED,
    Room,
    new_room,
)

ABOUT = "the path of a commit: its leaf, its keys, its ciphertexts"

Ciphertexts: TypeAlias = tuple[HPKECiphertext, ...]

# No Diffie-Hellman with these gives a secret.
BAD_KEYS = {
    1: {
        "zero": bytes(32),
        "one": b"\1" + bytes(31),
        "order-8": bytes.fromhex(
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"
        ),
        "too-short": bytes(31),
        "too-long": b"\x09" + bytes(32),
        "empty": b"",
    },
    2: {
        "infinity": b"\0",
        "not-on-the-curve": b"\4" + bytes(63) + b"\1",
        "compressed": b"\2" + bytes(31) + b"\1",
        "too-short": b"\4" + bytes(63),
    },
    7: {
        "not-on-the-curve": b"\4" + bytes(95) + b"\1",
        "empty": b"",
    },
}


def cases() -> Iterator[Case]:
    """Yield all cases of this file."""
    yield from _leaves()
    yield from _shapes()
    yield from _keys()
    yield from _secrets()
    yield from _judged()
    for suite in BAD_KEYS:
        yield from _bad_keys(suite)


def _case(
    room: Room, name: str, expected: Rule | str, invalid: bytes, valid: bytes
) -> Case:
    return Case(name, expected, "receive", room.state, invalid, valid)


def _leaves() -> Iterator[Case]:
    room = new_room("leaves of paths")
    cheat = room.cheat()
    cora = room.groups["Cora"].leaf
    twice = (Extension(SUPPORTED, b"once"), Extension(SUPPORTED, b"twice"))
    unlisted = Extension(UNSUPPORTED, b"")
    flaws: dict[str, tuple[Rule, Flaw]] = {
        "leaf-of-an-update": (
            Rule.LEAF_SOURCE,
            Flaw(leaf=lambda leaf: replace(leaf, source=UpdateSource())),
        ),
        "leaf-of-a-key-package": (
            Rule.LEAF_SOURCE,
            Flaw(leaf=lambda leaf: replace(leaf, source=Lifetime(0, 2**63))),
        ),
        "leaf-signature-altered": (
            Rule.LEAF_SIGNATURE,
            Flaw(
                signed_leaf=lambda leaf: replace(leaf, signature=flip(leaf.signature))
            ),
        ),
        "leaf-signature-empty": (
            Rule.LEAF_SIGNATURE,
            Flaw(signed_leaf=lambda leaf: replace(leaf, signature=b"")),
        ),
        "leaf-changed-after-signing": (
            Rule.LEAF_SIGNATURE,
            Flaw(signed_leaf=lambda leaf: replace(leaf, extensions=twice[:1])),
        ),
        "leaf-parent-hash-altered": (
            Rule.PATH_PARENT_HASH,
            Flaw(leaf=lambda leaf: _with_parent_hash(leaf, flip)),
        ),
        "leaf-parent-hash-empty": (
            Rule.PATH_PARENT_HASH,
            Flaw(leaf=lambda leaf: _with_parent_hash(leaf, lambda _: b"")),
        ),
        "leaf-extension-twice": (
            Rule.EXTENSION_ONCE,
            Flaw(leaf=lambda leaf: replace(leaf, extensions=twice)),
        ),
        "leaf-extension-not-listed": (
            Rule.LEAF_EXTENSIONS,
            Flaw(leaf=lambda leaf: replace(leaf, extensions=(unlisted,))),
        ),
        "leaf-credential-not-listed": (
            Rule.LEAF_CREDENTIAL,
            Flaw(
                leaf=lambda leaf: replace(
                    leaf, capabilities=replace(leaf.capabilities, credentials=())
                )
            ),
        ),
        "leaf-credential-nobody-else-supports": (
            Rule.LEAF_CREDENTIAL,
            Flaw(
                leaf=lambda leaf: replace(
                    leaf,
                    credential=X509Credential((b"certificate",)),
                    capabilities=replace(
                        leaf.capabilities,
                        credentials=(CredentialType.BASIC, CredentialType.X509),
                    ),
                )
            ),
        ),
    }
    valid = cheat.commit(
        flaw=Flaw(leaf=lambda leaf: replace(leaf, extensions=twice[:1]))
    )
    for name, (rule, flaw) in flaws.items():
        yield _case(room, name, rule, cheat.commit(flaw=flaw), valid)
    key = room.groups["Cora"].epoch.signature_key

    def as_cora(leaf: LeafNode) -> LeafNode:
        place = room.groups["Ana"].place
        taken = replace(leaf, signature_key=cora.signature_key)
        return taken.sign(room.suite, key, place)

    yield _case(
        room,
        "leaf-with-the-signature-key-of-another",
        Rule.SIGNATURE_KEY_UNIQUE,
        cheat.commit(flaw=Flaw(signed_leaf=as_cora)),
        valid,
    )
    elsewhere = replace(room.groups["Ana"].place, leaf_index=2)
    own_key = room.groups["Ana"].epoch.signature_key
    yield _case(
        room,
        "leaf-signed-for-another-place",
        Rule.LEAF_SIGNATURE,
        cheat.commit(
            flaw=Flaw(
                signed_leaf=lambda leaf: leaf.sign(room.suite, own_key, elsewhere)
            )
        ),
        valid,
    )
    other_group = replace(room.groups["Ana"].place, group_id=b"another group")
    yield _case(
        room,
        "leaf-signed-for-another-group",
        Rule.LEAF_SIGNATURE,
        cheat.commit(
            flaw=Flaw(
                signed_leaf=lambda leaf: leaf.sign(room.suite, own_key, other_group)
            )
        ),
        valid,
    )


def _with_parent_hash(leaf: LeafNode, change: Callable[[bytes], bytes]) -> LeafNode:
    return replace(leaf, source=CommitSource(change(leaf.parent_hash or b"")))


def _shapes() -> Iterator[Case]:
    """Yield paths with nodes and ciphertexts too many, too few or out of place."""
    room = new_room("shapes of paths", ("Ben", "Cora", "Dora", "Emil"))
    # Leaf 4 stands alone in the right half: most of its direct path is filtered out.
    emil, ana = room.cheat("Emil"), room.cheat()
    full, filtered = ana.commit(), emil.commit()

    def nodes(change: Callable[[UpdatePath], UpdatePath]) -> Flaw:
        return Flaw(update_path=change)

    def unfiltered(path: UpdatePath) -> UpdatePath:
        return replace(path, nodes=path.nodes * 3)

    length = {
        "path-without-nodes": nodes(lambda path: replace(path, nodes=())),
        "path-without-its-root": nodes(
            lambda path: replace(path, nodes=path.nodes[:-1])
        ),
        "path-without-its-first-node": nodes(
            lambda path: replace(path, nodes=path.nodes[1:])
        ),
        "path-with-a-node-too-many": nodes(
            lambda path: replace(path, nodes=(*path.nodes, path.nodes[-1]))
        ),
    }
    for name, flaw in length.items():
        yield _case(room, name, Rule.PATH_LENGTH, ana.commit(flaw=flaw), full)
    yield _case(
        room,
        "path-not-filtered",
        Rule.PATH_LENGTH,
        emil.commit(flaw=nodes(unfiltered)),
        filtered,
    )
    ciphertexts: dict[str, Callable[[Ciphertexts], Ciphertexts]] = {
        "path-without-ciphertexts": lambda _: (),
        "path-with-a-ciphertext-too-few": lambda found: found[:-1],
        "path-with-a-ciphertext-too-many": lambda found: (*found, found[-1]),
    }
    for name, change in ciphertexts.items():
        yield _case(
            room,
            name,
            Rule.PATH_CIPHERTEXTS,
            ana.commit(flaw=nodes(partial(_last, change=change))),
            full,
        )
    add = Add(room.newcomer("Fritz").key_package)
    yield _case(
        room,
        "path-encrypted-to-a-new-leaf",
        Rule.PATH_CIPHERTEXTS,
        ana.commit(
            [add], nodes(lambda path: _last(path, lambda found: (*found, found[-1])))
        ),
        ana.commit([add]),
    )


def _last(
    path: UpdatePath,
    change: Callable[[Ciphertexts], Ciphertexts],
) -> UpdatePath:
    """Return the path with other ciphertexts at its last node, the root."""
    *others, root = path.nodes
    changed = replace(root, encrypted_path_secret=change(root.encrypted_path_secret))
    return replace(path, nodes=(*others, changed))


def _keys() -> Iterator[Case]:
    room = new_room("keys of paths", ("Ben", "Cora", "Dora"))
    room.commit("Dora", CommitPlan())
    cheat = room.cheat()
    tree = room.groups["Ana"].tree
    parent = next(node.encryption_key for _, node in tree.parents())
    known = {
        "of-another-leaf": room.groups["Cora"].leaf.encryption_key,
        "of-a-parent-on-its-place": parent,
        "of-its-own-leaf-before": room.groups["Ana"].leaf.encryption_key,
    }
    valid = cheat.commit()
    for name, key in known.items():
        yield _case(
            room,
            f"path-key-{name}",
            Rule.PATH_KEY,
            cheat.commit(flaw=Flaw(public_keys=partial(_with_root_key, key=key))),
            valid,
        )
        yield _case(
            room,
            f"path-leaf-with-the-key-{name}",
            Rule.PATH_KEY,
            cheat.commit(flaw=Flaw(leaf=setting(encryption_key=key))),
            valid,
        )
    yield _case(
        room,
        "path-key-twice",
        Rule.PATH_KEY,
        cheat.commit(flaw=Flaw(public_keys=lambda keys: [keys[0]] * len(keys))),
        valid,
    )
    emil, fritz = (room.newcomer(name) for name in ("Emil", "Fritz"))
    taken = with_encryption_key(emil, room.groups["Cora"].leaf.encryption_key)
    alike = with_encryption_key(fritz, emil.key_package.leaf_node.encryption_key)
    yield _case(
        room,
        "add-with-the-encryption-key-of-a-member",
        Rule.ENCRYPTION_KEY_UNIQUE,
        cheat.commit([Add(taken)]),
        cheat.commit([Add(emil.key_package)]),
    )
    yield _case(
        room,
        "two-adds-with-one-encryption-key",
        Rule.ENCRYPTION_KEY_UNIQUE,
        cheat.commit([Add(emil.key_package), Add(alike)]),
        cheat.commit([Add(emil.key_package), Add(fritz.key_package)]),
    )


def _with_root_key(keys: list[bytes], key: bytes) -> list[bytes]:
    return [*keys[:-1], key]


def _with_first_key(keys: list[bytes], key: bytes) -> list[bytes]:
    return [key, *keys[1:]]


def _secrets() -> Iterator[Case]:
    """Yield paths whose secrets only their receiver can find wrong."""
    room = new_room("secrets of paths")
    cheat = room.cheat()
    before = cheat.start.context
    valid = cheat.commit()
    unrelated = room.suite.generate_kem_key_pair(room.rng).public

    def ciphertexts(change: Callable[[HPKECiphertext], HPKECiphertext]) -> Flaw:
        return Flaw(update_path=lambda path: _every_ciphertext(path, change))

    flaws = {
        "path-encrypted-under-the-context-before": Flaw(path_context=lambda _: before),
        "path-encrypted-under-the-next-epoch-only": Flaw(
            path_context=lambda context: replace(before, epoch=context.epoch)
        ),
        "path-encrypted-under-another-tree-hash": Flaw(
            path_context=lambda context: replace(context, tree_hash=before.tree_hash)
        ),
        "path-encrypted-under-a-confirmed-hash": Flaw(
            path_context=lambda context: replace(
                context, confirmed_transcript_hash=bytes(32)
            )
        ),
        "path-ciphertext-altered": ciphertexts(
            lambda item: replace(item, ciphertext=flip(item.ciphertext))
        ),
        "path-ciphertext-empty": ciphertexts(
            lambda item: replace(item, ciphertext=b"")
        ),
        "path-kem-output-altered": ciphertexts(
            lambda item: replace(item, kem_output=bytes(31) + b"\x09")
        ),
        "path-kem-output-of-low-order": ciphertexts(
            lambda item: replace(item, kem_output=bytes(32))
        ),
        "path-kem-output-too-short": ciphertexts(
            lambda item: replace(item, kem_output=bytes(31))
        ),
        "path-key-not-of-its-secret": Flaw(
            public_keys=lambda keys: [unrelated, *keys[1:]]
        ),
        "path-root-key-not-of-its-secret": Flaw(
            public_keys=lambda keys: [*keys[:-1], unrelated]
        ),
    }
    for name, flaw in flaws.items():
        yield _case(room, name, OUT_OF_STEP, cheat.commit(flaw=flaw), valid)


def _every_ciphertext(
    path: UpdatePath, change: Callable[[HPKECiphertext], HPKECiphertext]
) -> UpdatePath:
    nodes = (
        replace(
            node, encrypted_path_secret=tuple(map(change, node.encrypted_path_secret))
        )
        for node in path.nodes
    )
    return replace(path, nodes=tuple(nodes))


def _judged() -> Iterator[Case]:
    """Yield what only the application has something against."""
    room = new_room("policies")
    cheat = room.cheat()
    mallory, dora = room.newcomer("Mallory"), room.newcomer("Dora")
    refused = {"policy": {"refused_identity": b"Mallory".hex()}}
    yield Case(
        "add-of-a-refused-identity",
        Rule.CREDENTIAL,
        "receive",
        room.state,
        cheat.commit([Add(mallory.key_package)]),
        cheat.commit([Add(dora.key_package)]),
        refused,
    )

    def renamed(name: bytes) -> Flaw:
        return Flaw(leaf=lambda leaf: replace(leaf, credential=BasicCredential(name)))

    yield Case(
        "leaf-renamed-to-a-refused-identity",
        Rule.CREDENTIAL,
        "receive",
        room.state,
        cheat.commit(flaw=renamed(b"Mallory")),
        cheat.commit(flaw=renamed(b"Anne")),
        refused,
    )

    def saying(data: bytes) -> Flaw:
        return Flaw(content=lambda content: replace(content, authenticated_data=data))

    yield Case(
        "commit-that-the-policy-refuses",
        Rule.POLICY,
        "receive",
        room.state,
        cheat.commit(flaw=saying(b"not like this")),
        cheat.commit(flaw=saying(b"like this")),
        {"policy": {"refused_authenticated_data": b"not like this".hex()}},
    )


def _bad_keys(suite: int) -> Iterator[Case]:
    """Yield commits that bring public keys which nobody should encrypt to."""
    room = new_room("bad keys", ("Ben", "Cora", "Emil"), suite=suite)
    # The first node of Cora's path is none of Ben's: he derives no key for it.
    cheat = room.cheat("Cora")
    dora = room.newcomer("Dora")
    path, add = cheat.commit(), cheat.commit([Add(dora.key_package)])
    for name, key in BAD_KEYS[suite].items():
        places = {
            "path-node": (
                cheat.commit(flaw=Flaw(public_keys=partial(_with_first_key, key=key))),
                path,
            ),
            "path-leaf": (
                cheat.commit(flaw=Flaw(leaf=setting(encryption_key=key))),
                path,
            ),
            "added-leaf": (
                cheat.commit([Add(with_encryption_key(dora, key))]),
                add,
            ),
            "added-init-key": (
                cheat.commit([Add(with_init_key(dora, key))]),
                add,
            ),
        }
        for place, (invalid, valid) in places.items():
            yield _case(
                room,
                f"{place}-with-key-{name}-in-suite-{suite}",
                Rule.ENCRYPTION_KEY_VALID,
                invalid,
                valid,
            )
