from dataclasses import replace

import pytest

from tertulia.crypto import cipher_suite
from tertulia.mls import (
    Add,
    CommitPlan,
    Committed,
    Founder,
    Group,
    MisuseError,
    NewGroup,
    PreSharedKey,
    ReInit,
    ResumptionPSK,
    ResumptionPSKUsage,
    Rule,
    branch,
    commit,
    join,
    join_branch,
    join_successor,
    new_psk_id,
    protect,
    receive,
    reinitialize,
)
from tertulia.mls.succession import by_credential
from tests.mls.world import (
    ALWAYS,
    ANYTHING,
    About,
    agree,
    follow,
    group_of,
    identity,
    key_package,
    make,
    refused,
    seeded,
)

P256 = About(suite=cipher_suite(2))
REINIT = ReInit(b"second", 1, P256.suite.id, ())


def ended(*names: str, reinit: ReInit = REINIT) -> list[Group]:
    groups = group_of(*names)
    plan = CommitPlan(proposals=[reinit], path=False)
    return follow(groups, make(groups[0], plan))


def successor(old: Group, *members: str) -> Committed:
    packages = [key_package(name, P256).key_package for name in members]
    founder = Founder(identity("Ana", P256), ALWAYS, packages)
    return reinitialize(old, founder, ANYTHING, seeded("successor"))


def subgroup(old: Group, *members: str) -> Committed:
    packages = [key_package(name, number=1).key_package for name in members]
    founder = Founder(identity("Ana"), ALWAYS, packages)
    return branch(old, NewGroup(b"few"), founder, ANYTHING, seeded("branch"))


def test_a_group_goes_on_under_another_suite() -> None:
    ana, luis, _ = ended("Ana", "Luis", "Eva")
    made = successor(ana, "Luis", "Eva")
    assert made.welcome is not None
    joined = join_successor(luis, made.welcome, key_package("Luis", P256), ANYTHING)
    assert agree([made.after, joined])
    assert joined.context.group_id == b"second"
    assert joined.suite.id == 2


def test_a_group_that_was_ended_says_nothing_more() -> None:
    ana, luis = ended("Ana", "Luis")
    with pytest.raises(MisuseError):
        protect(ana, b"", seeded(""))
    with pytest.raises(MisuseError):
        make(ana)
    open_again = replace(ana, epoch=replace(ana.epoch, reinit=None))
    with refused(Rule.REINIT_PENDING):
        receive(luis, make(open_again).message, ANYTHING)


def test_nothing_succeeds_a_group_that_goes_on() -> None:
    ana, luis = group_of("Ana", "Luis")
    with pytest.raises(MisuseError):
        successor(ana, "Luis")
    made = successor(ended("Ana", "Luis")[0], "Luis")
    assert made.welcome is not None
    with pytest.raises(MisuseError):
        join_successor(luis, made.welcome, key_package("Luis", P256), ANYTHING)


def test_the_founder_brings_the_suite_that_was_announced() -> None:
    ana, _ = ended("Ana", "Luis")
    founder = Founder(identity("Ana"), ALWAYS, [])
    with pytest.raises(MisuseError):
        reinitialize(ana, founder, ANYTHING, seeded(""))


def test_a_successor_is_what_was_announced() -> None:
    ana, luis = ended("Ana", "Luis")
    other = replace(
        ana, epoch=replace(ana.epoch, reinit=replace(REINIT, group_id=b"x"))
    )
    made = successor(other, "Luis")
    assert made.welcome is not None
    with refused(Rule.SUCCESSOR_PARAMETERS):
        join_successor(luis, made.welcome, key_package("Luis", P256), ANYTHING)


def test_a_successor_leaves_nobody_behind() -> None:
    ana, luis, _ = ended("Ana", "Luis", "Eva")
    made = successor(ana, "Luis")
    assert made.welcome is not None
    with refused(Rule.SUCCESSOR_MEMBERS):
        join_successor(luis, made.welcome, key_package("Luis", P256), ANYTHING)


def test_a_successor_continues_the_epoch_that_ended_the_group() -> None:
    ana, luis = ended("Ana", "Luis")
    made = successor(ana, "Luis")
    assert made.welcome is not None
    later = replace(luis.epoch, context=replace(luis.context, epoch=9))
    with refused(Rule.WELCOME_PSKS):
        join_successor(
            replace(luis, epoch=later),
            made.welcome,
            key_package("Luis", P256),
            ANYTHING,
        )


def test_a_successor_opens_with_the_secret_of_its_group_only() -> None:
    ana, luis = ended("Ana", "Luis")
    made = successor(ana, "Luis")
    assert made.welcome is not None
    elsewhere = replace(luis.epoch.secrets, resumption_psk=luis.epoch_authenticator)
    with refused(Rule.WELCOME_SECRETS):
        join_successor(
            replace(luis, epoch=replace(luis.epoch, secrets=elsewhere)),
            made.welcome,
            key_package("Luis", P256),
            ANYTHING,
        )


def test_some_members_form_a_subgroup() -> None:
    ana, luis, _ = group_of("Ana", "Luis", "Eva")
    made = subgroup(ana, "Luis")
    assert made.welcome is not None
    joined = join_branch(luis, made.welcome, key_package("Luis", number=1), ANYTHING)
    assert agree([made.after, joined])


def test_a_subgroup_has_members_of_its_group_only() -> None:
    ana, luis = group_of("Ana", "Luis")
    made = subgroup(ana, "Luis", "Eva")
    assert made.welcome is not None
    mine = key_package("Luis", number=1)
    with refused(Rule.SUCCESSOR_MEMBERS):
        join_branch(luis, made.welcome, mine, ANYTHING)
    joined = join_branch(luis, made.welcome, mine, ANYTHING, lambda _leaf: "anybody")
    assert agree([made.after, joined])


def test_a_subgroup_keeps_the_suite() -> None:
    ana, _ = group_of("Ana", "Luis")
    founder = Founder(identity("Ana", P256), ALWAYS, [])
    with pytest.raises(MisuseError):
        branch(ana, NewGroup(b"few"), founder, ANYTHING, seeded(""))


def test_a_subgroup_of_another_suite_is_refused() -> None:
    ana, luis = group_of("Ana", "Luis")
    converted = replace(ana, epoch=replace(ana.epoch, suite=P256.suite))
    package = key_package("Luis", P256)
    founder = Founder(identity("Ana", P256), ALWAYS, [package.key_package])
    made = branch(converted, NewGroup(b"few"), founder, ANYTHING, seeded("other"))
    assert made.welcome is not None
    with refused(Rule.SUCCESSOR_PARAMETERS):
        join_branch(luis, made.welcome, package, ANYTHING)


def test_a_plain_join_refuses_a_group_that_continues_another() -> None:
    ana, _ = group_of("Ana", "Luis")
    made = subgroup(ana, "Luis")
    assert made.welcome is not None
    with refused(Rule.WELCOME_PSKS):
        join(made.welcome, key_package("Luis", number=1), ANYTHING)


def test_a_subgroup_is_joined_at_its_first_epoch() -> None:
    ana, luis = group_of("Ana", "Luis")
    first = subgroup(ana)
    again = Founder(
        identity("Ana"), ALWAYS, [key_package("Luis", number=1).key_package]
    )
    late = _continue_later(ana, first.after, again)
    assert late.welcome is not None
    with refused(Rule.WELCOME_PSKS):
        join_branch(luis, late.welcome, key_package("Luis", number=1), ANYTHING)


def _continue_later(old: Group, group: Group, founder: Founder) -> Committed:
    """Commit what the first commit of a branch does, in its second epoch."""
    psk = ResumptionPSK(
        ResumptionPSKUsage.BRANCH, old.context.group_id, old.context.epoch
    )
    psk_id = new_psk_id(group.suite, psk, seeded("late"))
    plan = CommitPlan(
        proposals=[*map(Add, founder.members), PreSharedKey(psk_id)],
        psks={psk: old.epoch.secrets.resumption_psk},
        continues=ResumptionPSKUsage.BRANCH,
    )
    return commit(group, plan, ANYTHING, seeded("late commit"))


def test_clients_are_told_apart_by_credential() -> None:
    ana, luis = group_of("Ana", "Luis")
    assert by_credential(ana.leaf) == by_credential(luis.leaf_of(0))
    assert by_credential(ana.leaf) != by_credential(luis.leaf)
