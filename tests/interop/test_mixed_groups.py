"""Our engine in one group with the oracles: each offer one by one, then random lives."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from typing_extensions import override

from tertulia import mls
from tests.interop.mixed_life import (
    EXTENSIONS,
    PSK,
    PSK_ID,
    PUBLIC,
    RESUMABLE_EPOCHS,
    MixedLife,
    Person,
    tally_table,
)
from tests.interop.oracles.availability import MLS_RS, TS_MLS, engine
from tests.interop.oracles.groups import (
    carry_out,
    found,
    leaf_of,
    require_agreement,
    require_delivery,
)
from tests.interop.oracles.offers import OPERATIONS, PANIC, Operation, Status
from tests.interop.oracles.oracle import (
    Add,
    Engine,
    EpochEntered,
    Extension,
    ExternalPsk,
    Framing,
    GroupContextExtensions,
    Proposal,
    Refused,
    Remove,
    ResumptionPsk,
    Sending,
    Unsupported,
    Update,
)
from tests.interop.oracles.ours import OURS, OurMember, Ours
from tests.interop.oracles.probes import PROBES

Engines: TypeAlias = Mapping[str, Engine]

NAMES = (OURS, MLS_RS, TS_MLS)
VERSATILE = (OURS, TS_MLS)
PRIVATE = Sending(framing=Framing.PRIVATE, authenticated_data=b"authenticated")

STEPS = 30
NUMBER = st.integers(0, 6)
BOOLEAN = st.booleans()
ENGINE = st.sampled_from(NAMES)
VERSATILE_ENGINE = st.sampled_from(VERSATILE)
SENDING = st.sampled_from((PUBLIC, PRIVATE))


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    with engine(MLS_RS) as mls_rs, engine(TS_MLS) as ts_mls:
        yield {OURS: Ours(), MLS_RS: mls_rs, TS_MLS: ts_mls}


# Offer by offer ----------------------------------------------------------------------

PAIRS = ((OURS, OURS), (OURS, MLS_RS), (OURS, TS_MLS), (MLS_RS, OURS), (TS_MLS, OURS))

# Where ours cannot show what it does because of what the other one is or does, and
# where ours says in its own words what is wrong with the other's.
EXCEPTIONS = {
    ("external join with a PSK", OURS, MLS_RS): "there is no PSK store",
    ("propose GroupContextExtensions", OURS, TS_MLS): "path-required",
    ("commit GroupContextExtensions", TS_MLS, OURS): "path-required",
}


def test_ours_takes_part_in_all_that_any_engine_offers(engines: Engines) -> None:
    """Shows the table with -s: what became of each operation, ours on either side."""
    lines = [" | ".join(["operation", *(f"{a} with {b}" for a, b in PAIRS)])]
    unexpected = []
    for operation in OPERATIONS:
        cells = [operation.name]
        for pair in PAIRS:
            outcome = _outcome(operation, *(engines[name] for name in pair))
            cells.append(outcome.partition(":")[0])
            if not re.search(_expected(operation, *pair), outcome):
                unexpected.append((operation.name, *pair, outcome))
        lines.append(" | ".join(cells))
    print("", *lines, sep="\n")  # noqa: T201 - for people
    assert not unexpected


def _outcome(operation: Operation, subject: Engine, witness: Engine) -> str:
    if subject.name != OURS and operation.offer_of(subject.name).refusal == PANIC:
        return f"kills it, as test_oracles.py shows: {PANIC}"
    try:
        PROBES[operation.name](subject, witness)
    except Unsupported as unsupported:
        return f"not offered: {unsupported}"
    except Refused as refused:
        return f"refused: {refused}"
    return "done"


def _expected(operation: Operation, subject: str, witness: str) -> str:
    """A pattern for the outcome."""
    exception = EXCEPTIONS.get((operation.name, subject, witness))
    if exception is not None:
        return exception
    if subject == OURS:
        return "^done"
    offer = operation.offer_of(subject)
    return {Status.NOT_OFFERED: "^not offered", Status.WRONG: offer.refusal}.get(
        offer.status, "^done"
    )


def test_a_commit_of_extensions_without_a_path_is_refused_by_its_rule(
    engines: Engines,
) -> None:
    """ts-mls makes it so (section 12.4); the group goes on without it."""
    alice, bob = engines[TS_MLS].member(b"alice"), engines[OURS].member(b"bob")
    found(alice, bob)
    proposal = GroupContextExtensions(EXTENSIONS[0])
    with pytest.raises(Refused) as caught:
        bob.process(alice.commit((proposal,), PUBLIC).commit)
    assert isinstance(caught.value.__cause__, mls.InvalidError)
    assert caught.value.__cause__.rule is mls.Rule.PATH_REQUIRED
    alice.clear_pending_commit()
    carry_out(bob, (alice,), proposal)
    require_agreement(alice, bob)


def test_a_path_under_the_wrong_extensions_leaves_ours_out_of_step(
    engines: Engines,
) -> None:
    """ts-mls encrypts it under the old GroupContext (section 12.4.2)."""
    alice, carol = (engines[TS_MLS].member(name) for name in (b"alice", b"carol"))
    bob = engines[OURS].member(b"bob")
    found(alice, bob, carol)
    proposals = GroupContextExtensions(EXTENSIONS[0]), Remove(leaf_of(carol, alice))
    with pytest.raises(Refused) as caught:
        bob.process(alice.commit(proposals, PUBLIC).commit)
    assert isinstance(caught.value.__cause__, mls.OutOfStepError)


@pytest.mark.parametrize("name", [MLS_RS, TS_MLS])
def test_bytes_after_a_message_are_refused(engines: Engines, name: str) -> None:
    """The oracles ignore them; ours does not (section 6)."""
    alice, bob = engines[name].member(b"alice"), engines[OURS].member(b"bob")
    found(alice, bob)
    with pytest.raises(Refused):
        bob.process(alice.send(b"text") + b"trailing")


@pytest.mark.parametrize("name", [OURS, MLS_RS])
def test_a_tree_whose_left_half_is_empty(engines: Engines, name: str) -> None:
    """Its root is not on a filtered direct path (section 4.1.2); ts-mls disagrees."""
    alice, bob, carol, dave = (
        engines[engine].member(person)
        for engine, person in (
            (OURS, b"alice"),
            (OURS, b"bob"),
            (name, b"carol"),
            (OURS, b"dave"),
        )
    )
    found(alice, bob, carol, dave)
    carry_out(carol, (dave, alice), Remove(leaf_of(bob, alice)))
    carry_out(carol, (dave,), Remove(leaf_of(alice, carol)))
    carry_out(dave, (carol,))
    require_agreement(carol, dave)
    require_delivery(carol, dave)


def test_a_wrong_psk_forks_nobody(engines: Engines) -> None:
    """Who holds another key under the same name refuses the commit and stays."""
    alice, bob = engines[TS_MLS].member(b"alice"), engines[OURS].member(b"bob")
    found(alice, bob)
    alice.add_external_psk(PSK_ID, PSK)
    bob.add_external_psk(PSK_ID, b"another psk")
    with pytest.raises(Refused, match="confirmation-tag"):
        bob.process(alice.commit((ExternalPsk(PSK_ID),), PUBLIC).commit)
    alice.clear_pending_commit()
    require_agreement(alice, bob)


def test_ours_refuses_a_bare_external_pub(engines: Engines) -> None:
    """ts-mls leaves out the length of the key (section 12.4.3.2)."""
    alice, bob = engines[TS_MLS].member(b"alice"), engines[OURS].member(b"bob")
    alice.create_group(b"group")
    group_info = alice.group_info(external_pub=True, ratchet_tree=True)
    with pytest.raises(Refused, match="malformed encoding"):
        bob.external_join(group_info)


def test_ts_mls_joins_our_group_once_told_the_key_in_its_way(engines: Engines) -> None:
    alice = engines[OURS].member(b"alice")
    carol = engines[OURS].member(b"carol")
    bob = engines[TS_MLS].member(b"bob")
    found(alice, carol)
    with pytest.raises(Refused, match="Invalid public key"):
        bob.external_join(alice.group_info(external_pub=True, ratchet_tree=True))
    assert isinstance(alice, OurMember)
    commit = bob.external_join(_in_the_way_of_ts_mls(alice.group))
    for member in (alice, carol):
        assert member.process(commit) == EpochEntered()
    bob.apply_pending_commit()
    require_agreement(alice, bob, carol)
    require_delivery(bob, alice, carol)


def _in_the_way_of_ts_mls(group: mls.Group) -> bytes:
    """A GroupInfo whose external_pub is the bare key."""
    told = mls.make_group_info(group)
    extensions = tuple(
        replace(extension, extension_data=extension.extension_data[1:])
        if extension.extension_type == mls.ExtensionType.EXTERNAL_PUB
        else extension
        for extension in told.extensions
    )
    resigned = replace(told, extensions=extensions).sign(
        group.suite, group.epoch.signature_key
    )
    return mls.encode_message(resigned)


# Step by step ------------------------------------------------------------------------


def test_every_step_in_every_engine_that_offers_it(engines: Engines) -> None:
    """Shows the tally with -s."""
    life = MixedLife(engines)
    for name in NAMES:
        life.found(life.new_person(name))
    people = {name: life.new_person(name) for name in NAMES}
    life.found(people[OURS])
    life.commit(people[OURS], joiners=[people[MLS_RS], people[TS_MLS]])
    for person in list(people.values()):
        _steps_of_all(life, person)
    life.commit(people[OURS], [Remove(people[MLS_RS].leaf)])
    for name in VERSATILE:
        _steps_of_the_versatile(life, people[name], people[_other(name)])
    print("", tally_table(life.tally), sep="\n")  # noqa: T201 - for people
    steps = {step for step, _ in life.tally}
    taken = {step for step in steps if life.tally[step, TS_MLS]}
    assert all(life.tally[step, OURS] for step in steps)
    assert steps - taken == ONLY_OURS
    life.close()


# What ts-mls does not offer or does wrong.
ONLY_OURS = {
    "commit GroupContextExtensions by value",
    "commit GroupContextExtensions by reference",
    "external join with a PSK",
}


def _other(name: str) -> str:
    return TS_MLS if name == OURS else OURS


def _steps_of_all(life: MixedLife, person: Person) -> None:
    other = life.others(person)[0]
    life.talk(person, (2, 0), b"authenticated")
    life.reload(person)
    life.commit(person)
    joiner = life.new_person(_other(person.engine))
    life.propose_add(person, joiner)
    life.commit(person)
    life.propose(person, Remove(joiner.leaf))
    life.commit(person)
    life.race(other, person)
    joiner = life.new_person(person.engine)
    life.commit(person, joiners=[joiner])
    life.commit(person, [Remove(joiner.leaf)])


def _steps_of_the_versatile(life: MixedLife, person: Person, other: Person) -> None:
    life.clear(person)
    life.propose(person, Update(), PRIVATE)
    life.propose(person, ExternalPsk(PSK_ID), PUBLIC)
    life.commit(other, sending=PRIVATE)
    life.commit(person, [ExternalPsk(PSK_ID), ResumptionPsk(life.epoch - 1)], PRIVATE)
    life.propose(person, ResumptionPsk(life.epoch - 1), PUBLIC)
    life.commit(person, sending=PUBLIC)
    ours = next(member for member in life.people if member.engine == OURS)
    life.propose(person, GroupContextExtensions(EXTENSIONS[0]))
    life.commit(ours)
    life.commit(ours, [GroupContextExtensions(EXTENSIONS[1])])
    joiner = life.new_person(person.engine)
    life.propose_own_add(joiner, other)
    life.commit(person)
    life.commit(person, [Remove(joiner.leaf)], PRIVATE)
    for tree_inside in (True, False):
        joiner = life.new_person(person.engine)
        life.join_from_outside(
            joiner, person, tree_inside=tree_inside, psk=person.engine == OURS
        )
        life.commit(person, [Remove(joiner.leaf)], PUBLIC)
    joiner = life.new_person(_other(person.engine), tree_in_welcome=False)
    life.commit(person, joiners=[joiner])
    apart = life.new_person(person.engine)
    life.commit(joiner, joiners=[apart])
    for guest in (joiner, apart):
        life.commit(person, [Remove(guest.leaf)])
    peer = life.new_person(person.engine)
    life.commit(person, joiners=[peer])
    life.join_from_outside(person, peer, authenticated_data=b"authenticated")
    life.commit(person, [Remove(peer.leaf)])
    life.branch(person, other)
    life.reinitialise(person)


# Random lives ------------------------------------------------------------------------


class RandomLife(RuleBasedStateMachine):
    """What may happen to a group, in any order; numbers stand for people."""

    def __init__(self, engines: Engines, tally: Counter[tuple[str, str]]) -> None:
        super().__init__()
        self.life = MixedLife(engines, tally)

    @initialize(
        name=ENGINE,
        others=st.lists(ENGINE, min_size=2, max_size=4),
        apart=BOOLEAN,
        always_path=BOOLEAN,
    )
    def found(
        self, name: str, others: list[str], *, apart: bool, always_path: bool
    ) -> None:
        founder = self.life.new_person(
            name, tree_in_welcome=not apart, always_path=always_path
        )
        self.life.found(founder)
        joiners = [self.life.new_person(other) for other in others]
        self.life.commit(founder, joiners=joiners)

    # Whom a number stands for, among those of whom something is true; else nobody.
    def _one(
        self, number: int, suits: Callable[[Person], bool] = lambda _: True
    ) -> Person | None:
        fitting = [person for person in self.life.people if suits(person)]
        return fitting[number % len(fitting)] if fitting else None

    def _versatile(self, number: int) -> Person | None:
        return self._one(number, lambda person: person.engine != MLS_RS)

    def _committer(self, number: int) -> Person | None:
        return self._one(number, self.life.may_commit)

    @rule(
        number=NUMBER,
        name=ENGINE,
        sending=SENDING,
        apart=BOOLEAN,
        always_path=BOOLEAN,
    )
    def add(
        self,
        number: int,
        name: str,
        sending: Sending,
        *,
        apart: bool,
        always_path: bool,
    ) -> None:
        committer = self._committer(number)
        if committer is not None and self.life.may_join(name):
            joiner = self.life.new_person(
                name, tree_in_welcome=not apart, always_path=always_path
            )
            self.life.commit(committer, (), sending, [joiner])

    @rule(number=NUMBER, leaver=NUMBER, sending=SENDING)
    def remove(self, number: int, leaver: int, sending: Sending) -> None:
        committer = self._committer(number)
        removed = self._one(
            leaver, lambda it: it is not committer and self.life.may_leave(it)
        )
        if committer is not None and removed is not None:
            self.life.commit(committer, [Remove(removed.leaf)], sending)

    @precondition(lambda self: self.life.ghosts)
    @rule(number=NUMBER)
    def remove_a_ghost(self, number: int) -> None:
        committer = self._committer(number)
        if committer is not None:
            seats = committer.oracle.members()
            leaf = next(s.leaf_index for s in seats if s.identity in self.life.ghosts)
            if self.life.may_blank(leaf):
                self.life.commit(committer, [Remove(leaf)])

    @rule(number=NUMBER, sending=SENDING)
    def heal(self, number: int, sending: Sending) -> None:
        committer = self._committer(number)
        if committer is not None:
            self.life.commit(committer, (), sending)

    @precondition(lambda self: not self.life.has(MLS_RS))
    @rule(number=NUMBER, sending=SENDING, back=st.integers(0, RESUMABLE_EPOCHS))
    def mix_in_psks(self, number: int, sending: Sending, back: int) -> None:
        committer = self._committer(number)
        if committer is None:
            return
        proposals: list[Proposal] = [ExternalPsk(PSK_ID)]
        epoch = self.life.epoch - back
        if epoch >= self.life.common_epoch and not self.life.joining:
            proposals.append(ResumptionPsk(epoch))
        self.life.commit(committer, proposals, sending)

    @rule(number=NUMBER, sending=SENDING, choice=st.sampled_from(EXTENSIONS))
    def set_extensions(
        self, number: int, sending: Sending, choice: tuple[Extension, ...]
    ) -> None:
        committer = self._one(
            number, lambda it: it.engine == OURS and self.life.may_commit(it)
        )
        if committer is not None and not self.life.proposes(GroupContextExtensions):
            self.life.commit(committer, [GroupContextExtensions(choice)], sending)

    @rule(number=NUMBER, name=ENGINE, sending=SENDING)
    def propose_add(self, number: int, name: str, sending: Sending) -> None:
        proposer = self._one(number)
        if proposer is not None and self.life.may_join(name):
            self.life.propose_add(proposer, self.life.new_person(name), sending)

    @rule(number=NUMBER, leaver=NUMBER, sending=SENDING)
    def propose_remove(self, number: int, leaver: int, sending: Sending) -> None:
        proposer = self._one(number)
        removed = self._one(leaver, self.life.may_leave)
        if proposer is None or removed is None or proposer is removed:
            return
        self.life.propose(proposer, Remove(removed.leaf), sending)

    @rule(number=NUMBER, sending=SENDING)
    def propose_update(self, number: int, sending: Sending) -> None:
        proposer = self._one(
            number, lambda it: it.engine != MLS_RS and self.life.may_change(it.leaf)
        )
        if proposer is not None:
            self.life.propose(proposer, Update(), sending)

    @precondition(
        lambda self: (
            not self.life.has(MLS_RS) and not self.life.proposes(Add, ExternalPsk)
        )
    )
    @rule(number=NUMBER, sending=SENDING)
    def propose_psk(self, number: int, sending: Sending) -> None:
        proposer = self._one(number)
        if proposer is not None:
            self.life.propose(proposer, ExternalPsk(PSK_ID), sending)

    @precondition(lambda self: not self.life.proposes(GroupContextExtensions))
    @rule(number=NUMBER, sending=SENDING, choice=st.sampled_from(EXTENSIONS))
    def propose_extensions(
        self, number: int, sending: Sending, choice: tuple[Extension, ...]
    ) -> None:
        proposer = self._versatile(number)
        if proposer is not None:
            self.life.propose(proposer, GroupContextExtensions(choice), sending)

    @precondition(lambda self: not self.life.has(MLS_RS))
    @rule(number=NUMBER, name=VERSATILE_ENGINE)
    def propose_own_add(self, number: int, name: str) -> None:
        informant = self._one(number)
        if informant is not None and self.life.may_join(name):
            self.life.propose_own_add(self.life.new_person(name), informant)

    @rule(number=NUMBER, name=VERSATILE_ENGINE, tree_inside=BOOLEAN, psk=BOOLEAN)
    def join_from_outside(
        self, number: int, name: str, *, tree_inside: bool, psk: bool
    ) -> None:
        informant = self._one(number, lambda it: it.engine == name)
        if informant is not None and self.life.has_room:
            self.life.join_from_outside(
                self.life.new_person(name),
                informant,
                tree_inside=tree_inside,
                psk=psk and name == OURS and not self.life.has(MLS_RS),
                authenticated_data=b"authenticated" * tree_inside,
            )

    @rule(number=NUMBER, told_by=NUMBER)
    def join_again(self, number: int, told_by: int) -> None:
        person = self._versatile(number)
        if person is None:
            return
        informant = self._one(
            told_by, lambda it: it.engine == person.engine and it is not person
        )
        if informant is not None:
            self.life.join_from_outside(person, informant)

    @rule(winner=NUMBER, loser=NUMBER, sending=SENDING)
    def race(self, winner: int, loser: int, sending: Sending) -> None:
        first = self._committer(winner)
        second = self._one(
            loser, lambda it: it is not first and self.life.may_commit(it)
        )
        if first is not None and second is not None:
            self.life.race(first, second, sending)

    @rule(number=NUMBER)
    def clear(self, number: int) -> None:
        person = self._one(
            number, lambda it: it.engine != MLS_RS and self.life.may_commit(it)
        )
        if person is not None:
            self.life.clear(person)

    @precondition(lambda self: not self.life.proposed)
    @rule(
        number=NUMBER,
        order=st.lists(st.integers(0, 4), min_size=1, max_size=4, unique=True),
        authenticated_data=st.binary(max_size=20),
    )
    def talk(self, number: int, order: list[int], authenticated_data: bytes) -> None:
        sender = self._one(number)
        if sender is not None:
            self.life.talk(sender, order, authenticated_data)

    @rule(number=NUMBER)
    def reload(self, number: int) -> None:
        person = self._one(number, self.life.may_reload)
        if person is not None:
            self.life.reload(person)

    @rule(founder=NUMBER, joiner=NUMBER)
    def branch(self, founder: int, joiner: int) -> None:
        first = self._versatile(founder)
        second = self._one(joiner, lambda it: it.engine != MLS_RS and it is not first)
        if first is not None and second is not None:
            self.life.branch(first, second)

    @precondition(
        lambda self: (
            not self.life.has(MLS_RS)
            and not self.life.ghosts
            and not self.life.proposed
            and len(self.life.people) > 1
        )
    )
    @rule(number=NUMBER, sending=SENDING)
    def reinitialise(self, number: int, sending: Sending) -> None:
        committer = self._one(number)
        if committer is not None:
            self.life.reinitialise(committer, sending)

    @override
    def teardown(self) -> None:
        self.life.close()


def test_mixed_groups_agree_through_any_life(engines: Engines) -> None:
    """Shows with -s how often each step was taken."""
    tally: Counter[tuple[str, str]] = Counter()
    run_state_machine_as_test(
        lambda: RandomLife(engines, tally),  # type: ignore[arg-type]
        settings=settings(
            stateful_step_count=STEPS,
            derandomize=False,
            print_blob=True,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
    print("", tally_table(tally), sep="\n")  # noqa: T201 - for people
