"""The largest hybrid room: what it sends must fit what travels."""

from dataclasses import replace

from tertulia.client import limits
from tertulia.client.advice_tree import (
    epoch_key,
    known_tree,
    seal_patch,
    seal_tree,
)
from tertulia.client.annotation import NoClaim
from tertulia.client.group_advice import Position, seal_advice
from tertulia.client.identity import mls_identity
from tertulia.client.padding import padding_for
from tertulia.client.room_policy import RoomPolicy, policy_of
from tertulia.crypto import HYBRID_SUITE, cipher_suite
from tertulia.mls import (
    Add,
    CommitPlan,
    Framing,
    Group,
    KeyPackageSecrets,
    commit,
    create_group,
    create_key_package,
    encode_message,
)
from tertulia.wire import decode_from_client, encode, first_hash, frames
from tertulia.wire import limits as wire_limits
from tests.client.society import (
    ALWAYS,
    ANYTHING,
    ROOM,
    annotate,
    now_says,
    person,
    policy_by,
    seeded,
)

SUITE = cipher_suite(HYBRID_SUITE)
LONGEST_NAME = "\N{GRINNING FACE}" * limits.NAME_CHARACTERS
USUAL = Framing(authenticated_data=annotate(NoClaim()), padding=padding_for)


def offer(number: int) -> KeyPackageSecrets:
    """Return what one of many offers, with the longest name there is."""
    identity = mls_identity(person(f"person {number}"), SUITE, LONGEST_NAME)
    return create_key_package(identity, ALWAYS, seeded(f"package {number}"))


def fullest() -> Group:
    """Return a full room in which no parent node has a key: the worst for commits."""
    identity = mls_identity(person("Ana"), SUITE, LONGEST_NAME)
    policy = policy_by("Ana").extension()
    alone = create_group(identity, ROOM, ALWAYS, seeded("found"), (policy,))
    others = range(1, limits.HYBRID_DEVICES)
    adds = [Add(offer(number).key_package) for number in others]
    plan = CommitPlan(adds, framing=USUAL, path=False)
    return commit(alone, plan, ANYTHING, seeded("fill")).after


def largest_policy(policy: RoomPolicy) -> RoomPolicy:
    """Return a policy that is full of bans."""
    keys = seeded("banned")
    banned = tuple(keys(32) for _ in range(1980))
    full = replace(policy, banned=banned)
    assert limits.POLICY * 0.99 < len(full.encode()) <= limits.POLICY
    return full


def test_all_that_the_largest_hybrid_room_sends_fits() -> None:
    group = fullest()
    assert sum(1 for _ in group.tree.members()) == limits.HYBRID_DEVICES
    policy = largest_policy(policy_of(group.context))
    plan = CommitPlan([now_says(policy)], framing=USUAL)
    made = commit(group, plan, ANYTHING, seeded("commit"))
    size = len(encode_message(made.message))
    # A statement of each who may leave takes 71 bytes more.
    statements = 71 * limits.HYBRID_DEVICES
    assert 600_000 < size < wire_limits.ENTRY_BLOB - statements
    position = Position(1, first_hash(ROOM))
    advice = seal_advice(made.after, policy, position, seeded("advice"))
    known = known_tree(epoch_key(made.after), made.after.tree)
    # With keys in all parent nodes it is less than twice as large.
    assert 2 * len(seal_tree(known, ROOM, seeded("tree"))) < limits.ADVICE
    before = known_tree(epoch_key(group), group.tree)
    patch = seal_patch(before, known, ROOM, seeded("patch"))
    given = frames.GroupAdvice(
        advice.name,
        advice.group_info,
        advice.member_wrap,
        None,
        patch,
        advice.wraps,
        advice.invites,
    )
    route = tuple(seeded("route")(16) for _ in range(limits.HYBRID_DEVICES))
    commit_frame = frames.Commit(
        2**32 - 1,
        ROOM,
        bytes(16),
        2**40,
        encode_message(made.message) + bytes(statements),
        frames.Bundle(given, route=route),
    )
    assert decode_from_client(encode(commit_frame)) == commit_frame
    assert len(encode(commit_frame)) < wire_limits.FRAME


def test_single_parts_of_hybrid_rooms_fit_with_room_to_spare() -> None:
    mine = offer(1)
    assert len(mine.key_package.leaf_node.encode()) < limits.LEAF / 1.5
    assert len(mine.key_package.encode()) < wire_limits.KEY_PACKAGE / 4
    rng = seeded("external init")
    _, kem_output = SUITE.hpke.kem.encap(mine.key_package.init_key, rng)
    assert len(kem_output) < limits.KEM_OUTPUT / 4


def test_joiners_take_the_tree_of_a_room_whose_leaves_are_all_as_large_as_may_be() -> (
    None
):
    # Beside each leaf stands a parent node: key, hash, and leaves not merged yet.
    classical = wire_limits.DEVICES_PER_ROOM * (limits.LEAF + 100)
    hybrid = limits.HYBRID_DEVICES * (limits.LEAF + 1_400)
    for tree in (classical, hybrid):
        assert tree + padding_for(tree) < limits.ADVICE
