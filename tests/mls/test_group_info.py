from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tertulia.codec import CodecError
from tertulia.crypto import cipher_suite
from tertulia.mls import (
    Extension,
    ExtensionType,
    Group,
    GroupInfo,
    Rule,
    Unverified,
    find_extension,
    make_group_info,
)
from tertulia.mls.extension import ExternalPub
from tertulia.mls.group_info import verify_group_info
from tests.mls.world import SUITE, grown, refused


def group() -> Group:
    return grown("Ana", "Luis", "Eva")[1]


def signed_again(info: GroupInfo, **what: Any) -> GroupInfo:
    """Return the GroupInfo with other fields, signed by the member who made it."""
    return replace(info, **what).sign(SUITE, group().epoch.signature_key)


def test_it_is_read_as_it_was_written_and_verifies() -> None:
    info = GroupInfo.decode(make_group_info(group()).encode())
    verified, tree = verify_group_info(Unverified(info), SUITE, None)
    assert verified == info
    assert tree.nodes == group().tree.nodes


def test_it_says_what_joiners_need_to_know() -> None:
    info = make_group_info(group())
    assert info.group_context == group().context
    assert info.confirmation_tag == group().epoch.confirmation_tag
    assert info.signer == 1
    tree = find_extension(info.extensions, ExtensionType.RATCHET_TREE)
    assert tree == group().tree.encode()
    external_pub = find_extension(info.extensions, ExtensionType.EXTERNAL_PUB)
    key = group().epoch.secrets.external_key_pair(SUITE).public
    assert external_pub == ExternalPub(key).encode()


def test_tree_and_external_key_can_be_left_out() -> None:
    assert make_group_info(group(), tree=False, external_pub=False).extensions == ()


def test_a_tree_may_come_separately() -> None:
    info = Unverified(make_group_info(group(), tree=False))
    _, tree = verify_group_info(info, SUITE, group().tree)
    assert tree.nodes == group().tree.nodes
    with refused(Rule.GROUP_INFO_TREE):
        verify_group_info(info, SUITE, None)


def test_a_tree_of_another_hash_is_refused() -> None:
    other = grown("Ana", "Luis")[0].tree
    with refused(Rule.TREE_HASH):
        verify_group_info(Unverified(make_group_info(group())), SUITE, other)
    inside = signed_again(
        make_group_info(group()),
        extensions=(Extension(ExtensionType.RATCHET_TREE, other.encode()),),
    )
    with refused(Rule.TREE_HASH):
        verify_group_info(Unverified(inside), SUITE, None)


def test_a_malformed_tree_is_refused() -> None:
    malformed = signed_again(
        make_group_info(group()),
        extensions=(Extension(ExtensionType.RATCHET_TREE, b"\5"),),
    )
    with pytest.raises(CodecError):
        verify_group_info(Unverified(malformed), SUITE, None)


@pytest.mark.parametrize(
    "forge",
    [
        lambda info: replace(info, signature=bytes(64)),
        lambda info: replace(info, confirmation_tag=b"other"),
        lambda info: replace(info, signer=0),
        lambda info: replace(info, extensions=(*info.extensions, Extension(9, b""))),
        lambda info: replace(info, group_context=replace(info.group_context, epoch=77)),
    ],
)
def test_the_signature_covers_every_field(
    forge: Callable[[GroupInfo], GroupInfo],
) -> None:
    with refused(Rule.GROUP_INFO_SIGNATURE):
        verify_group_info(Unverified(forge(make_group_info(group()))), SUITE, None)


@pytest.mark.parametrize("signer", [3, 4, 2**32 - 1])
def test_the_signer_is_a_member(signer: int) -> None:
    info = signed_again(make_group_info(group()), signer=signer)
    with refused(Rule.GROUP_INFO_SIGNATURE):
        verify_group_info(Unverified(info), SUITE, None)


def test_another_suite_is_refused() -> None:
    with refused(Rule.WELCOME_SUITE):
        verify_group_info(Unverified(make_group_info(group())), cipher_suite(3), None)


def test_another_version_is_refused() -> None:
    info = make_group_info(group())
    newer = signed_again(info, group_context=replace(info.group_context, version=2))
    with refused(Rule.VERSION):
        verify_group_info(Unverified(newer), SUITE, None)


def test_no_extension_stands_twice_in_it_or_in_its_context() -> None:
    info, twice = make_group_info(group()), (Extension(9, b""), Extension(9, b""))
    context = replace(info.group_context, extensions=twice)
    for what in ({"extensions": twice}, {"group_context": context}):
        with refused(Rule.EXTENSION_ONCE):
            verify_group_info(Unverified(signed_again(info, **what)), SUITE, None)


def test_unknown_extensions_are_ignored() -> None:
    info = make_group_info(group())
    grease = Extension(0x5A5A, b"grease")
    greased = signed_again(info, extensions=(grease, *info.extensions))
    assert verify_group_info(Unverified(greased), SUITE, None)[0] == greased
