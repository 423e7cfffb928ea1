from dataclasses import replace

import pytest

from tertulia.mls import (
    PUBLIC,
    CommitPlan,
    Framing,
    MemberSender,
    MisuseError,
    PrivateMessage,
    PublicMessage,
    ReceivedApplication,
    ReceivedProposal,
    ReInit,
    Remove,
    Update,
    WireFormat,
    propose,
    propose_update,
    protect,
    receive,
)
from tests.mls.world import ANYTHING, SUITE, group_of, make, seeded, unchanged

RNG = seeded("sending")
NOTE = Framing(authenticated_data=b"seq 7", padding=100)


def test_what_one_protects_the_others_read() -> None:
    ana, luis, eva = group_of("Ana", "Luis", "Eva")
    after, message = protect(ana, b"hello", RNG, NOTE)
    assert message.authenticated_data == b"seq 7"
    for group in (luis, eva):
        received = receive(group, message, ANYTHING)
        assert isinstance(received, ReceivedApplication)
        assert (received.sender, received.data) == (0, b"hello")
        assert received.authenticated_data == b"seq 7"
    # The next message takes another key.
    _, next_message = protect(after, b"hello", RNG, NOTE)
    assert next_message.ciphertext != message.ciphertext


def test_protecting_leaves_the_old_group_as_it_was() -> None:
    ana = group_of("Ana", "Luis")[0]
    with unchanged(ana):
        protect(ana, b"hello", RNG)


def test_padding_makes_texts_of_different_length_look_alike() -> None:
    ana = group_of("Ana", "Luis")[0]
    _, short = protect(ana, b"hi", RNG, Framing(padding=98))
    _, long = protect(ana, b"hello there", RNG, Framing(padding=89))
    assert len(short.encode()) == len(long.encode())


def test_nothing_is_said_while_a_proposal_waits() -> None:
    ana, _ = propose(group_of("Ana", "Luis")[0], Remove(1), RNG)
    with pytest.raises(MisuseError, match="pending proposals"):
        protect(ana, b"hello", RNG)


def test_nothing_is_said_or_proposed_after_a_reinit() -> None:
    reinit = CommitPlan(proposals=[ReInit(b"next", 1, 1, ())])
    closed = make(group_of("Ana", "Luis")[0], reinit).after
    with pytest.raises(MisuseError):
        protect(closed, b"hello", RNG)
    with pytest.raises(MisuseError):
        propose(closed, Remove(1), RNG)
    with pytest.raises(MisuseError):
        propose_update(closed, RNG)


@pytest.mark.parametrize("wire_format", [WireFormat.PUBLIC_MESSAGE, WireFormat.WELCOME])
def test_application_data_only_travels_encrypted(wire_format: WireFormat) -> None:
    ana = group_of("Ana", "Luis")[0]
    with pytest.raises(MisuseError):
        protect(ana, b"hello", RNG, Framing(wire_format))


@pytest.mark.parametrize(
    ("framing", "kind"), [(NOTE, PrivateMessage), (PUBLIC, PublicMessage)]
)
def test_a_proposal_is_pending_for_its_sender_and_all_others(
    framing: Framing, kind: type
) -> None:
    ana, luis = group_of("Ana", "Luis")
    with unchanged(ana, luis):
        after, message = propose(ana, Remove(1), RNG, framing)
        received = receive(luis, message, ANYTHING)
    assert isinstance(message, kind)
    assert isinstance(received, ReceivedProposal)
    assert received.authenticated_data == framing.authenticated_data
    assert received.sent.proposal == Remove(1)
    assert received.sent.sender == MemberSender(0)
    assert after.traffic.proposals == received.group.traffic.proposals


def test_an_update_brings_a_fresh_key_and_its_sender_keeps_the_private_one() -> None:
    ana, luis = group_of("Ana", "Luis")
    after, message = propose_update(ana, RNG)
    ((_, pending),) = after.traffic.proposals.items()
    assert isinstance(pending.sent.proposal, Update)
    leaf = pending.sent.proposal.leaf_node
    assert leaf.encryption_key != ana.leaf.encryption_key
    assert replace(leaf, encryption_key=b"", source=ana.leaf.source, signature=b"") == (
        replace(ana.leaf, encryption_key=b"", signature=b"")
    )
    assert pending.leaf_key is not None
    assert SUITE.hpke.kem.public_key(pending.leaf_key) == leaf.encryption_key
    received = receive(luis, message, ANYTHING)
    assert isinstance(received, ReceivedProposal)
    ((_, theirs),) = received.group.traffic.proposals.items()
    assert theirs == replace(pending, leaf_key=None)


def test_an_update_without_its_private_key_would_lock_its_sender_out() -> None:
    ana = group_of("Ana", "Luis")[0]
    with pytest.raises(MisuseError, match="propose_update"):
        propose(ana, Update(ana.leaf), RNG)
