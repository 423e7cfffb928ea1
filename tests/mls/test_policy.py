from tertulia.mls import AcceptEverything, Policy
from tests.mls.world import group_of, make


def test_for_tests_and_experiments_there_is_a_policy_that_accepts_everything() -> None:
    policy: Policy = AcceptEverything()
    made = make(group_of("Ana", "Luis")[0])
    policy.check_member(made.after.leaf)
    policy.check_change(made.change)


def test_a_change_tells_who_did_what_to_which_group() -> None:
    group = group_of("Ana", "Luis")[1]
    change = make(group).change
    assert change.committer == 1
    assert change.proposals == ()
    assert change.new_leaf == change.tree_after.leaf(1)
    assert change.context_before == group.context
    assert change.context_after.epoch == group.context.epoch + 1
    # The transcript is not known before the commit is signed.
    assert (
        change.context_after.confirmed_transcript_hash
        == change.context_before.confirmed_transcript_hash
    )
    assert change.tree_before.nodes == group.tree.nodes
