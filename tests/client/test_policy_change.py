"""Who may make a policy say what: each refusal stands beside what is accepted."""

from dataclasses import replace
from typing import Any

import pytest

from tertulia.client.identity import POLICY
from tertulia.client.invites import InviteTerms, new_invite
from tertulia.client.judgement import RULES
from tertulia.client.room_policy import ListedInvite, Permissions, Role
from tertulia.client.value_errors import UpdateNeededError
from tertulia.mls import (
    Extension,
    GroupContextExtensions,
    RequiredCapabilities,
    required_capabilities_extension,
)
from tests.client.society import (
    NEW_SECRET,
    Manner,
    Room,
    add,
    attempt,
    by_invite,
    changed,
    enter,
    further_device,
    knock,
    now_says,
    person,
    policy_in,
    refused,
    remove,
    renewed,
    room_of,
    seeded,
)


def key_of(name: str) -> bytes:
    return person(name).account_public


def invite_by(name: str, number: int = 0, **terms: Any) -> ListedInvite:
    rng = seeded(f"invite {number} by {name}")
    return new_invite(key_of(name), InviteTerms(**terms), rng)[1]


def court(**fields: Any) -> Room:
    """Return a room with an owner, an admin and two members."""
    return room_of("Ana", "Luis", "Eva", "Iker", admins=(key_of("Luis"),), **fields)


def demand(room: Room, who: str, fields: dict[str, Any], *, may: bool) -> None:
    if may:
        after = attempt(room, who, changed(room, **fields))
        assert policy_in(after) == replace(policy_in(room), **fields)
    else:
        with refused():
            attempt(room, who, changed(room, **fields))


# Fields and who may change them

OPEN = Permissions(change=Role.MEMBER)
CLOSED = Permissions(change=Role.OWNER)


@pytest.mark.parametrize(
    "fields", [{"name": "Peña"}, {"topic": "News"}, {"retention": 9}]
)
def test_name_topic_and_retention_are_for_whom_the_room_says(
    fields: dict[str, Any],
) -> None:
    for permissions, allowed in (
        (OPEN, {"Ana", "Luis", "Eva"}),
        (Permissions(), {"Ana", "Luis"}),
        (CLOSED, {"Ana"}),
    ):
        room = court(permissions=permissions)
        for who in ("Ana", "Luis", "Eva"):
            demand(room, who, fields, may=who in allowed)


@pytest.mark.parametrize(
    ("fields", "allowed"),
    [
        ({"permissions": Permissions(invite=Role.ADMIN)}, {"Ana", "Luis"}),
        ({"revoked": (bytes(16),)}, {"Ana", "Luis"}),
        ({"banned": (bytes(32),)}, {"Ana", "Luis"}),
        ({"secret": NEW_SECRET}, {"Ana", "Luis"}),
        ({"admins": ()}, {"Ana"}),
        ({"admins": (key_of("Luis"), key_of("Eva"))}, {"Ana"}),
        ({"owner": key_of("Luis")}, {"Ana"}),
        ({"owner": key_of("Eva")}, {"Ana"}),
    ],
)
def test_what_only_admins_or_the_owner_change(
    fields: dict[str, Any], allowed: set[str]
) -> None:
    room = court(permissions=OPEN)
    for who in ("Ana", "Luis", "Eva"):
        demand(room, who, fields, may=who in allowed)


def test_what_was_revoked_or_banned_an_admin_pardons() -> None:
    room = court(revoked=(bytes(16),), banned=(bytes(32), key_of("Otto")))
    for fields in ({"revoked": ()}, {"banned": (key_of("Otto"),)}):
        for who in ("Ana", "Luis", "Eva"):
            demand(room, who, fields, may=who != "Eva")


def test_a_policy_that_stays_as_it_is_needs_no_right() -> None:
    room = court(permissions=CLOSED, invites=(invite_by("Ana"),))
    attempt(room, "Eva", changed(room))


def test_rights_are_those_of_before() -> None:
    room = court()
    demand(
        room,
        "Luis",
        {"permissions": OPEN, "admins": (key_of("Luis"), key_of("Eva"))},
        may=False,
    )
    demand(room, "Eva", {"permissions": OPEN, "name": "Mine"}, may=False)
    demand(room, "Ana", {"admins": (), "name": "All of ours"}, may=True)


def test_a_permission_is_changed_by_who_is_above_it() -> None:
    ours = court()
    demand(ours, "Luis", {"permissions": OPEN}, may=True)
    demand(ours, "Luis", {"permissions": CLOSED}, may=False)
    demand(ours, "Ana", {"permissions": CLOSED}, may=True)
    owners = court(permissions=CLOSED)
    demand(owners, "Luis", {"permissions": OPEN}, may=False)
    demand(owners, "Luis", {"permissions": replace(CLOSED, post=Role.ADMIN)}, may=True)
    demand(owners, "Ana", {"permissions": OPEN}, may=True)


@pytest.mark.parametrize(
    ("who", "whom", "may"),
    [
        ("Luis", "Otto", True),
        ("Luis", "Lola", False),
        ("Luis", "Ana", False),
        ("Ana", "Lola", True),
        ("Ana", "Ana", False),
    ],
)
def test_nobody_bans_who_is_as_much_or_more(who: str, whom: str, may: bool) -> None:  # noqa: FBT001
    # Lola is an admin who is not there now; Ana, banned by herself, would be.
    room = court()
    admins = (key_of("Luis"), key_of("Lola"))
    room = attempt(room, "Ana", changed(room, admins=admins))
    demand(room, who, {"banned": (key_of(whom),)}, may=may)


def test_the_owner_is_succeeded_by_a_member() -> None:
    room = court()
    after = attempt(room, "Ana", changed(room, owner=key_of("Eva")))
    demand(after, "Ana", {"name": "No more"}, may=False)
    demand(after, "Eva", {"admins": ()}, may=True)
    with refused("the new owner is not a member"):
        attempt(room, "Ana", changed(room, owner=key_of("Otto")))
    # Who comes or goes with the same commit is judged by who is there afterwards.
    attempt(room, "Ana", add(person("Otto")), changed(room, owner=key_of("Otto")))
    with refused("the new owner is not a member"):
        attempt(room, "Ana", remove(room, "Eva"), renewed(room, owner=key_of("Eva")))


# The room secret


def test_the_secret_changes_when_somebody_goes_or_an_admin_wants() -> None:
    room = room_of("Ana", "Eva", further_device("Eva"))
    demand(room, "Eva", {"secret": NEW_SECRET}, may=False)
    demand(room, "Ana", {"secret": NEW_SECRET}, may=True)
    attempt(room, "Eva", remove(room, "Eva 2"), renewed(room))
    with refused("without a new room secret"):
        attempt(room, "Eva", remove(room, "Eva 2"))


# Invites


def test_who_may_invite_lists_invites_in_its_own_name() -> None:
    admins = Permissions(invite=Role.ADMIN)
    for permissions, allowed in (
        (Permissions(), {"Ana", "Luis", "Eva"}),
        (admins, {"Ana", "Luis"}),
    ):
        room = court(permissions=permissions, invites=(invite_by("Ana", 1),))
        for who in ("Ana", "Luis", "Eva"):
            invites = (*policy_in(room).invites, invite_by(who))
            demand(room, who, {"invites": invites}, may=who in allowed)
    room = court()
    for creator in ("Ana", "Luis", "Otto"):
        may = creator == "Luis"
        demand(room, "Luis", {"invites": (invite_by(creator),)}, may=may)


def test_nobody_invites_to_more_than_they_are() -> None:
    room = court()
    for who, role in (("Ana", 2), ("Luis", 1), ("Eva", 0)):
        for granted in Role:
            invites = (invite_by(who, role=granted),)
            demand(room, who, {"invites": invites}, may=granted <= role)


def test_an_invite_does_not_change() -> None:
    invite = invite_by("Eva", uses=5)
    room = court(invites=(invite,))
    for other in (
        replace(invite, uses=6),
        replace(invite, expires=1),
        replace(invite, role=Role.ADMIN),
        replace(invite, public_key=bytes(32)),
        replace(invite, wrap_key=NEW_SECRET),
        replace(invite, creator=key_of("Ana")),
    ):
        for who in ("Ana", "Eva"):
            with refused("an invite does not change"):
                attempt(room, who, changed(room, invites=(other,)))
    attempt(room, "Eva", changed(room, invites=(invite, invite_by("Eva", 1))))


def test_an_invite_is_taken_away_by_its_creator_or_an_admin() -> None:
    room = court(invites=(invite_by("Eva"),))
    for who, may in (("Ana", True), ("Luis", True), ("Eva", True), ("Iker", False)):
        demand(room, who, {"invites": ()}, may=may)


def test_an_invite_with_an_end_is_taken_away_by_anybody() -> None:
    invites = (invite_by("Eva", 1, expires=7), invite_by("Eva", 2))
    room = court(invites=invites)
    demand(room, "Iker", {"invites": invites[1:]}, may=True)
    demand(room, "Iker", {"invites": invites[:1]}, may=False)


# Expelling


def test_an_expulsion_drops_the_links_that_lead_back() -> None:
    personal, reusable = invite_by("Luis", 1, uses=1), invite_by("Luis", 2, uses=2)
    endless = invite_by("Ana", 3)
    of_the_expelled = invite_by("Eva", 4, uses=1)
    room = court(invites=(personal, reusable, endless, of_the_expelled))
    for kept, may in (
        ((personal,), True),
        ((), True),
        ((personal, reusable), False),
        ((personal, endless), False),
        ((personal, of_the_expelled), False),
    ):
        proposals = (remove(room, "Eva"), renewed(room, invites=kept))
        if may:
            attempt(room, "Luis", *proposals)
        else:
            with refused("an invite that leads back in"):
                attempt(room, "Luis", *proposals)


def test_an_expulsion_may_bring_new_links() -> None:
    room = court(invites=(invite_by("Luis", 1),))
    fresh = (invite_by("Luis", 2),)
    attempt(room, "Luis", remove(room, "Eva"), renewed(room, invites=fresh))


def test_who_goes_willingly_costs_no_links() -> None:
    invites = (invite_by("Eva", 1), invite_by("Ana", 2))
    room = room_of("Ana", "Eva", further_device("Eva"), invites=invites)
    attempt(room, "Eva", remove(room, "Eva 2"), renewed(room))
    with refused("the committer may not drop this invite"):
        proposals = (remove(room, "Eva 2"), renewed(room, invites=invites[:1]))
        attempt(room, "Eva", *proposals)


# Other extensions of the group


def test_nothing_but_the_policy_changes() -> None:
    room = court()
    needed = required_capabilities_extension(RequiredCapabilities((POLICY,)))
    attempt(room, "Ana", now_says(policy_in(room)))
    with refused("only the policy may change"):
        attempt(room, "Ana", now_says(policy_in(room), needed))


# Newer rules


def newer(version: int) -> GroupContextExtensions:
    return GroupContextExtensions(
        (Extension(POLICY, version.to_bytes(2) + b"whatever this will be"),)
    )


def test_only_who_is_an_admin_brings_newer_rules() -> None:
    room = court()
    for who in ("Ana", "Luis"):
        with pytest.raises(UpdateNeededError):
            attempt(room, who, newer(2))
    with refused("may not change the rules' version"):
        attempt(room, "Eva", newer(2))
    with refused("does not go back"):
        attempt(room, "Ana", newer(0))


def test_who_comes_in_brings_no_rules() -> None:
    secret, invite = new_invite(key_of("Ana"), InviteTerms(), seeded("link"))
    room = court(invites=(invite,))
    enter(room, person("Otto"), by_invite(secret))
    change = knock(room, person("Otto"), by_invite(secret)).change
    context = replace(change.context_after, extensions=newer(2).extensions)
    with refused("who comes in changes no rules"):
        RULES.check_change(replace(change, context_after=context))


def test_a_policy_that_is_none_is_refused() -> None:
    room = court()
    nonsense = GroupContextExtensions((Extension(POLICY, b"\0\1nonsense"),))
    with refused("no room policy"):
        attempt(room, "Ana", nonsense)
    with refused("no room policy"):
        attempt(room, "Ana", GroupContextExtensions(()))
    attempt(room, "Ana", changed(room), manner=Manner())
