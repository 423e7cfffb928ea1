from collections.abc import Sequence
from dataclasses import replace

import pytest

from tertulia.mls import (
    Add,
    ByReference,
    ByValue,
    Extension,
    ExternalInit,
    ExternalPSK,
    ExternalSenderIndex,
    Group,
    GroupContextExtensions,
    LeafNode,
    MemberSender,
    NewMemberCommit,
    NewMemberProposal,
    PreSharedKey,
    PreSharedKeyID,
    Proposal,
    ReInit,
    Remove,
    ResumptionPSK,
    ResumptionPSKUsage,
    Rule,
    Sender,
    SentProposal,
    Update,
)
from tertulia.mls.key_package import new_leaf
from tertulia.mls.leaf_node import LeafPlace, UpdateSource
from tertulia.mls.proposal_list import (
    ProposalList,
    apply_proposals,
    check_proposals,
    check_sender_may_propose,
    find_proposals,
)
from tests.mls.world import (
    GROUP_ID,
    SUITE,
    grown,
    identity,
    key_package,
    refused,
    seeded,
    unchanged,
)

NAMES = ("Ana", "Luis", "Eva", "Juan")
ANA = MemberSender(0)
PSK = PreSharedKeyID(ExternalPSK(b"paper"), bytes(32))
RESUMED = ResumptionPSK(ResumptionPSKUsage.APPLICATION, GROUP_ID, 1)
TWICE = (Extension(9, b""), Extension(9, b""))
INIT = ExternalInit(b"kem output")
REINIT = ReInit(b"next", 1, 1, ())


def group() -> Group:
    return grown(*NAMES)[0]


def add(name: str) -> Add:
    return Add(key_package(name).key_package)


def updated(leaf_index: int, key: bytes | None = None) -> LeafNode:
    fresh = SUITE.generate_kem_key_pair(seeded(f"update {leaf_index}")).public
    who, place = identity(NAMES[leaf_index]), LeafPlace(GROUP_ID, leaf_index)
    return new_leaf(who, key or fresh, UpdateSource(), place)


def by_value(*proposals: Proposal, committer: Sender = ANA) -> ProposalList:
    assert isinstance(committer, MemberSender | NewMemberCommit)
    sent = tuple(SentProposal(proposal, committer) for proposal in proposals)
    return ProposalList(SUITE, committer, sent)


def by_reference(*proposals: tuple[Proposal, Sender]) -> ProposalList:
    """Return what Ana commits of what others have proposed."""
    sent = tuple(
        SentProposal(proposal, sender, b"ref %d" % number)
        for number, (proposal, sender) in enumerate(proposals)
    )
    return ProposalList(SUITE, ANA, sent)


def from_outside(*proposals: Proposal) -> ProposalList:
    return by_value(*proposals, committer=NewMemberCommit())


def check(proposals: ProposalList) -> None:
    check_proposals(proposals, group().tree, group().context)


def both(*lists: ProposalList) -> ProposalList:
    sent = tuple(item for one in lists for item in one.sent)
    return replace(lists[0], sent=sent)


def test_proposals_are_found_by_value_and_among_those_received() -> None:
    pending = {b"ref": SentProposal(Remove(2), MemberSender(3), b"ref")}
    named = (ByReference(b"ref"), ByValue(Remove(1)))
    proposals = find_proposals(SUITE, ANA, named, pending)
    assert proposals.sent == (pending[b"ref"], SentProposal(Remove(1), ANA))
    assert proposals.named() == named


def test_a_reference_to_what_nobody_proposed_is_refused() -> None:
    with refused(Rule.PROPOSAL_REFERENCE):
        find_proposals(SUITE, ANA, [ByReference(b"ref")], {})


def test_proposals_are_listed_by_type_in_their_order() -> None:
    proposals = by_value(Remove(2), add("Mia"), Remove(1))
    assert proposals.of_type(Remove) == [(Remove(2), ANA), (Remove(1), ANA)]
    assert proposals.psk_ids == ()
    assert proposals.reinit is None
    assert proposals.external_init is None
    assert by_value(PreSharedKey(PSK)).psk_ids == (PSK,)
    assert by_value(REINIT).reinit == REINIT
    assert from_outside(INIT).external_init == INIT


@pytest.mark.parametrize(
    ("proposals", "required"),
    [
        ([], True),
        ([add("Mia")], False),
        ([PreSharedKey(PSK)], False),
        ([REINIT], False),
        ([add("Mia"), PreSharedKey(PSK)], False),
        ([Remove(1)], True),
        ([add("Mia"), Remove(1)], True),
        ([Update(updated(1))], True),
        ([INIT], True),
        ([GroupContextExtensions(())], True),
    ],
)
def test_the_proposals_that_need_a_path_are_those_of_section_12_4(
    proposals: Sequence[Proposal], *, required: bool
) -> None:
    assert by_value(*proposals).path_required is required


def test_what_may_be_committed_together_passes() -> None:
    check(by_value())
    check(
        both(
            by_value(
                add("Mia"), Remove(3), PreSharedKey(PSK), GroupContextExtensions(())
            ),
            by_reference(
                (Update(updated(1)), MemberSender(1)),
                (Remove(2), MemberSender(1)),
                (add("Leo"), NewMemberProposal()),
            ),
        )
    )
    check(by_value(REINIT))
    check(from_outside(INIT))
    check(from_outside(INIT, Remove(1), PreSharedKey(PSK)))


def test_a_member_cannot_join_again_by_an_external_init() -> None:
    with refused(Rule.EXTERNAL_INIT_BY_MEMBER):
        check(by_value(INIT))


def test_an_update_is_only_ever_committed_for_another() -> None:
    with refused(Rule.UPDATE_BY_VALUE):
        check(by_value(Update(updated(0))))
    with refused(Rule.UPDATE_BY_COMMITTER):
        check(by_reference((Update(updated(0)), ANA)))


def test_nobody_removes_themselves() -> None:
    with refused(Rule.REMOVE_COMMITTER):
        check(by_value(Remove(0)))
    with refused(Rule.REMOVE_COMMITTER):
        check(by_reference((Remove(0), MemberSender(2))))


@pytest.mark.parametrize("leaf_index", [4, 2**32 - 1])
def test_a_remove_names_a_member(leaf_index: int) -> None:
    with refused(Rule.REMOVE_LEAF):
        check(by_value(Remove(leaf_index)))


def test_a_blank_leaf_cannot_be_removed() -> None:
    draft = group().tree.edit()
    draft.remove_leaf(2)
    with refused(Rule.REMOVE_LEAF):
        check_proposals(by_value(Remove(2)), draft.finish(), group().context)


def test_one_change_applies_to_a_leaf() -> None:
    update = Update(updated(1)), MemberSender(1)
    for doubled in (
        by_value(Remove(1), Remove(1)),
        by_reference(update, update),
        by_reference(update, (Remove(1), MemberSender(2))),
    ):
        with refused(Rule.ONE_CHANGE_PER_LEAF):
            check(doubled)


def test_an_update_from_outside_is_of_nobody() -> None:
    with refused(Rule.PROPOSAL_SENDER):
        check(by_reference((Update(updated(1)), ExternalSenderIndex(0))))


def test_an_update_is_of_a_member_still_there() -> None:
    draft = group().tree.edit()
    draft.remove_leaf(1)
    update = by_reference((Update(updated(1)), MemberSender(1)))
    with refused(Rule.SENDER_LEAF):
        check_proposals(update, draft.finish(), group().context)


def test_the_leaf_of_an_update_is_checked_in_its_senders_place() -> None:
    def update(leaf: LeafNode) -> ProposalList:
        return by_reference((Update(leaf), MemberSender(1)))

    with refused(Rule.LEAF_SIGNATURE):
        check(update(updated(2)))
    with refused(Rule.LEAF_SOURCE):
        check(update(key_package("Luis").key_package.leaf_node))
    with refused(Rule.UPDATE_KEY):
        check(update(updated(1, group().tree.encryption_key(2))))


def test_a_key_package_is_checked_before_its_client_is_added() -> None:
    package = replace(key_package("Mia").key_package, cipher_suite=3)
    with refused(Rule.KEY_PACKAGE_SUITE):
        check(by_value(Add(package)))


def test_no_client_is_added_twice_or_while_it_is_a_member() -> None:
    another = Add(key_package("Mia", number=2).key_package)
    with refused(Rule.ADD_ONCE):
        check(by_value(add("Mia"), another))
    with refused(Rule.ADD_ONCE):
        check(by_value(add("Luis")))


def test_a_client_is_added_again_by_the_commit_that_removes_it() -> None:
    check(by_value(Remove(1), add("Luis")))


def test_a_psk_stands_once_but_one_key_may_be_used_twice() -> None:
    other_nonce = replace(PSK, psk_nonce=b"x" * 32)
    check(by_value(PreSharedKey(PSK), PreSharedKey(other_nonce)))
    with refused(Rule.PSK_ONCE):
        check(by_value(PreSharedKey(PSK), PreSharedKey(PSK)))


@pytest.mark.parametrize("nonce", [b"", bytes(31), bytes(33)])
def test_the_nonce_of_a_psk_has_the_size_of_the_kdf(nonce: bytes) -> None:
    with refused(Rule.PSK_NONCE):
        check(by_value(PreSharedKey(replace(PSK, psk_nonce=nonce))))


@pytest.mark.parametrize("usage", ResumptionPSKUsage)
def test_a_resumption_psk_is_of_usage_application_unless_a_group_continues_so(
    usage: ResumptionPSKUsage,
) -> None:
    psk = PreSharedKeyID(replace(RESUMED, usage=usage), bytes(32))
    proposals = by_value(PreSharedKey(psk))
    check(replace(proposals, continues=usage))
    if usage is ResumptionPSKUsage.APPLICATION:
        check(proposals)
    else:
        with refused(Rule.PSK_USAGE):
            check(proposals)


def test_a_reinit_stands_alone_and_never_goes_back() -> None:
    with refused(Rule.REINIT_ALONE):
        check(by_value(REINIT, add("Mia")))
    with refused(Rule.REINIT_ALONE):
        check(by_value(REINIT, REINIT))
    check(by_value(replace(REINIT, version=2)))
    with refused(Rule.REINIT_VERSION):
        check(by_value(replace(REINIT, version=0)))
    with refused(Rule.EXTENSION_ONCE):
        check(by_value(replace(REINIT, extensions=TWICE)))


def test_the_extensions_of_a_group_are_replaced_once() -> None:
    with refused(Rule.ONE_GROUP_CONTEXT_EXTENSIONS):
        check(by_value(GroupContextExtensions(()), GroupContextExtensions(())))
    with refused(Rule.EXTENSION_ONCE):
        check(by_value(GroupContextExtensions(TWICE)))


@pytest.mark.parametrize("proposals", [[], [Remove(1)], [INIT, INIT]])
def test_an_external_commit_holds_one_external_init(
    proposals: Sequence[Proposal],
) -> None:
    with refused(Rule.EXTERNAL_INIT_ONCE):
        check(from_outside(*proposals))


@pytest.mark.parametrize(
    "proposals",
    [
        [Remove(1), Remove(2)],
        [add("Mia")],
        [Update(updated(1))],
        [REINIT],
        [GroupContextExtensions(())],
    ],
)
def test_an_external_commit_holds_nothing_else_but_psks_and_one_remove(
    proposals: Sequence[Proposal],
) -> None:
    with refused(Rule.EXTERNAL_PROPOSALS):
        check(from_outside(INIT, *proposals))


def test_an_external_commit_refers_to_nothing_it_cannot_know() -> None:
    sent = SentProposal(Remove(1), MemberSender(2), b"ref")
    proposals = from_outside(INIT)
    with refused(Rule.EXTERNAL_BY_VALUE):
        check(replace(proposals, sent=(*proposals.sent, sent)))


def test_changes_are_applied_in_the_order_of_section_12_3() -> None:
    mia, extension = add("Mia"), Extension(0xF001, b"policy")
    proposals = both(
        by_value(mia, Remove(2), GroupContextExtensions((extension,))),
        by_reference((Update(updated(1)), MemberSender(1))),
    )
    before = group()
    with unchanged(before):
        applied = apply_proposals(proposals, before.tree, before.context)
    tree = applied.draft.finish()
    # The newcomer takes the place that was made free, though its Add came first.
    assert applied.added == (2,)
    assert tree.leaf(2) == mia.key_package.leaf_node
    assert tree.leaf(1) == updated(1)
    assert applied.extensions == (extension,)
    assert applied.new_leaves == (updated(1), mia.key_package.leaf_node)


def test_without_a_proposal_for_it_the_extensions_stay() -> None:
    extensions = (Extension(0xF001, b"policy"),)
    context = replace(group().context, extensions=extensions)
    applied = apply_proposals(by_value(add("Mia")), group().tree, context)
    assert applied.extensions == extensions
    assert applied.added == (4,)


def test_a_tree_shrinks_when_its_right_half_is_removed() -> None:
    proposals = by_value(Remove(3), Remove(2))
    applied = apply_proposals(proposals, group().tree, group().context)
    assert applied.draft.finish().leaf_count == 2


def test_a_joiner_takes_the_leftmost_free_place() -> None:
    for proposals, place in (([INIT], 4), ([INIT, Remove(1)], 1)):
        applied = apply_proposals(
            from_outside(*proposals), group().tree, group().context
        )
        assert applied.make_place_for(NewMemberCommit()) == place
        assert applied.make_place_for(MemberSender(2)) == 2


EVERY_KIND: list[Proposal] = [
    add("Mia"),
    Update(updated(1)),
    Remove(1),
    PreSharedKey(PSK),
    REINIT,
    INIT,
    GroupContextExtensions(()),
]


@pytest.mark.parametrize(
    ("sender", "allowed"),
    [
        (MemberSender(1), "Add Update Remove PreSharedKey ReInit ExternalInit "
         "GroupContextExtensions"),
        (ExternalSenderIndex(0), "Add Remove PreSharedKey ReInit "
         "GroupContextExtensions"),
        (NewMemberProposal(), "Add"),
        (NewMemberCommit(), ""),
    ],
)  # fmt: skip
def test_outsiders_propose_only_what_section_12_1_8_allows(
    sender: Sender, allowed: str
) -> None:
    for proposal in EVERY_KIND:
        if type(proposal).__name__ in allowed.split():
            check_sender_may_propose(proposal, sender)
        else:
            with refused(Rule.PROPOSAL_SENDER):
                check_sender_may_propose(proposal, sender)
