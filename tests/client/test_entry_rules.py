"""Coming in from outside: by invite, or in place of an own leaf."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tertulia.client.annotation import (
    Claim,
    InviteClaim,
    LeavingClaims,
    NoClaim,
    RejoinAuthorization,
    RejoinClaim,
)
from tertulia.client.entry_rules import entry_of
from tertulia.client.invites import InviteTerms, invite_secrets, new_invite
from tertulia.client.judgement import RULES
from tertulia.client.rows import ProfileRow
from tertulia.crypto import Secret
from tertulia.mls import BasicCredential, LeafNode, Rule
from tests.client.society import (
    ROOM,
    Authorize,
    Room,
    by_invite,
    enter,
    further_device,
    knock,
    person,
    refused,
    room_of,
    seeded,
)

SECRET, INVITE = new_invite(
    person("Ana").account_public, InviteTerms(), seeded("invite")
)
OTHER_SECRET, OTHER_INVITE = new_invite(
    person("Ana").account_public, InviteTerms(expires=1, uses=1), seeded("other")
)
EVA = person("Eva")


def house() -> Room:
    return room_of("Ana", "Luis", invites=(INVITE, OTHER_INVITE))


# By invite


@pytest.mark.parametrize("secret", [SECRET, OTHER_SECRET])
def test_who_holds_a_link_comes_in_whatever_the_clock_says(secret: Secret) -> None:
    after = enter(house(), EVA, by_invite(secret))
    assert set(after) == {"Ana", "Luis", "Eva"}


def test_an_account_that_is_there_brings_another_device_by_invite() -> None:
    enter(house(), further_device("Luis"), by_invite(SECRET))
    with refused("a device has two leaves"):
        twin = replace(further_device("Luis"), device=person("Luis").device)
        enter(house(), twin, by_invite(SECRET))


def test_an_invite_must_be_listed() -> None:
    unlisted, _ = new_invite(b"", InviteTerms(), seeded("unlisted"))
    with refused("not listed"):
        enter(house(), EVA, by_invite(unlisted))
    with refused("not listed"):
        enter(room_of("Ana", "Luis"), EVA, by_invite(SECRET))


def test_a_proof_is_of_one_epoch() -> None:
    with refused("the joiner's proof"):
        enter(house(), EVA, by_invite(SECRET, epoch=0))
    with refused("the joiner's proof"):
        enter(house(), EVA, by_invite(SECRET, epoch=2))


def _spoilt(
    spoil: Callable[[bytes, LeafNode], tuple[bytes, LeafNode]],
) -> Authorize:
    sound = by_invite(SECRET)
    return lambda kem_output, leaf: sound(*spoil(kem_output, leaf))


@pytest.mark.parametrize(
    "authorize",
    [
        _spoilt(lambda kem_output, leaf: (kem_output[:-1] + b"?", leaf)),
        _spoilt(lambda kem_output, leaf: (kem_output, replace(leaf, signature=b""))),
        _spoilt(lambda kem_output, leaf: (kem_output, replace(leaf, extensions=()))),
        lambda _kem_output, _leaf: InviteClaim(INVITE.invite, bytes(64)),
        by_invite(OTHER_SECRET, invite=INVITE.invite),
    ],
)
def test_a_proof_is_by_the_invite_over_this_commit(authorize: Authorize) -> None:
    with refused("the joiner's proof"):
        enter(house(), EVA, authorize)


def test_who_comes_by_invite_removes_nobody() -> None:
    room = house()
    with refused("removes nobody"):
        enter(room, EVA, by_invite(SECRET), replaces=room["Luis"].leaf_index)
    with refused("removes nobody"):
        enter(
            room,
            further_device("Luis"),
            by_invite(SECRET),
            replaces=room["Luis"].leaf_index,
        )


@pytest.mark.parametrize("claim", [NoClaim(), LeavingClaims(())])
def test_without_a_claim_nobody_comes_in(claim: Claim) -> None:
    with refused("without invite or own leaf"):
        enter(house(), EVA, lambda _kem_output, _leaf: claim)


# Coming back


def by_key(key: Secret, replaced: int, by_account: int, epoch: int = 1) -> Authorize:
    """Return the proof of somebody who replaces a leaf, signed with `key`."""

    def authorize(kem_output: bytes, leaf: LeafNode) -> Claim:
        said = RejoinAuthorization(ROOM, epoch, kem_output, leaf.encode(), replaced)
        return RejoinClaim(by_account, said.sign(key))

    return authorize


def account_key(profile: ProfileRow) -> Secret:
    assert profile.account_key is not None
    return profile.account_key


LUIS = person("Luis")


@pytest.mark.parametrize("device", [LUIS, further_device("Luis")])
@pytest.mark.parametrize(
    ("key", "by_account"), [(LUIS.device_key, 0), (account_key(LUIS), 1)]
)
def test_an_account_comes_back_in_place_of_its_leaf(
    device: ProfileRow, key: Secret, by_account: int
) -> None:
    after = enter(house(), device, by_key(key, 1, by_account), replaces=1)
    assert after["Ana"].leaf_of(1).signature_key == device.device_public


@pytest.mark.parametrize(
    "authorize",
    [
        by_key(LUIS.device_key, 1, 1),
        by_key(account_key(LUIS), 1, 0),
        by_key(further_device("Luis").device_key, 1, 0),
        by_key(person("Ana").device_key, 1, 0),
        by_key(LUIS.device_key, 1, 0, epoch=0),
        by_key(LUIS.device_key, 0, 0),
        lambda _kem_output, _leaf: RejoinClaim(0, bytes(64)),
        lambda kem_output, leaf: by_key(LUIS.device_key, 1, 0)(kem_output[1:], leaf),
        lambda kem_output, leaf: by_key(LUIS.device_key, 1, 0)(
            kem_output, replace(leaf, signature=b"")
        ),
    ],
)
def test_who_comes_back_proves_to_be_who_is_replaced(authorize: Authorize) -> None:
    with refused("the joiner's proof"):
        enter(house(), further_device("Luis"), authorize, replaces=1)


def test_nobody_takes_the_place_of_another_account() -> None:
    for replaced, name in ((0, "Ana"), (1, "Luis")):
        key = person(name).device_key
        authorize = by_key(key, replaced, 0)
        with refused("of another account"):
            enter(house(), EVA, authorize, replaces=replaced)


def test_who_comes_back_replaces_one_leaf() -> None:
    with refused("replaces one leaf"):
        enter(house(), further_device("Luis"), by_key(LUIS.device_key, 1, 0))


def test_a_revoked_device_does_not_come_back() -> None:
    other = further_device("Luis")
    room = room_of("Ana", "Luis", revoked=(other.device,))
    key = account_key(LUIS)
    enter(room, further_device("Luis", 3), by_key(key, 1, 1), replaces=1)
    with refused("a device is revoked"):
        enter(room, other, by_key(key, 1, 1), replaces=1)


# What the engine never lets through, and what is refused all the same


def test_an_external_commit_brings_a_leaf_and_one_init() -> None:
    change = knock(house(), EVA, by_invite(SECRET)).change
    RULES.check_change(change)
    assert entry_of(change).leaf == change.new_leaf
    for spoilt in (
        replace(change, new_leaf=None),
        replace(change, proposals=()),
        replace(change, proposals=2 * change.proposals),
    ):
        with refused("without leaf or init"):
            RULES.check_change(spoilt)


def test_a_proof_over_what_cannot_be_written_is_none() -> None:
    change = knock(house(), EVA, by_invite(SECRET)).change
    context = replace(change.context_before, group_id=bytes(17))
    with refused("the joiner's proof"):
        RULES.check_change(replace(change, context_before=context))


def test_the_replaced_leaf_is_somebody() -> None:
    room = house()
    joined = knock(room, LUIS, by_key(LUIS.device_key, 1, 0), replaces=1)
    RULES.check_change(joined.change)
    nobody = replace(room["Luis"].leaf, credential=BasicCredential(b""))
    for node, rule in ((None, Rule.POLICY), (nobody, Rule.CREDENTIAL)):
        draft = joined.change.tree_before.edit()
        draft.set_node(2, node)
        with refused(rule=rule):
            RULES.check_change(replace(joined.change, tree_before=draft.finish()))


def test_an_invite_secret_is_the_only_way_to_its_key() -> None:
    assert invite_secrets(SECRET).keys.public == INVITE.public_key
    assert invite_secrets(OTHER_SECRET).keys.public != INVITE.public_key
