"""Any life of a group keeps its members together and those it removed outside."""

from collections.abc import Callable, Collection
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tertulia import mls
from tertulia.crypto import CipherSuite
from tertulia.errors import TertuliaError
from tertulia.mls.private_message import open_private_message
from tertulia.mls.secret_tree import RatchetKind, SecretTree
from tests.properties.mls_life import (
    EXTENSION_TYPE,
    PSK,
    SUITES,
    Life,
    Person,
    ancestors_of_a_key,
    require_refusal,
)

MOST_MEMBERS = 50
STEPS = 12

ANY_SUITE = st.sampled_from(SUITES)
NUMBER = st.integers(0, MOST_MEMBERS - 1)
FEW = st.integers(1, 4)
BOOLEAN = st.booleans()
FRAMING = st.sampled_from(
    (mls.PUBLIC, mls.Framing(authenticated_data=b"data", padding=9))
)
EXTENSIONS = st.sampled_from(
    (
        (),
        (mls.Extension(EXTENSION_TYPE, b"policy"),),
        (
            mls.required_capabilities_extension(
                mls.RequiredCapabilities(extension_types=(EXTENSION_TYPE,))
            ),
        ),
    )
)


class RandomLife(RuleBasedStateMachine):
    """What may happen to a group, in any order; numbers stand for members."""

    @initialize(
        seed=st.integers(0, 2**32),
        suite=ANY_SUITE,
        size=st.sampled_from((1, 2, 3, 4, 5, 7, 8, 9, 16, 30)),
    )
    def found(self, seed: int, suite: CipherSuite, size: int) -> None:
        self.life = Life(Random(seed), suite)
        if size > 1:
            self._add(self.life.people[0], size - 1, mls.PUBLIC, path=False)

    def _one(
        self, number: int, suits: Callable[[Person], bool] = lambda _: True
    ) -> Person | None:
        fitting = [person for person in self.life.people if suits(person)]
        return fitting[number % len(fitting)] if fitting else None

    def _committer(self, number: int) -> Person | None:
        return self._one(number, self.life.may_commit)

    @property
    def _room(self) -> int:
        return MOST_MEMBERS - len(self.life.people)

    def _commit(
        self,
        number: int,
        proposals: list[mls.Proposal],
        framing: mls.Framing,
        *,
        path: bool = True,
        renew: bool = False,
    ) -> None:
        committer = self._committer(number)
        if committer is None or self.life.joining:
            return
        identity = self.life.identity() if renew else None
        made = self.life.make_commit(
            committer, proposals, framing, path=path, new_identity=identity
        )
        self.life.carry_out(committer, made)

    def _add(
        self, committer: Person, count: int, framing: mls.Framing, *, path: bool
    ) -> None:
        joiners = self.life.key_packages(count)
        adds = [mls.Add(joiner.key_package) for joiner in joiners]
        made = self.life.make_commit(committer, adds, framing, path=path)
        self.life.carry_out(committer, made, joiners)

    @rule(number=NUMBER, count=FEW, framing=FRAMING, path=BOOLEAN)
    def add(self, number: int, count: int, framing: mls.Framing, *, path: bool) -> None:
        committer = self._committer(number)
        if committer is not None and self._room >= count:
            self._add(committer, count, framing, path=path)

    @rule(number=NUMBER, proposer=NUMBER, count=FEW, framing=FRAMING, own=BOOLEAN)
    def add_by_reference(
        self, number: int, proposer: int, count: int, framing: mls.Framing, *, own: bool
    ) -> None:
        committer = self._committer(number)
        speaker = self._one(proposer)
        if committer is None or speaker is None or self._room < count:
            return
        joiners = self.life.key_packages(count)
        for joiner in joiners:
            if own:
                self.life.propose_from_outside(joiner)
            else:
                self.life.propose(speaker, mls.Add(joiner.key_package), framing)
        made = self.life.make_commit(committer, (), framing)
        self.life.carry_out(committer, made, joiners)

    @rule(
        number=NUMBER, leavers=st.sets(NUMBER, min_size=1, max_size=5), framing=FRAMING
    )
    def remove(self, number: int, leavers: set[int], framing: mls.Framing) -> None:
        committer = self._committer(number)
        leaving = {self._one(leaver, self.life.may_commit) for leaver in leavers}
        proposals: list[mls.Proposal] = [
            mls.Remove(person.leaf)
            for person in leaving
            if person is not None and person is not committer
        ]
        self._commit(number, proposals, framing)

    @rule(number=NUMBER, leaver=NUMBER, framing=FRAMING)
    def propose_remove(self, number: int, leaver: int, framing: mls.Framing) -> None:
        proposer, leaving = self._one(number), self._one(leaver, self.life.may_commit)
        if proposer is not None and leaving is not None and len(self.life.people) > 2:
            self.life.propose(proposer, mls.Remove(leaving.leaf), framing)

    @rule(number=NUMBER, framing=FRAMING)
    def propose_update(self, number: int, framing: mls.Framing) -> None:
        proposer = self._committer(number)
        if proposer is not None:
            self.life.propose_update(proposer, framing)

    @rule(number=NUMBER, framing=FRAMING, extensions=EXTENSIONS)
    def propose_extensions(
        self, number: int, framing: mls.Framing, extensions: mls.Extensions
    ) -> None:
        if not self._has_pending(mls.GroupContextExtensions):
            proposer = self.life.people[number % len(self.life.people)]
            proposal = mls.GroupContextExtensions(extensions)
            self.life.propose(proposer, proposal, framing)

    def _has_pending(self, kind: type[mls.Proposal]) -> bool:
        pending = self.life.pending.values()
        return any(isinstance(item.sent.proposal, kind) for item in pending)

    @rule(number=NUMBER, framing=FRAMING, renew=BOOLEAN)
    def heal(self, number: int, framing: mls.Framing, *, renew: bool) -> None:
        self._commit(number, [], framing, renew=renew)

    @rule(number=NUMBER, framing=FRAMING, extensions=EXTENSIONS)
    def set_extensions(
        self, number: int, framing: mls.Framing, extensions: mls.Extensions
    ) -> None:
        if not self._has_pending(mls.GroupContextExtensions):
            proposal = mls.GroupContextExtensions(extensions)
            self._commit(number, [proposal], framing)

    @rule(number=NUMBER, framing=FRAMING, path=BOOLEAN, back=st.integers(0, 4))
    def mix_in_psks(
        self, number: int, framing: mls.Framing, back: int, *, path: bool
    ) -> None:
        epoch = max(self.life.epoch - back, self.life.common_epoch)
        resumption = mls.ResumptionPSK(
            mls.ResumptionPSKUsage.APPLICATION, b"group", epoch
        )
        proposals: list[mls.Proposal] = [
            mls.PreSharedKey(mls.new_psk_id(self.life.suite, psk, self.life.rng))
            for psk in (PSK, resumption, PSK)
        ]
        self._commit(number, proposals, framing, path=path)

    @rule(number=NUMBER, psk=BOOLEAN)
    def join_from_outside(self, number: int, *, psk: bool) -> None:
        informant = self._one(number)
        if informant is not None and self._room:
            self.life.join_from_outside(informant, psk=psk)

    @precondition(lambda self: len(self.life.people) > 1)
    @rule(number=NUMBER, told_by=NUMBER, psk=BOOLEAN)
    def join_again(self, number: int, told_by: int, *, psk: bool) -> None:
        member = self.life.people[number % len(self.life.people)]
        others = self.life.others(member)
        informant = others[told_by % len(others)]
        self.life.join_from_outside(informant, psk=psk, replaces=member)

    @rule(winner=NUMBER, loser=NUMBER, framing=FRAMING)
    def race(self, winner: int, loser: int, framing: mls.Framing) -> None:
        """Two commit at once: one is accepted, and both old states stay usable."""
        first = self._committer(winner)
        second = self._one(
            loser, lambda person: person is not first and self.life.may_commit(person)
        )
        if first is None or second is None or self.life.joining:
            return
        made = self.life.make_commit(first, (), framing)
        refused = self.life.make_commit(second, (), framing)
        if not self.life.pending:
            self.life.talk([first, second], 2, lost=0)
        self.life.carry_out(first, made)
        for person in self.life.people[:3]:
            require_refusal(person, mls.encode_message(refused.message))

    @rule(number=NUMBER, framing=FRAMING, place=st.floats(0, 1, exclude_max=True))
    def tamper(self, number: int, framing: mls.Framing, place: float) -> None:
        """A commit that was changed on the way is refused; the true one is taken."""
        committer = self._committer(number)
        if committer is None or self.life.joining:
            return
        made = self.life.make_commit(committer, (), framing)
        forged = bytearray(mls.encode_message(made.message))
        forged[int(place * len(forged))] ^= 1
        for person in self.life.others(committer):
            with pytest.raises(TertuliaError):
                person.receive(bytes(forged))
        self.life.carry_out(committer, made)

    @precondition(lambda self: not self.life.pending)
    @rule(
        speakers=st.lists(NUMBER, min_size=1, max_size=3),
        count=st.integers(1, 6),
        lost=st.integers(0, 2),
    )
    def talk(self, speakers: list[int], count: int, lost: int) -> None:
        people = self.life.people
        senders = [people[number % len(people)] for number in speakers]
        self.life.talk(senders, count, lost)

    @rule(number=NUMBER)
    def resume(self, number: int) -> None:
        self.life.people[number % len(self.life.people)].resume()

    @invariant()
    def stores_hold_what_members_know(self) -> None:
        for person in (self.life.people[0], self.life.people[-1]):
            person.resume()


every_suite = pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)


def test_any_life_keeps_members_together_and_the_removed_outside() -> None:
    run_state_machine_as_test(
        RandomLife,
        settings=settings(
            stateful_step_count=STEPS,
            derandomize=False,
            print_blob=True,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )


@every_suite
def test_fifty_members_live_through_it(suite: CipherSuite) -> None:
    life = Life(Random(50), suite)
    joiners = life.key_packages(MOST_MEMBERS - 1)
    adds = [mls.Add(joiner.key_package) for joiner in joiners]
    founder = life.people[0]
    made = life.make_commit(founder, adds, mls.PUBLIC, path=False)
    life.carry_out(founder, made, joiners)
    for person in life.people[::5]:
        life.carry_out(person, life.make_commit(person))
    leavers = [mls.Remove(person.leaf) for person in life.people[10:40]]
    life.carry_out(founder, life.make_commit(founder, leavers, mls.PUBLIC))
    life.talk(life.people[:3], 9, lost=2)
    assert len(life.people) == MOST_MEMBERS - len(leavers)


# Forward secrecy ---------------------------------------------------------------------


@given(
    seed=st.integers(0, 2**32),
    suite=ANY_SUITE,
    order=st.lists(st.integers(0, 12), min_size=1, max_size=8, unique=True),
)
def test_a_message_that_was_read_can_never_be_read_again(
    seed: int, suite: CipherSuite, order: list[int]
) -> None:
    """Neither its key nor anything that it derives from is left in the store."""
    life = Life(Random(seed), suite)
    joiners = life.key_packages(4)
    adds = [mls.Add(joiner.key_package) for joiner in joiners]
    sender, kind = life.people[0], RatchetKind.APPLICATION
    life.carry_out(sender, life.make_commit(sender, adds), joiners)
    fresh = sender.group.traffic.secret_tree
    messages = []
    for number in range(1 + max(order)):
        group, message = mls.protect(sender.group, b"text", life.rng)
        sender.go_on(group)
        messages.append(mls.encode_message(message))
        for secret in ancestors_of_a_key(suite, fresh, sender.leaf, kind, number):
            assert not sender.store.holds(secret.reveal())
    reader = life.people[2]
    for number in order:
        before = reader.group.traffic.secret_tree
        used = ancestors_of_a_key(suite, before, sender.leaf, kind, number)
        received = reader.receive(messages[number])
        assert isinstance(received, mls.ReceivedApplication)
        assert reader.store.holds(used[0].reveal()) == (number in _kept(before, sender))
        reader.go_on(received.group)
        for secret in used:
            assert not reader.store.holds(secret.reveal())
        require_refusal(reader, messages[number])


def _kept(tree: SecretTree, sender: Person) -> Collection[int]:
    """The generations whose keys were skipped and wait for their messages."""
    ratchet = tree.ratchets.get((sender.leaf, RatchetKind.APPLICATION))
    return () if ratchet is None else ratchet.skipped


@every_suite
def test_messages_of_an_epoch_that_is_over_cannot_be_read(suite: CipherSuite) -> None:
    """Not by force either: the old epoch's secrets are gone from the store."""
    life = Life(Random(7), suite)
    joiners = life.key_packages(3)
    adds = [mls.Add(joiner.key_package) for joiner in joiners]
    founder = life.people[0]
    life.carry_out(founder, life.make_commit(founder, adds), joiners)
    group, message = mls.protect(founder.group, b"text", life.rng)
    founder.go_on(group)
    life.carry_out(life.people[1], life.make_commit(life.people[1]))
    for person in life.people:
        require_refusal(person, mls.encode_message(message))
        with pytest.raises(mls.InvalidError, match="does not open"):
            open_private_message(
                suite, person.store.load().private_message_keys(), message
            )
