from dataclasses import replace

import pytest

from tertulia.crypto import CIPHER_SUITES, Secret, cipher_suite
from tertulia.mls import (
    Add,
    Aids,
    CommitPlan,
    Committed,
    Extension,
    ExternalPSK,
    Group,
    GroupInfo,
    PreSharedKey,
    PSKs,
    RatchetTree,
    ReceivedApplication,
    ResumptionPSK,
    ResumptionPSKUsage,
    Rule,
    UnknownPskError,
    Welcome,
    join,
    make_group_info,
    new_psk_id,
    protect,
    receive,
)
from tertulia.mls.psk import derive_psk_secret
from tertulia.mls.welcome import Newcomer, WelcomeKeys, make_welcome
from tests.mls.world import (
    ANYTHING,
    PICKY,
    SUITE,
    About,
    adds,
    agree,
    alone,
    follow,
    group_of,
    grown,
    key_package,
    make,
    refused,
    seeded,
)

RNG = seeded("joining")
EVA = key_package("Eva")
PAPER = ExternalPSK(b"paper")
KEYS: PSKs = {PAPER: Secret(b"written on paper")}


def added() -> Committed:
    return make(grown("Ana", "Luis")[0], adds(EVA))


def welcome_of(made: Committed) -> Welcome:
    assert made.welcome is not None
    return made.welcome


def forged(
    after: Group,
    info: GroupInfo | None = None,
    path_secret: Secret | None = None,
    psks: tuple[ResumptionPSK, ...] = (),
) -> Welcome:
    """Return a Welcome for Eva as a member may make it who means harm."""
    psk_ids = tuple(new_psk_id(SUITE, psk, RNG) for psk in psks)
    known: PSKs = {psk: Secret(b"resumed") for psk in psks}
    keys = WelcomeKeys(
        Secret(b"joiner".ljust(32)), derive_psk_secret(SUITE, psk_ids, known), psk_ids
    )
    newcomer = Newcomer(EVA.key_package, path_secret)
    return make_welcome(SUITE, info or make_group_info(after), keys, [newcomer], RNG)


@pytest.mark.parametrize("number", CIPHER_SUITES)
def test_a_joiner_is_where_the_others_are(number: int) -> None:
    groups = group_of("Ana", "Luis", "Eva", about=About(suite=cipher_suite(number)))
    assert agree(groups)
    eva, message = protect(groups[2], b"hello", RNG)
    assert eva.leaf_index == 2
    received = receive(groups[0], message, ANYTHING)
    assert isinstance(received, ReceivedApplication)
    assert (received.sender, received.data) == (2, b"hello")


def test_a_joiner_reads_nothing_from_before() -> None:
    ana = grown("Ana", "Luis")[0]
    before, message = protect(ana, b"said before", RNG)
    eva = join(welcome_of(make(before, adds(EVA))), EVA, ANYTHING)
    with refused(Rule.EPOCH):
        receive(eva, message, ANYTHING)
    # Nor can she pretend to be in the epoch before: its keys are not hers.
    context = replace(eva.context, epoch=eva.context.epoch - 1)
    pretending = replace(eva, epoch=replace(eva.epoch, context=context))
    with refused(Rule.CIPHERTEXT):
        receive(pretending, message, ANYTHING)


def test_a_last_resort_key_package_opens_more_than_one_group() -> None:
    last_resort = key_package("Eva", last_resort=True)
    assert last_resort.key_package.is_last_resort
    for group_id in (b"one", b"other"):
        made = make(alone("Ana", group_id=group_id), adds(last_resort))
        eva = join(welcome_of(made), last_resort, ANYTHING)
        assert agree([made.after, eva])


def test_the_tree_may_come_separately_and_must_be_the_right_one() -> None:
    made = make(grown("Ana", "Luis")[0], replace(adds(EVA), tree_in_welcome=False))
    eva = join(welcome_of(made), EVA, ANYTHING, Aids({}, made.after.tree))
    assert agree([made.after, eva])
    with refused(Rule.GROUP_INFO_TREE):
        join(welcome_of(made), EVA, ANYTHING)
    with refused(Rule.TREE_HASH):
        join(welcome_of(made), EVA, ANYTHING, Aids({}, grown("Ana", "Luis")[0].tree))


def test_pre_shared_keys_of_the_commit_are_asked_of_the_joiner() -> None:
    psk = PreSharedKey(new_psk_id(SUITE, PAPER, RNG))
    plan = CommitPlan([Add(EVA.key_package), psk], psks=KEYS)
    made = make(grown("Ana", "Luis")[0], plan)
    with pytest.raises(UnknownPskError):
        join(welcome_of(made), EVA, ANYTHING)
    assert agree([made.after, join(welcome_of(made), EVA, ANYTHING, Aids(KEYS))])


def test_a_joiner_asks_its_policy_about_everybody() -> None:
    assert join(welcome_of(added()), EVA, PICKY).leaf_index == 2
    made = make(group_of("Ana", "Mallory")[0], adds(EVA))
    with refused(Rule.CREDENTIAL):
        join(welcome_of(made), EVA, PICKY)


def test_a_joiner_without_a_leaf_in_the_tree_is_refused() -> None:
    with refused(Rule.WELCOME_LEAF):
        join(forged(grown("Ana", "Luis")[0]), EVA, ANYTHING)


def test_secrets_that_do_not_lead_to_the_epoch_are_refused() -> None:
    # The path secret may be left out; then the confirmation tag tells.
    with refused(Rule.CONFIRMATION_TAG):
        join(forged(added().after), EVA, ANYTHING)


def test_a_path_secret_must_fit_the_tree() -> None:
    lie = Secret(b"some other secret".ljust(32))
    with refused(Rule.WELCOME_PATH_SECRET):
        join(forged(added().after, path_secret=lie), EVA, ANYTHING)


def test_a_path_secret_from_oneself_is_none() -> None:
    made = added()
    own = join(welcome_of(made), EVA, ANYTHING)
    info = make_group_info(own)
    lie = Secret(b"some other secret".ljust(32))
    with refused(Rule.WELCOME_PATH_SECRET):
        join(forged(own, info, lie), EVA, ANYTHING)


def test_a_path_secret_for_nobody_but_oneself_is_none() -> None:
    eva = join(welcome_of(added()), EVA, ANYTHING)
    tree = RatchetTree([EVA.key_package.leaf_node])
    context = replace(eva.context, tree_hash=tree.tree_hash(SUITE))
    private = replace(eva.epoch.private_keys, leaf_index=0)
    alone_in_it = replace(
        eva, epoch=replace(eva.epoch, tree=tree, context=context, private_keys=private)
    )
    secret = Secret(b"of no node".ljust(32))
    with refused(Rule.WELCOME_PATH_SECRET):
        join(forged(alone_in_it, path_secret=secret), EVA, ANYTHING)


def test_a_tree_that_is_not_valid_is_refused() -> None:
    after = added().after
    root = after.tree.parent(3)
    assert root is not None
    draft = after.tree.edit()
    draft.set_node(3, replace(root, parent_hash=b"above the root"))
    tree = draft.finish()
    context = replace(after.context, tree_hash=tree.tree_hash(SUITE))
    lying = replace(after, epoch=replace(after.epoch, tree=tree, context=context))
    with refused(Rule.PARENT_HASH):
        join(forged(lying), EVA, ANYTHING)


def test_a_joiner_supports_the_extensions_of_the_group() -> None:
    after = added().after
    context = replace(after.context, extensions=(Extension(0xF001, b""),))
    lying = replace(after, epoch=replace(after.epoch, context=context))
    with refused(Rule.GROUP_EXTENSIONS):
        join(forged(lying), EVA, ANYTHING)


REINIT = ResumptionPSK(ResumptionPSKUsage.REINIT, b"old", 5)
BRANCH = ResumptionPSK(ResumptionPSKUsage.BRANCH, b"old", 5)


@pytest.mark.parametrize(
    ("psks", "expected"),
    [
        ((REINIT,), None),
        ((BRANCH,), None),
        ((), REINIT),
        ((BRANCH,), REINIT),
        ((REINIT, BRANCH), REINIT),
        ((REINIT, REINIT), REINIT),
    ],
)
def test_a_group_that_continues_another_is_the_one_expected(
    psks: tuple[ResumptionPSK, ...], expected: ResumptionPSK | None
) -> None:
    known: PSKs = {psk: Secret(b"resumed") for psk in psks}
    welcome = forged(added().after, psks=psks)
    with refused(Rule.WELCOME_PSKS):
        join(welcome, EVA, ANYTHING, Aids(known, continues=expected))


def test_a_group_that_continues_another_is_joined_at_its_first_epoch() -> None:
    welcome = forged(added().after, psks=(REINIT,))
    aids = Aids({REINIT: Secret(b"resumed")}, continues=REINIT)
    with refused(Rule.WELCOME_PSKS):
        join(welcome, EVA, ANYTHING, aids)


def test_resumption_for_application_use_is_no_continuation() -> None:
    groups = grown("Ana", "Luis")
    epoch = groups[0].context.epoch - 1
    past = ResumptionPSK(ResumptionPSKUsage.APPLICATION, b"tertulia", epoch)
    psk = PreSharedKey(new_psk_id(SUITE, past, RNG))
    made = make(groups[0], CommitPlan([Add(EVA.key_package), psk]))
    assert agree(follow(groups, made))
    known = groups[0].known_psks({})
    assert agree([made.after, join(welcome_of(made), EVA, ANYTHING, Aids(known))])
