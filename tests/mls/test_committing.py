from dataclasses import replace

import pytest

from tertulia.crypto import Secret
from tertulia.mls import (
    PUBLIC,
    Add,
    BasicCredential,
    Capabilities,
    CommitPlan,
    Extension,
    ExternalPSK,
    Framing,
    Group,
    GroupContextExtensions,
    MisuseError,
    PreSharedKey,
    PrivateMessage,
    PSKs,
    PublicMessage,
    ReceivedApplication,
    ReceivedCommit,
    ReInit,
    Remove,
    ResumptionPSK,
    ResumptionPSKUsage,
    Rule,
    UnknownPskError,
    commit,
    join,
    new_psk_id,
    propose,
    propose_update,
    protect,
    receive,
)
from tests.mls.world import (
    ANYTHING,
    GROUP_ID,
    PICKY,
    SUITE,
    About,
    adds,
    agree,
    follow,
    given_tree,
    group_of,
    grown,
    hear,
    identity,
    key_package,
    make,
    refused,
    seeded,
    unchanged,
)

RNG = seeded("committing")
PAPER = ExternalPSK(b"paper")


def keys_fit(group: Group) -> bool:
    """Tell whether every private key is that of the node it stands for."""
    return all(
        SUITE.hpke.kem.public_key(private) == group.tree.encryption_key(index)
        for index, private in group.epoch.private_keys.by_node.items()
    )


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_an_empty_commit_refreshes_the_committer_and_all_agree(size: int) -> None:
    groups = group_of(*("Ana", "Luis", "Eva", "Juan", "Mia")[:size])
    for number in range(size):
        made = make(groups[number])
        assert made.change.new_leaf is not None
        assert made.after.leaf.encryption_key != groups[number].leaf.encryption_key
        assert made.welcome is None
        groups = follow(groups, made)
        assert agree(groups)
        assert all(keys_fit(group) for group in groups)


def test_committing_leaves_the_group_as_it_was_and_gives_both_ways_to_go_on() -> None:
    ana, luis = group_of("Ana", "Luis")
    with unchanged(ana):
        made = make(ana)
    assert made.before.epoch == ana.epoch
    assert made.after.context.epoch == ana.context.epoch + 1
    # The key of the commit is used up though the commit may be refused.
    again = make(made.before)
    assert isinstance(made.message, PrivateMessage)
    assert isinstance(again.message, PrivateMessage)
    received = receive(luis, again.message, ANYTHING)
    assert isinstance(received, ReceivedCommit)
    assert received.group.context == again.after.context


def test_a_commit_that_lost_the_race_is_forgotten() -> None:
    ana, luis = group_of("Ana", "Luis")
    lost, won = make(ana), make(luis)
    received = receive(lost.before, won.message, ANYTHING)
    assert isinstance(received, ReceivedCommit)
    assert agree([received.group, won.after])


@pytest.mark.parametrize("framing", [Framing(), PUBLIC])
def test_a_commit_travels_either_way(framing: Framing) -> None:
    groups = group_of("Ana", "Luis")
    made = make(groups[0], CommitPlan(framing=framing))
    wanted = PublicMessage if framing is PUBLIC else PrivateMessage
    assert isinstance(made.message, wanted)
    assert agree(follow(groups, made))


def test_padding_and_authenticated_data_go_with_a_commit() -> None:
    ana, luis = group_of("Ana", "Luis")
    framing = Framing(authenticated_data=b"seq 7", padding=500)
    made = make(ana, CommitPlan(framing=framing))
    assert made.change.authenticated_data == b"seq 7"
    assert isinstance(made.message, PrivateMessage)
    assert made.message.authenticated_data == b"seq 7"
    plain = make(ana, CommitPlan(framing=Framing(authenticated_data=b"seq 7"))).message
    assert len(made.message.encode()) == len(plain.encode()) + 500  # type: ignore[union-attr]
    received = receive(luis, made.message, ANYTHING)
    assert isinstance(received, ReceivedCommit)
    assert received.change.authenticated_data == b"seq 7"


@pytest.mark.parametrize("path", [True, False])
@pytest.mark.parametrize("tree_in_welcome", [True, False])
def test_who_is_added_joins_with_and_without_path_and_tree(
    *, path: bool, tree_in_welcome: bool
) -> None:
    groups = grown("Ana", "Luis", "Eva")
    newcomers = [key_package("Juan"), key_package("Mia")]
    plan = replace(adds(*newcomers), path=path, tree_in_welcome=tree_in_welcome)
    made = make(groups[1], plan)
    assert (made.change.new_leaf is not None) is path
    assert made.welcome is not None
    aids = given_tree(made.after.tree)
    joined = [join(made.welcome, package, ANYTHING, aids) for package in newcomers]
    if not tree_in_welcome:
        with refused(Rule.GROUP_INFO_TREE):
            join(made.welcome, newcomers[0], ANYTHING)
    groups = [*follow(groups, made), *joined]
    assert agree(groups)
    assert all(keys_fit(group) for group in groups)
    # Newcomers hold what the committer's path gives them, and can be followed.
    assert (7 in joined[1].epoch.private_keys.by_node) is path
    assert agree(follow(groups, make(joined[1])))


@pytest.mark.parametrize(
    "proposals",
    [[Remove(1)], [GroupContextExtensions(())], []],
    ids=["remove", "extensions", "empty"],
)
def test_where_a_path_is_due_it_is_made_anyway(
    proposals: list[Remove | GroupContextExtensions],
) -> None:
    groups = group_of("Ana", "Luis", "Eva")
    made = make(groups[0], CommitPlan(proposals=proposals, path=False))
    assert made.change.new_leaf is not None
    assert agree(follow(groups, made))


def test_what_others_proposed_is_committed_by_reference() -> None:
    groups = group_of("Ana", "Luis", "Eva")
    luis, update = propose_update(groups[1], RNG)
    groups = hear(groups, luis, update)
    eva, add = propose(groups[2], Add(key_package("Juan").key_package), RNG)
    groups = hear(groups, eva, add)
    references = list(groups[0].traffic.proposals)
    made = make(groups[0], CommitPlan(references=references))
    assert [sent.reference for sent in made.change.proposals] == references
    assert made.welcome is not None
    joined = join(made.welcome, key_package("Juan"), ANYTHING)
    after = [*follow(groups, made), joined]
    assert agree(after)
    assert all(keys_fit(group) for group in after)
    assert after[1].leaf.encryption_key != groups[1].leaf.encryption_key


def test_a_proposal_that_is_unknown_cannot_be_committed() -> None:
    with refused(Rule.PROPOSAL_REFERENCE):
        make(group_of("Ana", "Luis")[0], CommitPlan(references=[b"unknown"]))


def test_a_committer_is_refused_what_its_receivers_would_refuse() -> None:
    ana = group_of("Ana", "Luis")[0]
    with refused(Rule.REMOVE_COMMITTER):
        make(ana, CommitPlan(proposals=[Remove(0)]))
    with refused(Rule.ADD_ONCE):
        make(ana, adds(key_package("Luis", number=5)))
    policy = GroupContextExtensions((Extension(0xF001, b"policy"),))
    with refused(Rule.GROUP_EXTENSIONS):
        make(ana, CommitPlan(proposals=[policy]))


def test_a_committer_asks_its_policy() -> None:
    ana = group_of("Ana", "Luis")[0]
    with refused(Rule.CREDENTIAL):
        commit(ana, adds(key_package("Mallory")), PICKY, RNG)
    forbidden = CommitPlan(framing=Framing(authenticated_data=b"forbidden"))
    with refused(Rule.POLICY):
        commit(ana, forbidden, PICKY, RNG)


def test_the_extensions_of_the_group_can_be_replaced() -> None:
    about = About(capabilities=Capabilities(extensions=(0xF001,)))
    groups = group_of("Ana", "Luis", about=about)
    extensions = (Extension(0xF001, b"room policy"),)
    made = make(groups[0], CommitPlan([GroupContextExtensions(extensions)]))
    groups = follow(groups, made)
    assert agree(groups)
    assert groups[1].context.extensions == extensions


def test_a_pre_shared_key_counts_in_the_new_epoch() -> None:
    ana, luis = group_of("Ana", "Luis")
    psk = PreSharedKey(new_psk_id(SUITE, PAPER, RNG))
    keys: PSKs = {PAPER: Secret(b"written on paper")}
    with pytest.raises(UnknownPskError):
        make(ana, CommitPlan([psk]))
    made = make(ana, CommitPlan([psk], psks=keys, path=False))
    with pytest.raises(UnknownPskError):
        receive(luis, made.message, ANYTHING)
    other: PSKs = {PAPER: Secret(b"another paper")}
    with refused(Rule.CONFIRMATION_TAG):
        receive(luis, made.message, ANYTHING, other)
    received = receive(luis, made.message, ANYTHING, keys)
    assert isinstance(received, ReceivedCommit)
    assert agree([made.after, received.group])


def test_a_secret_of_a_past_epoch_counts_in_the_new_one() -> None:
    groups = group_of("Ana", "Luis")
    past = ResumptionPSK(ResumptionPSKUsage.APPLICATION, GROUP_ID, 1)
    for number in (0, 1):
        groups = follow(groups, make(groups[number]))
    psk = PreSharedKey(new_psk_id(SUITE, past, RNG))
    assert agree(follow(groups, make(groups[0], CommitPlan([psk]))))


def test_a_new_identity_is_in_the_new_leaf_and_signs_from_then_on() -> None:
    groups = group_of("Ana", "Luis")
    new = replace(identity("Ana's new phone"), credential=BasicCredential(b"Ana"))
    # A path is made for it even if none was asked for.
    made = make(
        groups[0], replace(adds(key_package("Eva")), path=False, new_identity=new)
    )
    assert made.after.identity == new
    assert made.welcome is not None
    eva = join(made.welcome, key_package("Eva"), ANYTHING)
    groups = [*follow(groups, made), eva]
    assert agree(groups)
    ana, message = protect(groups[0], b"hello", RNG)
    for group in groups[1:]:
        received = receive(group, message, ANYTHING)
        assert isinstance(received, ReceivedApplication)
    assert agree(follow([ana, *groups[1:]], make(ana)))


def test_after_a_reinit_nothing_is_committed() -> None:
    groups = group_of("Ana", "Luis")
    reinit = ReInit(b"next", 1, 1, ())
    groups = follow(groups, make(groups[0], CommitPlan([reinit])))
    assert agree(groups)
    assert [group.reinit for group in groups] == [reinit, reinit]
    for group in groups:
        with pytest.raises(MisuseError):
            make(group)


def test_the_tree_shrinks_and_grows_and_all_agree() -> None:
    groups = grown("Ana", "Luis", "Eva", "Juan", "Mia")
    groups = follow(groups, make(groups[0], CommitPlan([Remove(4), Remove(3)])))
    assert [group.tree.leaf_count for group in groups] == [4, 4, 4]
    assert agree(groups)
    made = make(groups[2], adds(key_package("Leo"), key_package("Zoe")))
    groups = follow(groups, made)
    assert groups[0].tree.leaf_count == 8
    assert agree(groups)
