"""Cases about key packages, when one is chosen and when somebody is added with it."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from tertulia.crypto import HYBRID_SUITE, cipher_suite
from tertulia.mls import (
    Add,
    Extension,
    KeyPackage,
    KeyPackageSecrets,
    LeafNode,
    Rule,
    create_key_package,
    encode_message,
)
from tertulia.mls.leaf_node import NOWHERE, CommitSource, UpdateSource
from tools.mls_negative.cases import Case
from tools.mls_negative.changes import flip, setting
from tools.mls_negative.rng import rng_of
from tools.mls_negative.rooms import (
    CAPABILITIES,
    LIFETIME,
    SUPPORTED,
    UNSUPPORTED,
    Room,
    new_identity,
    new_room,
)

ABOUT = "key packages: when one is chosen at a time, and when somebody adds it"

# In Unix seconds, within the lifetime of every valid key package here.
NOW = 2_000_000_000

Change = Callable[[KeyPackageSecrets], KeyPackage]


def cases() -> Iterator[Case]:
    """Yield all cases of this file."""
    for suite in (1, 2, 7):
        room = new_room("key packages", suite=suite)
        newcomer = room.newcomer("Dora")
        for name, (rule, change) in _CHANGES.items():
            yield from _both_ways(
                room, newcomer, f"{name}-in-suite-{suite}", rule, change
            )
    yield from _hybrid_choices()
    yield from _lifetimes()


def with_encryption_key(mine: KeyPackageSecrets, key: bytes) -> KeyPackage:
    """Return the key package with another encryption key, signed again."""
    return _with_leaf(mine, lambda leaf: replace(leaf, encryption_key=key))


def with_init_key(mine: KeyPackageSecrets, key: bytes) -> KeyPackage:
    """Return the key package with another init key, signed again."""
    return _signed(mine, replace(mine.key_package, init_key=key))


def _with_leaf(
    mine: KeyPackageSecrets, change: Callable[[LeafNode], LeafNode]
) -> KeyPackage:
    """Return the key package with a changed leaf, both signed again."""
    key = mine.identity.signature_key.private
    leaf = change(mine.key_package.leaf_node)
    leaf = leaf.sign(mine.identity.suite, key, NOWHERE)
    return _signed(mine, replace(mine.key_package, leaf_node=leaf))


def _signed(mine: KeyPackageSecrets, key_package: KeyPackage) -> KeyPackage:
    signature = mine.identity.suite.sign_with_label(
        mine.identity.signature_key.private,
        "KeyPackageTBS",
        key_package.encode_before("signature"),
    )
    return replace(key_package, signature=signature)


def _hybrid_choices() -> Iterator[Case]:
    """Yield what needs no ciphertext: those of the hybrid suite differ each time."""
    suite = cipher_suite(HYBRID_SUITE)
    rng = rng_of("hybrid key packages")
    able = replace(CAPABILITIES, cipher_suites=(suite.id,))
    mine = create_key_package(new_identity(suite, "Dora", rng, able), LIFETIME, rng)
    for name, (rule, change) in {**_CHANGES, **_HYBRID_CHANGES}.items():
        yield _chosen(mine, f"{name}-in-suite-{suite.id}", rule, change(mine))


def _chosen(
    mine: KeyPackageSecrets, name: str, rule: Rule, changed: KeyPackage
) -> Case:
    return Case(
        f"chosen-{name}",
        rule,
        "choose-key-package",
        None,
        encode_message(changed),
        encode_message(mine.key_package),
        {"cipher_suite": mine.identity.suite.id, "now": NOW},
    )


def _both_ways(
    room: Room, mine: KeyPackageSecrets, name: str, rule: Rule, change: Change
) -> Iterator[Case]:
    changed = change(mine)
    yield _chosen(mine, name, rule, changed)
    cheat = room.cheat()
    yield Case(
        f"added-{name}",
        rule,
        "receive",
        room.state,
        cheat.commit([Add(changed)]),
        cheat.commit([Add(mine.key_package)]),
    )


def _leaf_source(mine: KeyPackageSecrets) -> KeyPackage:
    return _with_leaf(mine, lambda leaf: replace(leaf, source=CommitSource(bytes(32))))


def _leaf_of_an_update(mine: KeyPackageSecrets) -> KeyPackage:
    return _with_leaf(mine, lambda leaf: replace(leaf, source=UpdateSource()))


def _leaf_signature(mine: KeyPackageSecrets) -> KeyPackage:
    leaf = mine.key_package.leaf_node
    forged = replace(leaf, signature=flip(leaf.signature))
    return _signed(mine, replace(mine.key_package, leaf_node=forged))


def _leaf_signature_empty(mine: KeyPackageSecrets) -> KeyPackage:
    forged = replace(mine.key_package.leaf_node, signature=b"")
    return _signed(mine, replace(mine.key_package, leaf_node=forged))


def _extension_twice(mine: KeyPackageSecrets) -> KeyPackage:
    extensions = (Extension(SUPPORTED, b""),) * 2
    return _signed(mine, replace(mine.key_package, extensions=extensions))


def _leaf_extension_twice(mine: KeyPackageSecrets) -> KeyPackage:
    extensions = (Extension(SUPPORTED, b""),) * 2
    return _with_leaf(mine, lambda leaf: replace(leaf, extensions=extensions))


def _leaf_extension_unlisted(mine: KeyPackageSecrets) -> KeyPackage:
    extensions = (Extension(UNSUPPORTED, b""),)
    return _with_leaf(mine, lambda leaf: replace(leaf, extensions=extensions))


def _credential_unlisted(mine: KeyPackageSecrets) -> KeyPackage:
    return _with_leaf(
        mine,
        lambda leaf: replace(
            leaf, capabilities=replace(leaf.capabilities, credentials=(2,))
        ),
    )


_CHANGES: dict[str, tuple[Rule, Change]] = {
    "version": (
        Rule.KEY_PACKAGE_SUITE,
        lambda mine: _signed(mine, replace(mine.key_package, version=2)),
    ),
    "suite": (
        Rule.KEY_PACKAGE_SUITE,
        lambda mine: _signed(mine, replace(mine.key_package, cipher_suite=3)),
    ),
    "signature-altered": (
        Rule.KEY_PACKAGE_SIGNATURE,
        lambda mine: replace(
            mine.key_package, signature=flip(mine.key_package.signature)
        ),
    ),
    "signature-empty": (
        Rule.KEY_PACKAGE_SIGNATURE,
        lambda mine: replace(mine.key_package, signature=b""),
    ),
    "init-key-is-encryption-key": (
        Rule.KEY_PACKAGE_INIT_KEY,
        lambda mine: with_init_key(mine, mine.key_package.leaf_node.encryption_key),
    ),
    "leaf-of-a-commit": (Rule.LEAF_SOURCE, _leaf_source),
    "leaf-of-an-update": (Rule.LEAF_SOURCE, _leaf_of_an_update),
    "leaf-signature-altered": (Rule.LEAF_SIGNATURE, _leaf_signature),
    "leaf-signature-empty": (Rule.LEAF_SIGNATURE, _leaf_signature_empty),
    "extension-twice": (Rule.EXTENSION_ONCE, _extension_twice),
    "leaf-extension-twice": (Rule.EXTENSION_ONCE, _leaf_extension_twice),
    "leaf-extension-unlisted": (Rule.LEAF_EXTENSIONS, _leaf_extension_unlisted),
    "credential-unlisted": (Rule.LEAF_CREDENTIAL, _credential_unlisted),
    "init-key-empty": (
        Rule.ENCRYPTION_KEY_VALID,
        lambda mine: with_init_key(mine, b""),
    ),
}


# A public key of ML-KEM-768 is 768 numbers of 12 bits below 3329 and 32 more bytes; that
# of X25519 follows.
_MLKEM_NUMBERS = 1152
_X25519_SIZE = 32
_HYBRID_KEYS: dict[str, Callable[[bytes], bytes]] = {
    "ml-kem-number-too-large": lambda key: b"\xff\xff" + key[2:],
    "last-ml-kem-number-too-large": lambda key: (
        key[: _MLKEM_NUMBERS - 1] + b"\xff" + key[_MLKEM_NUMBERS:]
    ),
    "x25519-zero": lambda key: key[:-_X25519_SIZE] + bytes(_X25519_SIZE),
    "ml-kem-alone": lambda key: key[:-_X25519_SIZE],
    "x25519-alone": lambda key: key[-_X25519_SIZE:],
    "too-long": lambda key: key + b"\0",
}


def _of_init_key(change: Callable[[bytes], bytes]) -> Change:
    return lambda mine: with_init_key(mine, change(mine.key_package.init_key))


def _of_encryption_key(change: Callable[[bytes], bytes]) -> Change:
    return lambda mine: with_encryption_key(
        mine, change(mine.key_package.leaf_node.encryption_key)
    )


_HYBRID_CHANGES: dict[str, tuple[Rule, Change]] = {
    f"{which}-{name}": (Rule.ENCRYPTION_KEY_VALID, of(change))
    for which, of in (
        ("init-key", _of_init_key),
        ("encryption-key", _of_encryption_key),
    )
    for name, change in _HYBRID_KEYS.items()
}


def _lifetimes() -> Iterator[Case]:
    mine = new_room("lifetimes").newcomer("Dora")
    encoded = encode_message(mine.key_package)
    for name, bound in (
        ("before-its-lifetime", replace(LIFETIME, not_before=NOW + 1)),
        ("after-its-lifetime", replace(LIFETIME, not_after=NOW - 1)),
        ("lifetime-turned-round", replace(LIFETIME, not_before=NOW + 1, not_after=0)),
    ):
        changed = _with_leaf(mine, setting(source=bound))
        yield Case(
            f"chosen-{name}",
            Rule.LEAF_LIFETIME,
            "choose-key-package",
            None,
            encode_message(changed),
            encoded,
            {"cipher_suite": 1, "now": NOW},
        )
