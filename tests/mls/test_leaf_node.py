from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from tertulia.codec import CodecError
from tertulia.crypto import cipher_suite
from tertulia.mls import (
    MLS10,
    BasicCredential,
    Capabilities,
    Extension,
    LeafNode,
    Lifetime,
    Rule,
    X509Credential,
)
from tertulia.mls.key_package import new_leaf
from tertulia.mls.leaf_node import (
    NOWHERE,
    CommitSource,
    LeafPlace,
    Source,
    UpdateSource,
    check_leaf,
    check_source,
)
from tests.mls.world import ALWAYS, NOW, SUITE, USUAL, About, identity, refused, seeded

HERE = LeafPlace(b"tertulia", 3)
SOURCES: list[Source] = [ALWAYS, UpdateSource(), CommitSource(b"hash above")]
KEY = SUITE.generate_kem_key_pair(seeded("leaf")).public


def leaf_of(
    source: Source = ALWAYS, place: LeafPlace = NOWHERE, about: About = USUAL
) -> LeafNode:
    return new_leaf(identity("Ana", about), KEY, source, place)


def changed(leaf: LeafNode, place: LeafPlace, **what: object) -> LeafNode:
    """Return the leaf with other fields, signed again by its owner."""
    key = identity("Ana").signature_key.private
    return replace(leaf, **what).sign(SUITE, key, place)  # type: ignore[arg-type]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: type(source).__name__)
def test_a_leaf_is_read_as_it_was_written_and_still_verifies(source: Source) -> None:
    leaf = leaf_of(source, HERE)
    read = LeafNode.decode(leaf.encode())
    assert read == leaf
    check_leaf(read, SUITE, HERE)


def test_equal_capabilities_are_read_as_one_value() -> None:
    first = leaf_of(about=About(capabilities=Capabilities(extensions=(0xF00D,))))
    second = leaf_of(UpdateSource(), HERE, About(capabilities=first.capabilities))
    read = [LeafNode.decode(leaf.encode()) for leaf in (first, second)]
    assert read == [first, second]
    assert read[0].capabilities is read[1].capabilities
    # Half a number is refused each time.
    good = first.capabilities.encode()
    bad = good.replace(b"\2\xf0\x0d", b"\1\xf0")
    for _ in range(2):
        with pytest.raises(CodecError):
            LeafNode.decode(first.encode().replace(good, bad))


@given(st.binary(max_size=60))
def test_any_bytes_are_a_leaf_or_a_codec_error(data: bytes) -> None:
    encoded = leaf_of().encode()
    for candidate in (data, encoded[: len(data)] + data, data + encoded[len(data) :]):
        try:
            leaf = LeafNode.decode(candidate)
        except CodecError:
            continue
        assert leaf.encode() == candidate


def test_our_capabilities_name_this_protocol_and_its_suites() -> None:
    assert Capabilities().versions == (MLS10,)
    assert set(Capabilities().cipher_suites) == {*range(1, 8), 0xF002}


def test_one_more_extension_can_be_listed_and_once_is_enough() -> None:
    more = Capabilities(extensions=(0xF001,)).with_extension(0xF002)
    assert more.extensions == (0xF001, 0xF002)
    assert more.with_extension(0xF002) == more


def test_a_lifetime_includes_both_its_ends() -> None:
    lifetime = Lifetime(NOW, NOW + 10)
    assert lifetime.contains(NOW)
    assert lifetime.contains(NOW + 10)
    assert not lifetime.contains(NOW - 1)
    assert not lifetime.contains(NOW + 11)


def test_only_a_leaf_from_a_commit_has_a_parent_hash() -> None:
    assert [leaf_of(source).parent_hash for source in SOURCES] == [
        None,
        None,
        b"hash above",
    ]


@pytest.mark.parametrize("source", [UpdateSource(), CommitSource(b"")])
@pytest.mark.parametrize(
    "elsewhere", [LeafPlace(b"tertulia", 4), LeafPlace(b"other group", 3), NOWHERE]
)
def test_a_leaf_made_for_a_place_is_valid_nowhere_else(
    source: Source, elsewhere: LeafPlace
) -> None:
    leaf = leaf_of(source, HERE)
    leaf.verify_signature(SUITE, HERE)
    with refused(Rule.LEAF_SIGNATURE):
        leaf.verify_signature(SUITE, elsewhere)


def test_a_leaf_of_a_key_package_is_valid_wherever_it_is_put() -> None:
    leaf = leaf_of(ALWAYS, NOWHERE)
    leaf.verify_signature(SUITE, HERE)
    leaf.verify_signature(SUITE, LeafPlace(b"other group", 0))


@pytest.mark.parametrize(
    "forge",
    [
        lambda leaf: replace(leaf, encryption_key=bytes(31) + b"\7"),
        lambda leaf: replace(leaf, credential=BasicCredential(b"Eva")),
        lambda leaf: replace(leaf, capabilities=Capabilities(extensions=(9,))),
        lambda leaf: replace(leaf, source=Lifetime(0, 1)),
        lambda leaf: replace(leaf, extensions=(Extension(1, b""),)),
        lambda leaf: replace(leaf, signature_key=identity("Eva").signature_key.public),
        lambda leaf: replace(leaf, signature=bytes(64)),
        lambda leaf: replace(leaf, signature=b""),
    ],
)
def test_the_signature_covers_every_field(
    forge: Callable[[LeafNode], LeafNode],
) -> None:
    with refused(Rule.LEAF_SIGNATURE):
        check_leaf(forge(leaf_of()), SUITE, NOWHERE)


def test_a_key_that_cannot_verify_anything_is_a_bad_signature() -> None:
    with refused(Rule.LEAF_SIGNATURE):
        replace(leaf_of(), signature_key=b"short").verify_signature(SUITE, NOWHERE)


@pytest.mark.parametrize("key", [b"", bytes(32), b"\1" * 31])
def test_an_encryption_key_must_be_one_of_the_suite(key: bytes) -> None:
    with refused(Rule.ENCRYPTION_KEY_VALID):
        check_leaf(changed(leaf_of(), NOWHERE, encryption_key=key), SUITE, NOWHERE)


def test_keys_of_another_suite_are_no_keys_of_this_one() -> None:
    other = cipher_suite(2).generate_kem_key_pair(seeded("p256")).public
    with refused(Rule.ENCRYPTION_KEY_VALID):
        check_leaf(changed(leaf_of(), NOWHERE, encryption_key=other), SUITE, NOWHERE)


def test_a_leafs_own_extensions_must_be_listed_in_its_capabilities() -> None:
    profile = Extension(0xF001, b"Ana")
    listed = About(
        capabilities=Capabilities(extensions=(0xF001,)), leaf_extensions=(profile,)
    )
    check_leaf(leaf_of(about=listed), SUITE, NOWHERE)
    with refused(Rule.LEAF_EXTENSIONS):
        check_leaf(leaf_of(about=About(leaf_extensions=(profile,))), SUITE, NOWHERE)


def test_extensions_that_everybody_supports_need_not_be_listed() -> None:
    everybodys = tuple(Extension(number, b"") for number in range(1, 6))
    check_leaf(leaf_of(about=About(leaf_extensions=everybodys)), SUITE, NOWHERE)
    for number in (0, 6):
        about = About(leaf_extensions=(Extension(number, b""),))
        with refused(Rule.LEAF_EXTENSIONS):
            check_leaf(leaf_of(about=about), SUITE, NOWHERE)


def test_many_extensions_are_looked_up_not_searched_for() -> None:
    compared = 0

    class Number(int):
        @override
        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return int(self) == other

        __hash__ = int.__hash__

    types = range(0xF000, 0xF800)
    about = About(
        capabilities=Capabilities(extensions=tuple(map(Number, types))),
        leaf_extensions=tuple(Extension(number, b"") for number in reversed(types)),
    )
    check_leaf(leaf_of(about=about), SUITE, NOWHERE)
    assert compared <= 2 * len(types)


def test_an_extension_type_stands_once_in_a_leaf() -> None:
    twice = (Extension(1, b"a"), Extension(1, b"b"))
    with refused(Rule.EXTENSION_ONCE):
        check_leaf(leaf_of(about=About(leaf_extensions=twice)), SUITE, NOWHERE)


def test_a_leafs_own_credential_type_must_be_listed() -> None:
    leaf = changed(leaf_of(), NOWHERE, credential=X509Credential((b"certificate",)))
    with refused(Rule.LEAF_CREDENTIAL):
        check_leaf(leaf, SUITE, NOWHERE)


def test_grease_in_capabilities_means_nothing() -> None:
    grease = (0x0A0A, 0x5A5A, 0xEAEA)
    capabilities = Capabilities(
        (MLS10, *grease), (1, *grease), grease, grease, (1, *grease)
    )
    leaf = leaf_of(about=About(capabilities=capabilities))
    check_leaf(LeafNode.decode(leaf.encode()), SUITE, NOWHERE)


@pytest.mark.parametrize("allowed", [Lifetime, UpdateSource, CommitSource])
def test_a_place_takes_only_leaves_of_its_source(allowed: type[Source]) -> None:
    for source in SOURCES:
        if isinstance(source, allowed):
            check_source(leaf_of(source), allowed)
        else:
            with refused(Rule.LEAF_SOURCE):
                check_source(leaf_of(source), allowed)
