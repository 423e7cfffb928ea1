from collections.abc import Callable
from dataclasses import replace

import pytest

from tertulia.crypto import CIPHER_SUITES, HYBRID_SUITE, CipherSuite, cipher_suite
from tertulia.mls import (
    Extension,
    KeyPackage,
    KeyPackageSecrets,
    Lifetime,
    Rule,
    Unverified,
    create_key_package,
    verify_key_package,
)
from tertulia.mls.key_package import check_key_package, new_leaf
from tertulia.mls.leaf_node import UpdateSource
from tests.mls.world import (
    ALWAYS,
    NOW,
    SUITE,
    About,
    identity,
    key_package,
    refused,
    seeded,
)

ANA = identity("Ana")


def signed_again(package: KeyPackage, **what: object) -> KeyPackage:
    """Return the key package with other fields, signed by its owner."""
    package = replace(package, **what)  # type: ignore[arg-type]
    signature = SUITE.sign_with_label(
        ANA.signature_key.private, "KeyPackageTBS", package.encode_before("signature")
    )
    return replace(package, signature=signature)


def of_ana(lifetime: Lifetime = ALWAYS) -> KeyPackageSecrets:
    return create_key_package(ANA, lifetime, seeded("package"))


@pytest.mark.parametrize("number", CIPHER_SUITES)
def test_a_key_package_is_read_as_it_was_written_and_verifies(number: int) -> None:
    suite = cipher_suite(number)
    package = key_package("Ana", About(suite=suite)).key_package
    read = KeyPackage.decode(package.encode())
    assert read == package
    assert verify_key_package(Unverified(read), suite, NOW) == package


def test_the_private_keys_answer_to_the_public_ones() -> None:
    def public(suite: CipherSuite, secrets: KeyPackageSecrets) -> tuple[bytes, bytes]:
        kem = suite.hpke.kem
        return kem.public_key(secrets.init_key), kem.public_key(secrets.encryption_key)

    secrets = of_ana()
    package = secrets.key_package
    assert public(SUITE, secrets) == (
        package.init_key,
        package.leaf_node.encryption_key,
    )
    assert secrets.identity == ANA


def test_two_key_packages_of_one_client_share_no_key_and_no_reference() -> None:
    one, other = (key_package("Ana", number=number).key_package for number in (1, 2))
    assert one.init_key != other.init_key
    assert one.leaf_node.encryption_key != other.leaf_node.encryption_key
    assert one.reference(SUITE) != other.reference(SUITE)


def test_the_reference_is_the_hash_of_section_5_2() -> None:
    package = of_ana().key_package
    assert package.reference(SUITE) == SUITE.ref_hash(
        "MLS 1.0 KeyPackage Reference", package.encode()
    )


def test_a_last_resort_says_so() -> None:
    assert key_package("Ana", last_resort=True).key_package.is_last_resort
    assert not key_package("Ana").key_package.is_last_resort


@pytest.mark.parametrize(
    ("lifetime", "chosen"),
    [
        (Lifetime(NOW, NOW), True),
        (Lifetime(NOW - 10, NOW + 10), True),
        (Lifetime(NOW + 1, NOW + 10), False),
        (Lifetime(NOW - 10, NOW - 1), False),
        (Lifetime(NOW + 10, NOW - 10), False),
    ],
)
def test_a_key_package_is_chosen_only_within_its_lifetime(
    lifetime: Lifetime, *, chosen: bool
) -> None:
    unverified = Unverified(of_ana(lifetime).key_package)
    if chosen:
        verify_key_package(unverified, SUITE, NOW)
    else:
        with refused(Rule.LEAF_LIFETIME):
            verify_key_package(unverified, SUITE, NOW)


def test_a_commit_is_judged_without_a_clock() -> None:
    check_key_package(of_ana(Lifetime(0, 1)).key_package, SUITE)


@pytest.mark.parametrize(
    "what", [{"version": 2}, {"cipher_suite": 3}, {"cipher_suite": HYBRID_SUITE}]
)
def test_version_and_suite_are_those_of_the_group(what: dict[str, int]) -> None:
    with refused(Rule.KEY_PACKAGE_SUITE):
        check_key_package(signed_again(of_ana().key_package, **what), SUITE)


def test_the_leaf_of_a_key_package_comes_from_a_key_package() -> None:
    leaf = new_leaf(ANA, of_ana().key_package.leaf_node.encryption_key, UpdateSource())
    with refused(Rule.LEAF_SOURCE):
        check_key_package(signed_again(of_ana().key_package, leaf_node=leaf), SUITE)


def test_the_leaf_of_a_key_package_is_checked() -> None:
    package = of_ana().key_package
    leaf = replace(package.leaf_node, signature=bytes(64))
    with refused(Rule.LEAF_SIGNATURE):
        check_key_package(signed_again(package, leaf_node=leaf), SUITE)


def test_an_extension_type_stands_once_in_a_key_package() -> None:
    twice = (Extension(10, b""), Extension(10, b""))
    with refused(Rule.EXTENSION_ONCE):
        check_key_package(signed_again(of_ana().key_package, extensions=twice), SUITE)


def test_unknown_extensions_of_a_key_package_are_ignored() -> None:
    grease = (Extension(0x5A5A, b"grease"),)
    check_key_package(signed_again(of_ana().key_package, extensions=grease), SUITE)


@pytest.mark.parametrize("key", [b"", bytes(32)])
def test_the_init_key_must_be_one_of_the_suite(key: bytes) -> None:
    with refused(Rule.ENCRYPTION_KEY_VALID):
        check_key_package(signed_again(of_ana().key_package, init_key=key), SUITE)


def test_init_key_and_encryption_key_differ() -> None:
    package = of_ana().key_package
    same = signed_again(package, init_key=package.leaf_node.encryption_key)
    with refused(Rule.KEY_PACKAGE_INIT_KEY):
        check_key_package(same, SUITE)


@pytest.mark.parametrize(
    "forge",
    [
        lambda package: replace(package, signature=bytes(64)),
        lambda package: replace(package, extensions=(Extension(10, b""),)),
        lambda package: replace(
            package, init_key=key_package("Eva").key_package.init_key
        ),
    ],
)
def test_the_signature_covers_every_field(
    forge: Callable[[KeyPackage], KeyPackage],
) -> None:
    with refused(Rule.KEY_PACKAGE_SIGNATURE):
        check_key_package(forge(of_ana().key_package), SUITE)
