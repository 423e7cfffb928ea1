import pytest

from tertulia.crypto import CIPHER_SUITES, cipher_suite
from tertulia.mls import (
    Capabilities,
    Extension,
    RequiredCapabilities,
    Rule,
    create_group,
    required_capabilities_extension,
)
from tertulia.mls.leaf_node import MLS10
from tertulia.mls.transcript import confirmation_tag
from tests.mls.world import (
    ALWAYS,
    GROUP_ID,
    SUITE,
    About,
    alone,
    identity,
    refused,
    seeded,
)


@pytest.mark.parametrize("number", CIPHER_SUITES)
def test_a_new_group_has_one_member_at_epoch_zero(number: int) -> None:
    suite = cipher_suite(number)
    group = alone("Ana", About(suite=suite))
    assert [index for index, _ in group.tree.members()] == [0]
    assert group.leaf_index == 0
    assert group.context.epoch == 0
    assert group.context.group_id == GROUP_ID
    assert (group.context.version, group.context.cipher_suite) == (MLS10, number)
    assert group.context.tree_hash == group.tree.tree_hash(suite)


def test_the_transcript_begins_empty_and_is_confirmed() -> None:
    group = alone("Ana")
    assert group.context.confirmed_transcript_hash == b""
    key = group.epoch.secrets.confirmation_key
    assert group.epoch.confirmation_tag == confirmation_tag(SUITE, key, b"")


def test_the_first_secrets_are_random() -> None:
    one = create_group(identity("Ana"), GROUP_ID, ALWAYS, seeded("one"))
    other = create_group(identity("Ana"), GROUP_ID, ALWAYS, seeded("other"))
    assert one.epoch_authenticator != other.epoch_authenticator
    assert one.leaf.encryption_key != other.leaf.encryption_key


def test_the_founder_holds_the_key_of_its_leaf() -> None:
    group = alone("Ana")
    private = group.epoch.private_keys.by_node[0]
    assert SUITE.hpke.kem.public_key(private) == group.leaf.encryption_key


def test_the_founder_supports_what_it_founds() -> None:
    policy = Extension(0xF001, b"room policy")
    able = About(capabilities=Capabilities(extensions=(0xF001,)))
    assert alone("Ana", able, extensions=(policy,)).context.extensions == (policy,)
    with refused(Rule.GROUP_EXTENSIONS):
        alone("Ana", extensions=(policy,))
    required = required_capabilities_extension(RequiredCapabilities((0xF001,)))
    with refused(Rule.REQUIRED_CAPABILITIES):
        alone("Ana", extensions=(required,))


def test_no_extension_stands_twice() -> None:
    with refused(Rule.EXTENSION_ONCE):
        alone("Ana", extensions=(Extension(5, b"\0"), Extension(5, b"\0")))
