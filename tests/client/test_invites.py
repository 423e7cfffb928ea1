from tertulia.client.invites import InviteTerms, invite_secrets, new_invite
from tertulia.client.room_policy import ListedInvite, Role
from tertulia.crypto import ED25519, Secret
from tests.client.society import person, seeded

ANA = person("Ana").account_public


def test_a_secret_gives_all_that_the_policy_lists() -> None:
    terms = InviteTerms(Role.ADMIN, expires=7, uses=3)
    secret, listed = new_invite(ANA, terms, seeded("invite"))
    secrets = invite_secrets(secret)
    assert listed == ListedInvite(
        secrets.invite,
        secrets.keys.public,
        secrets.wrap_key,
        Role.ADMIN,
        ANA,
        expires=7,
        uses=3,
    )
    assert (len(secrets.invite), len(secrets.wrap_key)) == (16, 32)
    signature = ED25519.sign(secrets.keys.private, b"I was invited")
    ED25519.verify(listed.public_key, b"I was invited", signature)


def test_it_gives_the_same_again_and_another_gives_another() -> None:
    one, other = Secret(bytes(32)), Secret(bytes(31) + b"\1")
    assert invite_secrets(one) == invite_secrets(one)
    first, second = invite_secrets(one), invite_secrets(other)
    assert first.invite != second.invite
    assert first.keys.public != second.keys.public
    assert first.wrap_key != second.wrap_key
    assert first.wrap_key != first.keys.private


def test_a_usual_invite_is_for_members_without_end() -> None:
    _, listed = new_invite(ANA, InviteTerms(), seeded("invite"))
    assert (listed.role, listed.expires, listed.uses) == (Role.MEMBER, None, None)


def test_another_invite_has_another_secret() -> None:
    rng = seeded("invites")
    one, _ = new_invite(ANA, InviteTerms(), rng)
    other, _ = new_invite(ANA, InviteTerms(), rng)
    assert one != other
    assert len(one) == 32
