from dataclasses import replace

import pytest

from tertulia.crypto import Secret
from tertulia.mls import (
    PUBLIC,
    CommitPlan,
    Extension,
    ExternalJoin,
    PublicMessage,
    Rule,
    Unverified,
    join_externally,
    make_group_info,
)
from tertulia.mls.epoch_change import (
    EpochInputs,
    check_change,
    next_epoch,
    provisional_context,
)
from tertulia.mls.framing import AuthenticatedContent, WireFormat
from tertulia.mls.key_schedule import joiner_secret, start_epoch
from tertulia.mls.transcript import confirmed_transcript_hash
from tests.mls.world import (
    ANYTHING,
    PICKY,
    SUITE,
    adds,
    context,
    group_of,
    grown,
    identity,
    key_package,
    make,
    refused,
    seeded,
)

ZERO = Secret(bytes(32))
POLICY = (Extension(0xF001, b"policy"),)


def test_paths_are_encrypted_under_the_new_context_with_the_old_transcript() -> None:
    group = group_of("Ana", "Luis")[0]
    tree = make(group).after.tree
    provisional = provisional_context(SUITE, group.context, tree, POLICY)
    assert provisional == replace(
        group.context,
        epoch=group.context.epoch + 1,
        tree_hash=tree.tree_hash(SUITE),
        extensions=POLICY,
    )


def a_commit() -> AuthenticatedContent:
    message = make(group_of("Ana", "Luis")[0], CommitPlan(framing=PUBLIC)).message
    assert isinstance(message, PublicMessage)
    return AuthenticatedContent(
        WireFormat.PUBLIC_MESSAGE, message.content, message.auth
    )


@pytest.mark.parametrize("commit_secret", [None, Secret(b"commit".ljust(32))])
def test_the_next_epoch_comes_of_all_its_inputs(commit_secret: Secret | None) -> None:
    init, psk = Secret(b"init".ljust(32)), Secret(b"psk".ljust(32))
    inputs = EpochInputs(init, commit_secret, psk, b"interim")
    after, started = next_epoch(SUITE, inputs, context(8), a_commit())
    confirmed = confirmed_transcript_hash(SUITE, b"interim", a_commit())
    assert after == replace(context(8), confirmed_transcript_hash=confirmed)
    # Without a path the commit secret is zero (section 12.4.2).
    joiner = joiner_secret(SUITE, init, commit_secret or ZERO, after)
    assert started == start_epoch(SUITE, joiner, psk, after)


def test_a_change_is_checked_whole_before_the_policy_is_asked() -> None:
    made = make(group_of("Ana", "Luis")[0])
    check_change(made.change, [], ANYTHING)
    unsupported = replace(
        made.change, context_after=replace(made.change.context_after, extensions=POLICY)
    )
    with refused(Rule.GROUP_EXTENSIONS):
        check_change(unsupported, [], ANYTHING)


def test_the_policy_sees_every_leaf_that_enters() -> None:
    change = make(group_of("Ana", "Luis")[0]).change
    mallory = key_package("Mallory").key_package.leaf_node
    with refused(Rule.CREDENTIAL):
        check_change(change, [mallory], PICKY)
    with refused(Rule.CREDENTIAL):
        check_change(replace(change, new_leaf=mallory), [], PICKY)
    check_change(replace(change, new_leaf=None), [], PICKY)


def test_the_policy_judges_the_commit() -> None:
    change = make(group_of("Ana", "Luis")[0], adds(key_package("Eva"))).change
    check_change(change, [], PICKY)
    with refused(Rule.POLICY):
        check_change(replace(change, authenticated_data=b"forbidden"), [], PICKY)


def test_a_joiner_who_replaces_a_leaf_brings_a_new_key() -> None:
    group = grown("Ana", "Luis", "Eva")[0]
    plan = ExternalJoin(identity("Eva"), replaces=2)
    info = Unverified(make_group_info(group))
    change = join_externally(info, plan, ANYTHING, seeded("Eva")).change
    check_change(change, [], ANYTHING)
    old, new = group.tree.leaf(2), change.new_leaf
    assert old is not None
    assert new is not None
    kept = replace(new, encryption_key=old.encryption_key)
    with refused(Rule.UPDATE_KEY):
        check_change(replace(change, new_leaf=kept), [], ANYTHING)
