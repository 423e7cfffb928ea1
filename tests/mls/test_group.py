from dataclasses import replace

import pytest

from tertulia.crypto import Secret
from tertulia.mls import (
    AcceptEverything,
    CommitPlan,
    ExternalPSK,
    MisuseError,
    ReceivedApplication,
    ReInit,
    Remove,
    ResumptionPSK,
    ResumptionPSKUsage,
    Rule,
    propose,
    protect,
    receive,
)
from tertulia.mls.leaf_node import LeafPlace
from tertulia.mls.limits import MAX_RESUMPTION_EPOCHS
from tertulia.mls.psk import PSK
from tertulia.mls.secret_tree import RatchetKind
from tests.mls.world import (
    GROUP_ID,
    SUITE,
    alone,
    group_of,
    identity,
    make,
    refused,
    seeded,
    unchanged,
)


def test_a_group_tells_who_and_where_i_am() -> None:
    luis = group_of("Ana", "Luis")[1]
    assert luis.suite == SUITE
    assert luis.leaf_index == 1
    assert luis.place == LeafPlace(GROUP_ID, 1)
    assert luis.leaf == luis.tree.leaf(1) == luis.leaf_of(1)
    assert luis.identity == identity("Luis")


@pytest.mark.parametrize("leaf_index", [2, 3, 9])
def test_there_is_no_leaf_where_nobody_is(leaf_index: int) -> None:
    with refused(Rule.SENDER_LEAF):
        group_of("Ana", "Luis", "Eva")[0].leaf_of(leaf_index + 1)


def test_members_share_what_they_export_and_compare() -> None:
    ana, luis = group_of("Ana", "Luis")
    assert ana.export("markers", b"room", 16) == luis.export("markers", b"room", 16)
    assert ana.epoch_authenticator == luis.epoch_authenticator
    after = make(ana).after
    assert after.epoch_authenticator != ana.epoch_authenticator
    assert after.export("markers", b"room", 16) != ana.export("markers", b"room", 16)


def test_the_interim_hash_covers_the_commit_that_started_the_epoch() -> None:
    ana, luis = group_of("Ana", "Luis")
    assert ana.epoch.interim_transcript_hash == luis.epoch.interim_transcript_hash
    other_tag = replace(ana.epoch, confirmation_tag=b"other")
    assert other_tag.interim_transcript_hash != ana.epoch.interim_transcript_hash


def test_an_epoch_begins_with_nothing_used_and_nothing_proposed() -> None:
    group = alone("Ana")
    assert group.traffic.proposals == {}
    assert group.traffic.secret_tree.ratchets == {}
    assert group.private_message_keys().secret_tree is group.traffic.secret_tree


def test_using_a_key_and_proposing_make_a_new_group() -> None:
    group = group_of("Ana", "Luis")[0]
    with unchanged(group):
        used, _, _ = group.traffic.secret_tree.next_key(
            SUITE, 0, RatchetKind.APPLICATION
        )
        assert group.with_secret_tree(used).traffic.secret_tree is used
        proposed, _ = propose(group, Remove(1), seeded("propose"))
        assert len(proposed.traffic.proposals) == 1


def test_the_keys_of_texts_that_never_come_can_be_forgotten() -> None:
    ana, luis = group_of("Ana", "Luis")
    assert ana.without_skipped_keys(luis.leaf_index) is ana
    for _ in range(2):
        luis, _ = protect(luis, b"never sent", seeded("texts"))
    _, message = protect(luis, b"hola", seeded("texts"))
    received = receive(ana, message, AcceptEverything())
    assert isinstance(received, ReceivedApplication)
    rest = received.group.without_skipped_keys(luis.leaf_index)
    before, after = received.group.traffic.secret_tree, rest.traffic.secret_tree
    sender = luis.leaf_index, RatchetKind.APPLICATION
    assert len(before.ratchets[sender].skipped) == 2
    assert after.ratchets[sender] == replace(before.ratchets[sender], skipped={})


def test_after_a_reinit_the_group_is_closed() -> None:
    group = group_of("Ana", "Luis")[0]
    group.check_open()
    assert group.reinit is None
    reinit = ReInit(b"next", 1, 1, ())
    after = make(group, CommitPlan(proposals=[reinit])).after
    assert after.reinit == reinit
    with pytest.raises(MisuseError, match="successor"):
        after.check_open()


def resumption(epoch: int) -> ResumptionPSK:
    return ResumptionPSK(ResumptionPSKUsage.APPLICATION, GROUP_ID, epoch)


def test_the_resumption_secrets_of_this_and_the_last_epochs_are_known() -> None:
    group = alone("Ana")
    expected: dict[PSK, Secret] = {}
    for epoch in range(MAX_RESUMPTION_EPOCHS + 3):
        expected[resumption(epoch)] = group.epoch.secrets.resumption_psk
        oldest = epoch - MAX_RESUMPTION_EPOCHS
        expected.pop(resumption(oldest - 1), None)
        assert group.known_psks({}) == expected
        group = make(group).after


def test_given_keys_stand_beside_the_groups_own() -> None:
    group = alone("Ana")
    paper = ExternalPSK(b"paper")
    known = group.known_psks({paper: Secret(b"key")})
    assert known[paper] == Secret(b"key")
    assert known[resumption(0)] == group.epoch.secrets.resumption_psk
