"""Key packages (RFC 9420 section 10)."""

from dataclasses import dataclass, field, replace
from typing import Annotated

from tertulia.codec import Opaque, Struct, uint16
from tertulia.crypto import CipherSuite, CryptoError, KeyPair, Rng, Secret
from tertulia.mls.credential import Credential
from tertulia.mls.errors import InvalidError
from tertulia.mls.extension import (
    EXTENSIONS,
    Extension,
    Extensions,
    ExtensionType,
    check_unique_types,
    find_extension,
)
from tertulia.mls.leaf_node import (
    MLS10,
    NOWHERE,
    Capabilities,
    LeafNode,
    LeafPlace,
    Lifetime,
    Source,
    check_encryption_key,
    check_leaf,
    check_source,
)
from tertulia.mls.limits import MAX_KEY, MAX_SIGNATURE
from tertulia.mls.rules import Rule
from tertulia.mls.unverified import Unverified

_LABEL = "KeyPackageTBS"
_REFERENCE_LABEL = "MLS 1.0 KeyPackage Reference"


@dataclass(frozen=True, slots=True)
class KeyPackage(Struct):
    """What others need to add a client to a group without asking it."""

    version: Annotated[int, uint16]
    cipher_suite: Annotated[int, uint16]
    init_key: Annotated[bytes, Opaque(MAX_KEY)]
    leaf_node: LeafNode
    extensions: Annotated[Extensions, EXTENSIONS]
    signature: Annotated[bytes, Opaque(MAX_SIGNATURE)]

    @property
    def is_last_resort(self) -> bool:
        """Whether it may be used more than once, when no other is left."""
        last_resort = ExtensionType.LAST_RESORT_KEY_PACKAGE
        return find_extension(self.extensions, last_resort) is not None

    def reference(self, suite: CipherSuite) -> bytes:
        """Return the KeyPackageRef (section 5.2)."""
        return suite.ref_hash(_REFERENCE_LABEL, self.encode())


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a client is in groups of one suite: what its leaves say of it."""

    suite: CipherSuite
    credential: Credential
    signature_key: KeyPair
    capabilities: Capabilities = field(default_factory=Capabilities)
    leaf_extensions: Extensions = ()


@dataclass(frozen=True, slots=True)
class KeyPackageSecrets:
    """A key package and the private keys that answer to it; keep until used."""

    key_package: KeyPackage
    identity: Identity
    init_key: Secret
    encryption_key: Secret


def create_key_package(
    identity: Identity,
    lifetime: Lifetime,
    rng: Rng,
    *,
    last_resort: bool = False,
) -> KeyPackageSecrets:
    """Return a new signed key package, to be used once unless `last_resort`."""
    suite = identity.suite
    extensions: Extensions = ()
    if last_resort:
        mark = ExtensionType.LAST_RESORT_KEY_PACKAGE
        extensions = (Extension(mark, b""),)
        capabilities = identity.capabilities.with_extension(mark)
        identity = replace(identity, capabilities=capabilities)
    init_key = suite.generate_kem_key_pair(rng)
    encryption_key = suite.generate_kem_key_pair(rng)
    key_package = KeyPackage(
        version=MLS10,
        cipher_suite=suite.id,
        init_key=init_key.public,
        leaf_node=new_leaf(identity, encryption_key.public, lifetime),
        extensions=extensions,
        signature=b"",
    )
    signature = suite.sign_with_label(
        identity.signature_key.private, _LABEL, key_package.encode_before("signature")
    )
    return KeyPackageSecrets(
        key_package=replace(key_package, signature=signature),
        identity=identity,
        init_key=init_key.private,
        encryption_key=encryption_key.private,
    )


def new_leaf(
    identity: Identity,
    encryption_key: bytes,
    source: Source,
    place: LeafPlace = NOWHERE,
) -> LeafNode:
    """Return a leaf node signed by `identity`, for `place` unless in a key package."""
    leaf = LeafNode(
        encryption_key=encryption_key,
        signature_key=identity.signature_key.public,
        credential=identity.credential,
        capabilities=identity.capabilities,
        source=source,
        extensions=identity.leaf_extensions,
        signature=b"",
    )
    return leaf.sign(identity.suite, identity.signature_key.private, place)


def check_key_package(key_package: KeyPackage, suite: CipherSuite) -> None:
    """Check what never changes with time (section 10.1); raise InvalidError."""
    if (key_package.version, key_package.cipher_suite) != (MLS10, suite.id):
        raise InvalidError(Rule.KEY_PACKAGE_SUITE)
    leaf = key_package.leaf_node
    check_source(leaf, Lifetime)
    check_leaf(leaf, suite, NOWHERE)
    check_unique_types(key_package.extensions)
    check_encryption_key(suite, key_package.init_key)
    if key_package.init_key == leaf.encryption_key:
        raise InvalidError(Rule.KEY_PACKAGE_INIT_KEY)
    content = key_package.encode_before("signature")
    try:
        suite.verify_with_label(
            leaf.signature_key, _LABEL, content, key_package.signature
        )
    except CryptoError as error:
        raise InvalidError(Rule.KEY_PACKAGE_SIGNATURE, str(error)) from error


def verify_key_package(
    unverified: Unverified[KeyPackage], suite: CipherSuite, now: int
) -> KeyPackage:
    """Return a key package that may be chosen at the Unix time `now`, in seconds.

    Lifetimes are looked at here, where a person is about to be added, and never when
    a commit is judged: members' clocks differ, their verdicts must not.
    Raises InvalidError.
    """
    key_package = unverified.take_for_checking()
    check_key_package(key_package, suite)
    source = key_package.leaf_node.source
    if not (isinstance(source, Lifetime) and source.contains(now)):
        raise InvalidError(Rule.LEAF_LIFETIME)
    return key_package
