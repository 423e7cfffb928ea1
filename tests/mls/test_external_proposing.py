import pytest

from tertulia.mls import (
    Add,
    Address,
    BasicCredential,
    CommitPlan,
    ExternalSender,
    Group,
    OutsideSigner,
    ReceivedProposal,
    Remove,
    Rule,
    Update,
    propose_from_outside,
    propose_to_be_added,
    receive,
)
from tertulia.mls.extension import external_senders_extension
from tests.mls.world import (
    ANYTHING,
    GROUP_ID,
    SUITE,
    agree,
    alone,
    follow,
    group_of,
    identity,
    key_package,
    make,
    refused,
)

JANITOR = identity("janitor")
SIGNER = OutsideSigner(SUITE, 0, JANITOR.signature_key.private)
LISTED = (
    external_senders_extension(
        [ExternalSender(JANITOR.signature_key.public, BasicCredential(b"janitor"))]
    ),
)


def address(group: Group, data: bytes = b"") -> Address:
    return Address(group.context.group_id, group.context.epoch, data)


def test_a_listed_outsider_proposes_a_removal_that_a_member_commits() -> None:
    groups = group_of("Ana", "Luis", "Eva", extensions=LISTED)
    message = propose_from_outside(SIGNER, address(groups[0], b"idle"), Remove(2))
    heard = [receive(group, message, ANYTHING) for group in groups]
    groups = []
    for received in heard:
        assert isinstance(received, ReceivedProposal)
        assert received.authenticated_data == b"idle"
        groups.append(received.group)
    assert isinstance(heard[0], ReceivedProposal)
    reference = heard[0].sent.reference
    assert reference is not None
    after = follow(groups, make(groups[1], CommitPlan(references=[reference])))
    assert len(after) == 2
    assert agree(after)


def test_whoever_is_not_listed_is_refused() -> None:
    (group,) = group_of("Ana")
    message = propose_from_outside(SIGNER, address(group), Remove(0))
    with refused(Rule.EXTERNAL_SENDER):
        receive(group, message, ANYTHING)


def test_a_listed_outsider_with_another_key_is_refused() -> None:
    group = alone("Ana", extensions=LISTED)
    thief = OutsideSigner(SUITE, 0, identity("thief").signature_key.private)
    message = propose_from_outside(thief, address(group), Remove(0))
    with refused(Rule.SIGNATURE):
        receive(group, message, ANYTHING)


def test_an_outsider_cannot_propose_an_update() -> None:
    group = alone("Ana", extensions=LISTED)
    with refused(Rule.PROPOSAL_SENDER):
        propose_from_outside(SIGNER, address(group), Update(group.leaf))


def test_somebody_proposes_to_be_added() -> None:
    group = alone("Ana")
    message = propose_to_be_added(key_package("Luis"), address(group))
    received = receive(group, message, ANYTHING)
    assert isinstance(received, ReceivedProposal)
    assert received.sent.proposal == Add(key_package("Luis").key_package)


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [(Address(b"other", 0), Rule.GROUP_ID), (Address(GROUP_ID, 7), Rule.EPOCH)],
)
def test_a_proposal_for_elsewhere_is_refused(wrong: Address, rule: Rule) -> None:
    message = propose_to_be_added(key_package("Luis"), wrong)
    with refused(rule):
        receive(alone("Ana"), message, ANYTHING)
