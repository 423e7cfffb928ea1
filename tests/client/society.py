"""People, rooms of them, and commits that everybody judges by the rules of rooms.

Everything comes from names, so that a test that fails fails again. A room is each
person's view of its group. `attempt` and `enter` make a commit without any rules and
then let committer and receivers judge it: all must come to the same verdict.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, TypeAlias

import pytest

from tertulia.client.annotation import (
    Annotation,
    Claim,
    InviteClaim,
    JoinAuthorization,
    NoClaim,
)
from tertulia.client.identity import POLICY, mls_identity, new_profile
from tertulia.client.invites import invite_secrets
from tertulia.client.judgement import RULES
from tertulia.client.room_policy import RoomPolicy, policy_of
from tertulia.client.rows import ProfileRow
from tertulia.crypto import HYBRID_SUITE, Rng, Secret, cipher_suite
from tertulia.errors import TertuliaError
from tertulia.mls import (
    AcceptEverything,
    Add,
    Change,
    CommitPlan,
    Committed,
    Extension,
    ExternalJoin,
    Framing,
    Group,
    GroupContextExtensions,
    Identity,
    InvalidError,
    JoinedExternally,
    LeafNode,
    Lifetime,
    Proposal,
    ReceivedCommit,
    Remove,
    RemovedFromGroup,
    Rule,
    Unverified,
    commit,
    create_group,
    create_key_package,
    join,
    join_externally,
    make_group_info,
    receive,
)
from tertulia.wire import first_hash

# What most rooms have; `mls` is tested with the others too.
SUITE = cipher_suite(HYBRID_SUITE)
ALWAYS = Lifetime(0, 2**64 - 1)
ANYTHING = AcceptEverything()
ROOM = b"the room of Ana."
NOW = 1_700_000_000_000

Room: TypeAlias = Mapping[str, Group]


@contextmanager
def refused(detail: str | None = None, rule: Rule = Rule.POLICY) -> Iterator[None]:
    """Demand that the block is refused, for a reason that says `detail`."""
    with pytest.raises(InvalidError, match=detail) as caught:
        yield
    assert caught.value.rule is rule


def seeded(seed: object) -> Rng:
    return Random(str(seed)).randbytes


def person(name: str) -> ProfileRow:
    """Return somebody, always the same."""
    return new_profile(name, NOW, seeded(f"profile of {name}"))


def further_device(name: str, number: int = 2) -> ProfileRow:
    """Return another device of somebody's account."""
    first = person(name)
    other = new_profile(name, NOW, seeded(f"device {number} of {name}"))
    return replace(
        other, account_public=first.account_public, account_key=first.account_key
    )


def identity_of(profile: ProfileRow) -> Identity:
    return mls_identity(profile, SUITE, profile.name)


def policy_by(owner: str, **fields: Any) -> RoomPolicy:
    """Return the policy of a room that somebody owns."""
    secret = Secret(seeded(f"room secret of {owner}")(32))
    usual: dict[str, Any] = {
        "name": "Tertulia",
        "topic": "",
        "owner": person(owner).account_public,
        "secret": secret,
    }
    return RoomPolicy(**{**usual, **fields})


def room_of(*people: str | ProfileRow, **fields: Any) -> dict[str, Group]:
    """Return everybody's view of a room that the first owns; `fields` of its policy."""
    founder, *others = [
        each if isinstance(each, ProfileRow) else person(each) for each in people
    ]
    policy = policy_by(founder.name, **fields)
    alone = create_group(
        identity_of(founder), ROOM, ALWAYS, seeded("found"), (policy.extension(),)
    )
    if not others:
        return {founder.name: alone}
    packages = [
        create_key_package(identity_of(each), ALWAYS, seeded(f"package {number}"))
        for number, each in enumerate(others)
    ]
    plan = CommitPlan([Add(each.key_package) for each in packages])
    made = commit(alone, plan, ANYTHING, seeded("fill"))
    assert made.welcome is not None
    joined = [join(made.welcome, package, ANYTHING) for package in packages]
    names = _names_of([founder, *others])
    return dict(zip(names, [made.after, *joined], strict=True))


def _names_of(people: Iterable[ProfileRow]) -> list[str]:
    """Return the names; the second of a name is called `NAME 2`."""
    names: list[str] = []
    for each in people:
        taken = names.count(each.name)
        names.append(f"{each.name} {taken + 1}" if taken else each.name)
    return names


def add(profile: ProfileRow, seed: object = "") -> Add:
    rng = seeded(f"key package of {profile.device.hex()} {seed}")
    return Add(create_key_package(identity_of(profile), ALWAYS, rng).key_package)


def remove(room: Room, name: str) -> Remove:
    return Remove(room[name].leaf_index)


def policy_in(room: Room) -> RoomPolicy:
    return policy_of(next(iter(room.values())).context)


def now_says(policy: RoomPolicy, *others: Extension) -> GroupContextExtensions:
    """Return the proposal that a room's policy become this."""
    return GroupContextExtensions((Extension(POLICY, policy.encode()), *others))


def changed(room: Room, **fields: Any) -> GroupContextExtensions:
    return now_says(replace(policy_in(room), **fields))


NEW_SECRET = Secret(bytes(range(32)))


def renewed(room: Room, **fields: Any) -> GroupContextExtensions:
    """Return the policy change that goes with a removal."""
    return changed(room, secret=NEW_SECRET, **fields)


def annotate(claim: Claim) -> bytes:
    return Annotation(bytes(16), 0, first_hash(ROOM), claim).encode()


@dataclass(frozen=True)
class Manner:
    """What is unusual about a commit."""

    claim: Claim = field(default_factory=NoClaim)
    data: bytes | None = None
    identity: Identity | None = None
    references: tuple[bytes, ...] = ()
    path: bool = True

    def plan(self, proposals: Iterable[Proposal]) -> CommitPlan:
        data = annotate(self.claim) if self.data is None else self.data
        return CommitPlan(
            tuple(proposals),
            references=self.references,
            framing=Framing(authenticated_data=data),
            path=self.path,
            new_identity=self.identity,
        )


USUAL = Manner()


def attempt(
    room: Room, who: str, *proposals: Proposal, manner: Manner = USUAL
) -> dict[str, Group]:
    """Commit as `who`. Return the room after it, or raise what all members raise."""
    made = made_by(room, who, *proposals, manner=manner)
    message = made.message

    def judged_by(name: str) -> Group | None:
        if name == who:
            RULES.check_change(made.change)
            return made.after
        received = receive(room[name], message, RULES)
        assert isinstance(received, ReceivedCommit | RemovedFromGroup)
        return received.group if isinstance(received, ReceivedCommit) else None

    return _agreed(room, judged_by)


def made_by(
    room: Room, who: str, *proposals: Proposal, manner: Manner = USUAL
) -> Committed:
    rng = seeded(f"commit by {who} in epoch {room[who].context.epoch}")
    return commit(room[who], manner.plan(proposals), ANYTHING, rng)


Authorize: TypeAlias = Callable[[bytes, LeafNode], Claim]


def by_invite(
    secret: Secret, *, epoch: int = 1, invite: bytes | None = None
) -> Authorize:
    """Return how the holder of a link's secret proves it, perhaps as another one."""
    secrets = invite_secrets(secret)

    def authorize(kem_output: bytes, leaf: LeafNode) -> Claim:
        said = JoinAuthorization(ROOM, epoch, kem_output, leaf.encode())
        return InviteClaim(invite or secrets.invite, said.sign(secrets.keys.private))

    return authorize


def knock(
    room: Room,
    profile: ProfileRow,
    authorize: Authorize,
    *,
    replaces: int | None = None,
) -> JoinedExternally:
    """Make an external commit without any rules."""
    info = make_group_info(next(iter(room.values())))
    plan = ExternalJoin(
        identity_of(profile),
        replaces=replaces,
        authorize=lambda kem_output, leaf: annotate(authorize(kem_output, leaf)),
    )
    rng = seeded(f"{profile.device.hex()} enters")
    return join_externally(Unverified(info), plan, ANYTHING, rng)


def enter(
    room: Room,
    profile: ProfileRow,
    authorize: Authorize,
    *,
    replaces: int | None = None,
) -> dict[str, Group]:
    """Join from outside. Return the room after it, or raise what all members raise."""
    joined = knock(room, profile, authorize, replaces=replaces)

    def judged_by(name: str) -> Group | None:
        RULES.check_change(joined.change)
        received = receive(room[name], joined.message, RULES)
        return received.group if isinstance(received, ReceivedCommit) else None

    return {**_agreed(room, judged_by), profile.name: joined.group}


def _agreed(room: Room, judged_by: Callable[[str], Group | None]) -> dict[str, Group]:
    after: dict[str, Group] = {}
    refusals: list[TertuliaError | None] = []
    for name in room:
        try:
            group = judged_by(name)
        except TertuliaError as error:
            refusals.append(error)
        else:
            refusals.append(None)
            if group is not None:
                after[name] = group
    verdicts = {(type(each), str(each)) for each in refusals}
    assert len(verdicts) == 1, f"members disagree: {verdicts}"
    if refusals[0] is not None:
        raise refusals[0]
    authenticators = [group.epoch_authenticator for group in after.values()]
    assert all(each == authenticators[0] for each in authenticators)
    return after


def change_of(room: Room, who: str, *proposals: Proposal) -> Change:
    """Return a sound change, for tests that spoil it by hand."""
    return made_by(room, who, *proposals).change
