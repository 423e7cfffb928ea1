from dataclasses import replace
from typing import Any

import pytest

from tertulia.crypto import Secret
from tertulia.mls import (
    Aids,
    Change,
    Extension,
    ExtensionType,
    ExternalInit,
    ExternalJoin,
    ExternalPSK,
    Group,
    GroupInfo,
    InvalidError,
    JoinedExternally,
    LeafNode,
    NewMemberCommit,
    PSKs,
    ReceivedApplication,
    ReceivedCommit,
    Remove,
    RemovedFromGroup,
    Rule,
    UnknownPskError,
    Unverified,
    join_externally,
    make_group_info,
    new_psk_id,
    protect,
    receive,
)
from tests.mls.world import (
    ANYTHING,
    PICKY,
    SUITE,
    agree,
    follow,
    group_of,
    grown,
    identity,
    make,
    refused,
    seeded,
)

RNG = seeded("external joining")
PAPER = ExternalPSK(b"paper")
KEYS: PSKs = {PAPER: Secret(b"written on paper")}
EVA = ExternalJoin(identity("Eva"))


def enter(group: Group, plan: ExternalJoin = EVA) -> JoinedExternally:
    """Join by what a member of the group publishes of it."""
    rng = seeded(f"{plan.identity.credential} enters epoch {group.context.epoch}")
    return join_externally(Unverified(make_group_info(group)), plan, ANYTHING, rng)


def after(groups: list[Group], joined: JoinedExternally, **psks: Any) -> list[Group]:
    received = [receive(group, joined.message, ANYTHING, **psks) for group in groups]
    stayed = [one.group for one in received if isinstance(one, ReceivedCommit)]
    return [*stayed, joined.group]


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_a_joiner_needs_no_member_to_be_there(size: int) -> None:
    groups = group_of(*("Ana", "Luis", "Juan", "Mia")[:size])
    joined = enter(groups[-1])
    groups = after(groups, joined)
    assert len(groups) == size + 1
    assert agree(groups)
    assert joined.group.leaf_index == size
    assert joined.group.identity == identity("Eva")
    _, message = protect(joined.group, b"hello", RNG)
    received = receive(groups[0], message, ANYTHING)
    assert isinstance(received, ReceivedApplication)
    assert agree(follow(groups, make(groups[0])))
    assert agree(follow(groups, make(joined.group)))


def test_the_change_tells_who_came() -> None:
    joined = enter(grown("Ana", "Luis")[0])
    assert joined.change.sender == NewMemberCommit()
    assert joined.change.committer == 2
    assert joined.change.new_leaf == joined.group.leaf
    assert [type(sent.proposal) for sent in joined.change.proposals] == [ExternalInit]
    assert joined.message.membership_tag is None


def test_a_client_comes_back_in_place_of_its_old_leaf() -> None:
    groups = grown("Ana", "Luis", "Eva")
    joined = enter(groups[0], replace(EVA, replaces=2))
    assert joined.group.leaf_index == 2
    received = receive(groups[2], joined.message, ANYTHING)
    assert isinstance(received, RemovedFromGroup)
    assert agree(after(groups, joined))


def test_without_replacing_it_a_member_cannot_join_again() -> None:
    with refused(Rule.SIGNATURE_KEY_UNIQUE):
        enter(grown("Ana", "Eva")[0])


def test_a_joiner_can_be_asked_for_a_key() -> None:
    groups = grown("Ana", "Luis")
    psk_id = new_psk_id(SUITE, PAPER, RNG)
    with pytest.raises(UnknownPskError):
        enter(groups[0], replace(EVA, psk_ids=[psk_id]))
    joined = enter(groups[0], replace(EVA, psk_ids=[psk_id], aids=Aids(KEYS)))
    with pytest.raises(UnknownPskError):
        receive(groups[1], joined.message, ANYTHING)
    assert agree(after(groups, joined, psks=KEYS))


def test_key_and_replacement_go_together() -> None:
    groups = grown("Ana", "Luis", "Eva")
    plan = replace(
        EVA, replaces=2, psk_ids=[new_psk_id(SUITE, PAPER, RNG)], aids=Aids(KEYS)
    )
    assert agree(after(groups[:2], enter(groups[0], plan), psks=KEYS))


def test_the_tree_may_come_separately() -> None:
    groups = grown("Ana", "Luis")
    info = Unverified(make_group_info(groups[0], tree=False))
    with refused(Rule.GROUP_INFO_TREE):
        join_externally(info, EVA, ANYTHING, RNG)
    plan = replace(EVA, aids=Aids({}, groups[0].tree))
    assert agree(after(groups, join_externally(info, plan, ANYTHING, RNG)))


def test_a_joiner_can_show_by_what_right_it_comes() -> None:
    seen: list[LeafNode] = []

    def authorize(kem_output: bytes, leaf: LeafNode) -> bytes:
        seen.append(leaf)
        return b"invite for " + kem_output

    groups = grown("Ana", "Luis")
    joined = enter(groups[0], replace(EVA, authorize=authorize))
    (init,) = joined.change.proposals
    assert isinstance(init.proposal, ExternalInit)
    expected = b"invite for " + init.proposal.kem_output
    assert joined.message.content.authenticated_data == expected
    assert seen == [joined.group.leaf]
    received = receive(groups[1], joined.message, ANYTHING)
    assert isinstance(received, ReceivedCommit)
    assert received.change.authenticated_data == expected


class InvitedOnly:
    """A policy that wants an invite of everybody who comes from outside."""

    def check_member(self, leaf: LeafNode) -> None:
        """Accept any credential."""

    def check_change(self, change: Change) -> None:
        if change.authenticated_data != b"invite":
            raise InvalidError(Rule.POLICY, "no invite")


def test_members_judge_a_joiner_by_their_policy() -> None:
    groups = grown("Ana", "Luis")
    for group in groups:
        with refused(Rule.POLICY):
            receive(group, enter(groups[0]).message, InvitedOnly())
    invited = enter(groups[0], replace(EVA, authorize=lambda _kem, _leaf: b"invite"))
    for group in groups:
        receive(group, invited.message, InvitedOnly())


def test_a_joiner_judges_the_group_and_itself() -> None:
    unverified = Unverified(make_group_info(group_of("Ana", "Mallory")[0]))
    with refused(Rule.CREDENTIAL):
        join_externally(unverified, EVA, PICKY, RNG)
    mallory = ExternalJoin(identity("Mallory"))
    unverified = Unverified(make_group_info(group_of("Ana")[0]))
    with refused(Rule.CREDENTIAL):
        join_externally(unverified, mallory, PICKY, RNG)


def signed_again(group: Group, **what: Any) -> Unverified[GroupInfo]:
    info = replace(make_group_info(group), **what)
    return Unverified(info.sign(SUITE, group.epoch.signature_key))


def test_the_group_info_must_say_how_to_come_in() -> None:
    closed = Unverified(make_group_info(group_of("Ana")[0], external_pub=False))
    with refused(Rule.EXTERNAL_PUB):
        join_externally(closed, EVA, ANYTHING, RNG)
    group = group_of("Ana")[0]
    tree, _ = make_group_info(group).extensions
    bad_key = Extension(ExtensionType.EXTERNAL_PUB, b"\5short")
    with refused(Rule.EXTERNAL_PUB):
        join_externally(
            signed_again(group, extensions=(tree, bad_key)), EVA, ANYTHING, RNG
        )


def test_the_group_info_is_verified() -> None:
    info = replace(make_group_info(group_of("Ana")[0]), signature=bytes(64))
    with refused(Rule.GROUP_INFO_SIGNATURE):
        join_externally(Unverified(info), EVA, ANYTHING, RNG)


def test_a_leaf_that_is_blank_cannot_be_replaced() -> None:
    with refused(Rule.REMOVE_LEAF):
        enter(grown("Ana", "Luis")[0], replace(EVA, replaces=7))


def test_a_joiner_that_comes_too_late_is_refused_by_all() -> None:
    groups = grown("Ana", "Luis")
    late = enter(groups[0])
    for group in follow(groups, make(groups[0])):
        with refused(Rule.EPOCH):
            receive(group, late.message, ANYTHING)


def test_of_two_joiners_the_second_tries_again() -> None:
    groups = grown("Ana", "Luis")
    first = enter(groups[0])
    second = enter(groups[0], ExternalJoin(identity("Juan")))
    groups = after(groups, first)
    with refused(Rule.EPOCH):
        receive(groups[0], second.message, ANYTHING)
    assert agree(after(groups, enter(groups[1], ExternalJoin(identity("Juan")))))


def test_a_removed_member_that_was_replaced_reads_no_more() -> None:
    groups = grown("Ana", "Luis", "Eva")
    joined = enter(groups[0], replace(EVA, replaces=2))
    (removal,) = [
        sent.proposal
        for sent in joined.change.proposals
        if isinstance(sent.proposal, Remove)
    ]
    assert removal == Remove(2)
    _, message = protect(joined.group, b"hello", RNG)
    with refused(Rule.EPOCH):
        receive(groups[2], message, ANYTHING)
