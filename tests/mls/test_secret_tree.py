from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.crypto import Secret
from tertulia.mls import MisuseError, Rule
from tertulia.mls.limits import MAX_KEPT_KEYS, MAX_SKIPPED_GENERATIONS
from tertulia.mls.secret_tree import (
    MAX_GENERATION,
    MessageKey,
    Ratchet,
    RatchetKind,
    SecretTree,
    new_secret_tree,
)
from tests.mls.world import SUITE, contents, refused, unchanged
from tests.vectors import mls_vectors

APPLICATION, HANDSHAKE = RatchetKind.APPLICATION, RatchetKind.HANDSHAKE
ENCRYPTION = Secret(b"encryption secret".ljust(32))
AHEAD = 12


def tree(leaf_count: int = 4) -> SecretTree:
    return new_secret_tree(ENCRYPTION, leaf_count)


def revealed(key: MessageKey) -> bytes:
    return key.key.reveal() + key.nonce.reveal()


def reachable(left: SecretTree) -> Iterator[bytes]:
    """Yield every key that somebody who steals this value can come to."""
    for leaf in range(left.leaf_count):
        for kind in RatchetKind:
            start = left.ratchets.get((leaf, kind), Ratchet(Secret(b"")))
            yield from (revealed(key) for key in start.skipped.values())
            for generation in range(start.generation, start.generation + AHEAD):
                _, key = left.key_of(SUITE, leaf, kind, generation)
                yield revealed(key)


def test_the_official_ratchets() -> None:
    (case,) = [
        case
        for case in mls_vectors("secret-tree")
        if case["cipher_suite"] == SUITE.id and len(case["leaves"]) == 8
    ]
    secrets = new_secret_tree(Secret(bytes.fromhex(case["encryption_secret"])), 8)
    for leaf, generations in enumerate(case["leaves"]):
        for wanted in generations:
            for kind in RatchetKind:
                name = kind.name.lower()
                _, key = secrets.key_of(SUITE, leaf, kind, wanted["generation"])
                assert key.key.reveal().hex() == wanted[f"{name}_key"]
                assert key.nonce.reveal().hex() == wanted[f"{name}_nonce"]


@pytest.mark.parametrize("leaf_count", [1, 2, 8])
def test_sender_and_receiver_come_to_the_same_keys(leaf_count: int) -> None:
    mine = theirs = tree(leaf_count)
    for leaf in range(leaf_count):
        for expected in range(3):
            mine, generation, sent = mine.next_key(SUITE, leaf, APPLICATION)
            assert generation == expected
            theirs, received = theirs.key_of(SUITE, leaf, APPLICATION, generation)
            assert received == sent


def test_no_two_messages_share_a_key() -> None:
    secrets, keys = tree(), []
    for leaf in range(4):
        for kind in RatchetKind:
            for _ in range(5):
                secrets, _, key = secrets.next_key(SUITE, leaf, kind)
                keys.append(revealed(key))
    assert len(set(keys)) == len(keys) == 40


def test_a_generation_is_used_once() -> None:
    secrets, _ = tree().key_of(SUITE, 1, APPLICATION, 3)
    secrets, _ = secrets.key_of(SUITE, 1, APPLICATION, 1)
    for used in (1, 3):
        with refused(Rule.GENERATION):
            secrets.key_of(SUITE, 1, APPLICATION, used)
    secrets.key_of(SUITE, 1, APPLICATION, 0)
    secrets.key_of(SUITE, 1, HANDSHAKE, 3)
    secrets.key_of(SUITE, 2, APPLICATION, 3)


def test_messages_may_come_in_any_order() -> None:
    sent = [
        tree().key_of(SUITE, 0, APPLICATION, generation)[1] for generation in range(6)
    ]
    secrets = tree()
    for generation in (4, 0, 2, 5, 1, 3):
        secrets, key = secrets.key_of(SUITE, 0, APPLICATION, generation)
        assert key == sent[generation]


def test_of_what_was_skipped_key_and_nonce_are_kept_and_no_secret_that_yields_more() -> (
    None
):
    secrets, _ = tree().key_of(SUITE, 0, APPLICATION, 3)
    ratchet = secrets.ratchets[0, APPLICATION]
    assert list(ratchet.skipped) == [0, 1, 2]
    assert ratchet.generation == 4
    start = tree().key_of(SUITE, 0, HANDSHAKE, 0)[0].ratchets[0, APPLICATION].secret
    kept = {revealed(key) for key in ratchet.skipped.values()}
    derived = start
    for generation in range(4):
        assert derived != ratchet.secret
        assert derived.reveal() not in kept
        derived = SUITE.derive_tree_secret(derived, "secret", generation, 32)
    assert derived == ratchet.secret


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(RatchetKind), st.integers(0, 5)),
        min_size=1,
        max_size=5,
        unique=True,
    )
)
def test_whoever_steals_the_tree_finds_no_key_that_was_used(
    messages: list[tuple[int, RatchetKind, int]],
) -> None:
    secrets, used = tree(), []
    for leaf, kind, generation in messages:
        secrets, key = secrets.key_of(SUITE, leaf, kind, generation)
        used.append(revealed(key))
    assert set(used).isdisjoint(reachable(secrets))


def test_the_search_for_stolen_keys_finds_those_that_are_there() -> None:
    _, key = tree().key_of(SUITE, 2, HANDSHAKE, 3)
    assert revealed(key) in set(reachable(tree()))


def test_no_secret_stays_from_which_a_used_leaf_can_be_derived() -> None:
    secrets, _, _ = tree(8).next_key(SUITE, 2, APPLICATION)
    # Left are the other half of each node on the way down.
    assert sorted(secrets.nodes) == [1, 6, 11]
    assert set(secrets.ratchets) == {(2, APPLICATION), (2, HANDSHAKE)}


def test_taking_a_key_leaves_the_tree_as_it_was() -> None:
    secrets, _ = tree().key_of(SUITE, 0, APPLICATION, 2)
    with unchanged(secrets):
        secrets.next_key(SUITE, 0, APPLICATION)
        secrets.key_of(SUITE, 0, APPLICATION, 1)
        secrets.key_of(SUITE, 3, HANDSHAKE, 1)
    before = contents(secrets)
    with refused(Rule.GENERATION):
        secrets.key_of(SUITE, 0, APPLICATION, 2)
    assert contents(secrets) == before


def test_a_sender_is_followed_only_so_far_ahead() -> None:
    secrets, _ = tree().key_of(SUITE, 0, APPLICATION, 5)
    furthest = 6 + MAX_SKIPPED_GENERATIONS
    ahead, _ = secrets.key_of(SUITE, 0, APPLICATION, furthest)
    assert ahead.ratchets[0, APPLICATION].generation == furthest + 1
    for too_far in (furthest + 1, MAX_GENERATION):
        with refused(Rule.GENERATION):
            secrets.key_of(SUITE, 0, APPLICATION, too_far)


def test_what_was_passed_over_can_be_forgotten() -> None:
    fresh = tree()
    assert fresh.without_skipped(0, APPLICATION) is fresh
    in_order, _ = fresh.key_of(SUITE, 0, APPLICATION, 0)
    assert in_order.without_skipped(0, APPLICATION) is in_order
    secrets, _ = in_order.key_of(SUITE, 0, APPLICATION, 5)
    secrets, _ = secrets.key_of(SUITE, 0, HANDSHAKE, 2)
    rest = secrets.without_skipped(0, APPLICATION)
    with refused(Rule.GENERATION):
        rest.key_of(SUITE, 0, APPLICATION, 3)
    for kind, generation in ((APPLICATION, 6), (HANDSHAKE, 1)):
        _, key = rest.key_of(SUITE, 0, kind, generation)
        assert key == secrets.key_of(SUITE, 0, kind, generation)[1]
    assert set(reachable(rest)) < set(reachable(secrets))


def test_only_so_many_skipped_keys_are_kept_and_the_oldest_go_first() -> None:
    secrets, _ = tree().key_of(SUITE, 0, APPLICATION, 10)
    secrets, _ = secrets.key_of(SUITE, 0, APPLICATION, 10 + MAX_KEPT_KEYS)
    kept = sorted(secrets.ratchets[0, APPLICATION].skipped)
    assert len(kept) == MAX_KEPT_KEYS
    # Without 10, which was used: the keys of 0 to 8 had to go.
    assert (kept[0], kept[1], kept[-1]) == (9, 11, 9 + MAX_KEPT_KEYS)
    with refused(Rule.GENERATION):
        secrets.key_of(SUITE, 0, APPLICATION, 8)


def test_the_last_generation_ends_a_ratchet() -> None:
    ratchet = Ratchet(Secret(b"near the end".ljust(32)), MAX_GENERATION)
    used_up, _ = ratchet.next_key(SUITE)
    with pytest.raises(MisuseError, match="used up"):
        used_up.next_key(SUITE)
