"""What members may commit: each refusal stands beside what is accepted."""

from dataclasses import replace

import pytest

from tertulia.client.annotation import (
    InviteClaim,
    LeavingClaims,
    LeftLeaf,
    RejoinClaim,
    leaving_statement,
)
from tertulia.client.judgement import RULES
from tertulia.client.room_policy import Permissions, Role
from tertulia.client.rows import ProfileRow
from tertulia.crypto import Secret
from tertulia.mls import BasicCredential, MemberSender
from tests.client.society import (
    NEW_SECRET,
    Manner,
    Room,
    add,
    attempt,
    change_of,
    changed,
    further_device,
    identity_of,
    person,
    refused,
    remove,
    renewed,
    room_of,
)

# The committer's own leaf


def test_a_new_leaf_is_of_the_same_device() -> None:
    room = room_of("Ana", "Luis")
    luis = person("Luis")
    attempt(room, "Luis", manner=Manner(identity=identity_of(luis)))
    later = replace(luis, created=luis.created + 1)
    attempt(room, "Luis", manner=Manner(identity=identity_of(later)))
    other_device = further_device("Luis")
    for other in (
        person("Mallory"),
        other_device,
        replace(luis, device=bytes(16)),
        replace(other_device, device=luis.device),
        replace(person("Mallory"), device=luis.device),
    ):
        with refused("of another device"):
            attempt(room, "Luis", manner=Manner(identity=identity_of(other)))


def test_a_commit_without_a_path_changes_no_leaf() -> None:
    room = room_of("Ana", "Luis")
    after = attempt(room, "Luis", add(person("Eva")), manner=Manner(path=False))
    assert after["Ana"].leaf_of(1) == room["Ana"].leaf_of(1)


def test_a_committer_stands_in_the_tree() -> None:
    change = change_of(room_of("Ana", "Luis"), "Ana")
    RULES.check_change(change)
    with refused("leaf 5 is blank"):
        RULES.check_change(replace(change, sender=MemberSender(5), committer=5))


# Adding


def test_who_may_invite_may_add() -> None:
    attempt(room_of("Ana", "Luis"), "Luis", add(person("Eva")))
    admins = Permissions(invite=Role.ADMIN)
    room = room_of("Ana", "Luis", "Iker", permissions=admins, admins=_keys("Iker"))
    attempt(room, "Iker", add(person("Eva")))
    attempt(room, "Ana", add(person("Eva")))
    with refused("may not invite"):
        attempt(room, "Luis", add(person("Eva")))
    # A right to invite is none to anything else, and its lack costs nothing else.
    attempt(room, "Luis")


def _keys(*names: str) -> tuple[bytes, ...]:
    return tuple(person(name).account_public for name in names)


# Removing


def court() -> Room:
    """Return a room with an owner, two admins and two members."""
    return room_of("Ana", "Luis", "Lola", "Eva", "Iker", admins=_keys("Luis", "Lola"))


@pytest.mark.parametrize(
    ("who", "whom", "may"),
    [
        ("Ana", "Luis", True),
        ("Ana", "Eva", True),
        ("Luis", "Eva", True),
        ("Luis", "Lola", False),
        ("Luis", "Ana", False),
        ("Eva", "Iker", False),
        ("Eva", "Luis", False),
        ("Eva", "Ana", False),
    ],
)
def test_who_is_more_expels_who_is_less(who: str, whom: str, may: bool) -> None:  # noqa: FBT001
    room = court()
    # A member may not change the secret without a removal: it comes with one.
    proposals = (remove(room, whom), renewed(room))
    if may:
        after = attempt(room, who, *proposals)
        assert set(after) == set(room) - {whom}
    else:
        with refused("may not remove this member"):
            attempt(room, who, *proposals)


def test_anybody_removes_an_own_device() -> None:
    room = room_of("Ana", "Luis", further_device("Luis"), "Eva")
    after = attempt(room, "Luis", remove(room, "Luis 2"), renewed(room))
    assert set(after) == {"Ana", "Luis", "Eva"}
    with refused("may not remove this member"):
        attempt(room, "Eva", remove(room, "Luis 2"), renewed(room))


def test_one_leaf_too_many_spoils_the_commit() -> None:
    room = court()
    both = (remove(room, "Eva"), remove(room, "Lola"))
    with refused("may not remove this member"):
        attempt(room, "Luis", *both, renewed(room))
    attempt(room, "Ana", *both, renewed(room))


# Leaving


def statement_of(room: Room, name: str, profile: ProfileRow | None = None) -> LeftLeaf:
    """Return what `name` signs in order to leave, by the keys of `profile`."""
    group = room[name]
    said = leaving_statement(group.context.group_id, group.leaf_index, group.leaf)
    key = (profile or person(name)).device_key
    return LeftLeaf(group.leaf_index, said.sign(key))


def leaving(*statements: LeftLeaf) -> Manner:
    return Manner(LeavingClaims(statements))


def test_anybody_removes_who_said_so_whatever_they_are() -> None:
    room = court()
    for whom in ("Iker", "Luis", "Ana"):
        manner = leaving(statement_of(room, whom))
        after = attempt(room, "Eva", remove(room, whom), renewed(room), manner=manner)
        assert set(after) == set(room) - {whom}
        with refused("may not remove this member"):
            attempt(room, "Eva", remove(room, whom), renewed(room))


def test_several_leave_at_once_and_others_are_expelled_with_them() -> None:
    room = court()
    manner = leaving(statement_of(room, "Iker"), statement_of(room, "Lola"))
    gone = (remove(room, "Iker"), remove(room, "Lola"), remove(room, "Eva"))
    attempt(room, "Luis", *gone, renewed(room), manner=manner)
    with refused("may not remove this member"):
        attempt(room, "Luis", *gone, remove(room, "Ana"), renewed(room), manner=manner)


def test_a_statement_is_signed_by_the_device_that_leaves() -> None:
    room = court()
    for forger in (person("Eva"), further_device("Iker")):
        manner = leaving(statement_of(room, "Iker", forger))
        with refused("a leaving statement"):
            attempt(room, "Eva", remove(room, "Iker"), renewed(room), manner=manner)


def test_a_statement_is_of_one_leaf_in_one_room() -> None:
    room = court()
    iker = room["Iker"]
    key = person("Iker").device_key
    own = leaving_statement(iker.context.group_id, iker.leaf_index, iker.leaf)
    proposals = (remove(room, "Iker"), renewed(room))
    for said, sound in (
        (own, True),
        (replace(own, group_id=bytes(16)), False),
        (replace(own, leaf=own.leaf - 1), False),
        (replace(own, device=person("Eva").device), False),
        (replace(own, leaf_hash=bytes(32)), False),
    ):
        manner = leaving(LeftLeaf(iker.leaf_index, said.sign(key)))
        if sound:
            attempt(room, "Eva", *proposals, manner=manner)
        else:
            with refused("a leaving statement"):
                attempt(room, "Eva", *proposals, manner=manner)


def test_an_old_statement_does_not_put_out_who_came_back() -> None:
    room = room_of("Ana", "Luis", "Iker")
    manner = leaving(statement_of(room, "Iker"))
    gone = attempt(room, "Luis", remove(room, "Iker"), renewed(room), manner=manner)
    assert set(gone) == {"Ana", "Luis"}
    back = attempt(gone, "Luis", add(person("Iker"), "again"))
    tree = back["Luis"].tree
    assert tree.leaf(2) is not None, "the same device at the same place"
    again = changed(back, secret=Secret(bytes(32)))
    with refused("a leaving statement"):
        attempt(back, "Luis", remove(room, "Iker"), again, manner=manner)


def test_who_did_not_leave_is_not_claimed_to() -> None:
    room = court()
    iker, eva = statement_of(room, "Iker"), statement_of(room, "Eva")
    proposals = (remove(room, "Iker"), renewed(room))
    attempt(room, "Ana", *proposals, manner=leaving(iker))
    with refused("of somebody who stays"):
        attempt(room, "Ana", *proposals, manner=leaving(iker, eva))
    with refused("two statements for one leaf"):
        attempt(room, "Ana", *proposals, manner=leaving(iker, iker))


def test_members_do_not_claim_to_come_in() -> None:
    room = court()
    for claim in (InviteClaim(bytes(16), bytes(64)), RejoinClaim(0, bytes(64))):
        with refused("claims to come in"):
            attempt(room, "Ana", manner=Manner(claim))
    attempt(room, "Ana", manner=leaving())


def test_a_leaf_that_names_no_device_cannot_have_said_anything() -> None:
    room = court()
    manner = leaving(statement_of(room, "Iker"))
    change = change_of(room, "Ana", remove(room, "Iker"), renewed(room))
    change = replace(
        change, authenticated_data=manner.plan(()).framing.authenticated_data
    )
    RULES.check_change(change)
    draft = change.tree_before.edit()
    index = room["Iker"].leaf_index
    draft.set_node(
        2 * index, replace(room["Iker"].leaf, credential=BasicCredential(b""))
    )
    with refused("a leaving statement"):
        RULES.check_change(replace(change, tree_before=draft.finish()))


def test_a_removal_renews_the_room_secret() -> None:
    room = court()
    attempt(room, "Ana", remove(room, "Eva"), renewed(room))
    with refused("without a new room secret"):
        attempt(room, "Ana", remove(room, "Eva"))
    with refused("without a new room secret"):
        attempt(room, "Ana", remove(room, "Eva"), changed(room, topic="Goodbye"))
    again = attempt(room, "Ana", remove(room, "Eva"), renewed(room))
    with refused("without a new room secret"):
        attempt(again, "Ana", remove(again, "Iker"), changed(again, secret=NEW_SECRET))
