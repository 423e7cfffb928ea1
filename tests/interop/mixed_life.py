"""The life of one group whose members are run by different engines.

Every step is one thing that can happen to a group. All members take part, and after
each change of the epoch all of them must agree on secrets, tree and members. The
predicates say what no engine's gap and no fault listed in `offers.py` stands in the way
of; a refusal that the list does not name is never hidden.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from tests.interop.oracles.availability import MLS_RS, TS_MLS
from tests.interop.oracles.groups import leaf_of, require_agreement
from tests.interop.oracles.offers import UNMERGED_LEAVES
from tests.interop.oracles.oracle import (
    AS_USUAL,
    Add,
    ApplicationMessage,
    CommitOutput,
    Engine,
    EpochEntered,
    Extension,
    ExternalPsk,
    Framing,
    GroupContextExtensions,
    GroupReInitialised,
    MemberRemoved,
    Oracle,
    Processed,
    Proposal,
    ProposalCached,
    Refused,
    ReInit,
    Remove,
    ResumptionPsk,
    Sending,
    Unsupported,
    Update,
    Usage,
)
from tests.interop.oracles.ours import OURS, OurMember

MOST_LEAVES = 7
PSK_ID = b"psk id"
PSK = b"a psk that every member was given"
PUBLIC = Sending(framing=Framing.PUBLIC)
# All engines keep this many past epochs' resumption secrets.
RESUMABLE_EPOCHS = 3

# Two required_capabilities that every leaf meets: nothing, and basic credentials.
EXTENSIONS = (
    (Extension(3, b"\x00\x00\x00"),),
    (Extension(3, b"\x00\x00\x02\x00\x01"),),
)


@dataclass(eq=False, slots=True)
class Person:
    """A member, or somebody outside, and the engine that runs it."""

    engine: str
    oracle: Oracle

    @property
    def identity(self) -> bytes:
        return self.oracle.identity

    @property
    def leaf(self) -> int:
        return leaf_of(self.oracle, self.oracle)


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal that all members hold."""

    proposer: Person
    proposal: Proposal
    joiner: Person | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that is still on its way to some members."""

    message: bytes
    text: bytes
    authenticated_data: bytes
    sender: Person
    readers: tuple[Person, ...]


@dataclass(slots=True)
class MixedLife:
    """A group, who is in it, and how often each engine took each step."""

    engines: Mapping[str, Engine]
    tally: Counter[tuple[str, str]] = field(default_factory=Counter)
    people: list[Person] = field(default_factory=list)
    # Leaves whose owners stayed out, by the fault of ts-mls.
    ghosts: set[bytes] = field(default_factory=set)
    proposed: list[Proposed] = field(default_factory=list)
    late: list[Letter] = field(default_factory=list)
    epoch: int = 0
    # The epoch in which somebody came in last.
    common_epoch: int = 0
    _oracles: list[Oracle] = field(default_factory=list)

    # What may be done ----------------------------------------------------------------

    def has(self, engine: str) -> bool:
        """Whether this engine runs a member, or somebody who is proposed."""
        return any(person.engine == engine for person in (*self.people, *self.joining))

    @property
    def joining(self) -> list[Person]:
        return [item.joiner for item in self.proposed if item.joiner is not None]

    def others(self, person: Person) -> list[Person]:
        return [other for other in self.people if other is not person]

    def proposes(self, *kinds: type[Proposal]) -> bool:
        return any(isinstance(item.proposal, kinds) for item in self.proposed)

    @property
    def has_room(self) -> bool:
        leaves = len(self.people) + len(self.ghosts) + len(self.joining)
        return leaves < MOST_LEAVES

    def may_join(self, engine: str) -> bool:
        """Whether somebody of this engine can be added by the next commit."""
        if not self.has_room:
            return False
        if self.proposes(ResumptionPsk) or any(
            person.engine == TS_MLS for person in self._leaving()
        ):
            return False
        return not (engine == MLS_RS and self.proposes(ExternalPsk))

    def may_change(self, leaf_index: int) -> bool:
        """Whether no proposal changes or removes this leaf."""
        return leaf_index not in [
            item.proposer.leaf
            if isinstance(item.proposal, Update)
            else item.proposal.leaf_index
            for item in self.proposed
            if isinstance(item.proposal, Update | Remove)
        ]

    def may_leave(self, person: Person) -> bool:
        """Whether this member can be removed by the next commit.

        ts-mls does not notice where its leaf is taken again at once.
        """
        return self.may_blank(person.leaf) and not (
            self.joining and person.engine == TS_MLS
        )

    def may_blank(self, leaf_index: int) -> bool:
        """Whether this leaf can be removed.

        Where the left half of the tree is empty, ts-mls gets another commit secret.
        """
        seats = {seat.leaf_index for seat in self.people[0].oracle.members()}
        staying = {leaf for leaf in seats if self._stays(leaf)} - {leaf_index}
        half = 1 << max(staying, default=0).bit_length() >> 1
        return self.may_change(leaf_index) and (
            not self.has(TS_MLS) or min(staying, default=0) < max(half, 1)
        )

    def _stays(self, leaf_index: int) -> bool:
        return not any(
            isinstance(item.proposal, Remove) and item.proposal.leaf_index == leaf_index
            for item in self.proposed
        )

    def may_commit(self, person: Person) -> bool:
        """Whether the member's engine makes a valid commit of all that is proposed."""
        if person in self._leaving():
            return False
        own_update = any(
            item.proposer is person and isinstance(item.proposal, Update)
            for item in self.proposed
        )
        return person.engine != TS_MLS or not (
            own_update or self.proposes(GroupContextExtensions)
        )

    def may_reload(self, person: Person) -> bool:
        """Whether nothing is lost: ts-mls forgets that leaf 0 proposed its Update."""
        return person.engine != TS_MLS or not any(
            isinstance(item.proposal, Update) and item.proposer.leaf == 0
            for item in self.proposed
        )

    def _leaving(self) -> list[Person]:
        leaves = [
            item.proposal.leaf_index
            for item in self.proposed
            if isinstance(item.proposal, Remove)
        ]
        return [person for person in self.people if person.leaf in leaves]

    # Founding, talking ---------------------------------------------------------------

    def new_person(
        self, engine: str, *, tree_in_welcome: bool = True, always_path: bool = False
    ) -> Person:
        """Return somebody outside the group."""
        identity = b"%s %d" % (engine.encode(), len(self._oracles))
        oracle = self.engines[engine].member(identity, tree_in_welcome=tree_in_welcome)
        self._oracles.append(oracle)
        if engine != MLS_RS:
            oracle.add_external_psk(PSK_ID, PSK)
        if isinstance(oracle, OurMember):
            oracle.always_path = always_path
        return Person(engine, oracle)

    def found(self, founder: Person) -> None:
        """Start the group."""
        founder.oracle.create_group(b"a mixed group")
        self.people = [founder]
        self._count("create a group", founder)

    def talk(
        self, sender: Person, order: Sequence[int], authenticated_data: bytes = b""
    ) -> None:
        """Send messages, which all others read in this order; the rest is late."""
        if sender.engine == MLS_RS:
            authenticated_data = b""
        letters = [
            self._write(sender, b"message %d" % number, authenticated_data)
            for number in range(1 + max(order))
        ]
        for number in order:
            self._deliver(letters[number])
        for number in set(range(len(letters))) - set(order):
            self.late.append(letters[number])
        _require_refusal(self.others(sender), letters[order[0]].message)

    def _write(self, sender: Person, text: bytes, authenticated_data: bytes) -> Letter:
        message = sender.oracle.send(text, authenticated_data)
        self._count("send a message", sender)
        if authenticated_data:
            self._count("send authenticated data with a message", sender)
        readers = tuple(self.others(sender))
        return Letter(message, text, authenticated_data, sender, readers)

    def _deliver(self, letter: Letter) -> None:
        for reader in letter.readers:
            event = reader.oracle.process(letter.message)
            assert isinstance(event, ApplicationMessage), (reader.identity, event)
            assert event.plaintext == letter.text
            assert event.authenticated_data in {None, letter.authenticated_data}
            self._count("read a message", reader)

    def reload(self, person: Person) -> None:
        """Save a member's state and load it again."""
        person.oracle.reload()
        self.require_agreement()
        self._count("store and load", person)

    # Proposals -----------------------------------------------------------------------

    def propose(
        self, proposer: Person, proposal: Proposal, sending: Sending = AS_USUAL
    ) -> None:
        """Send a proposal that waits for a commit."""
        message = proposer.oracle.propose(proposal, _possible(proposer, sending))
        self._cache(self.others(proposer), message)
        self.proposed.append(Proposed(proposer, proposal))
        self._count(f"propose {_name(proposal)}", proposer)

    def propose_add(
        self, proposer: Person, joiner: Person, sending: Sending = AS_USUAL
    ) -> None:
        """Propose to add somebody."""
        self.propose(proposer, Add(joiner.oracle.key_package()), sending)
        self.proposed[-1] = Proposed(proposer, self.proposed[-1].proposal, joiner)

    def propose_own_add(self, joiner: Person, informant: Person) -> None:
        """Somebody outside asks to be added."""
        group_info = informant.oracle.group_info(external_pub=True, ratchet_tree=True)
        message = joiner.oracle.propose_own_add(group_info)
        self._cache(self.people, message)
        self.proposed.append(Proposed(joiner, Add(message), joiner))
        self._count("propose the own Add from outside", joiner)
        self._count("GroupInfo", informant)

    def _cache(self, receivers: Iterable[Person], message: bytes) -> None:
        for person in receivers:
            event = person.oracle.process(message)
            assert event == ProposalCached(), (person.identity, event)

    # Commits -------------------------------------------------------------------------

    def commit(
        self,
        committer: Person,
        proposals: Sequence[Proposal] = (),
        sending: Sending = AS_USUAL,
        joiners: Sequence[Person] = (),
    ) -> None:
        """Commit what is proposed, and by value these proposals and joiners."""
        adds = [Add(joiner.oracle.key_package()) for joiner in joiners]
        by_value = (*proposals, *adds)
        output = committer.oracle.commit(by_value, _possible(committer, sending))
        for step in self._steps_of(by_value):
            self._count(step, committer)
        self._carry_out(committer, output, proposals, joiners)

    def _steps_of(self, by_value: Sequence[Proposal]) -> set[str]:
        steps = {f"commit {_name(proposal)} by value" for proposal in by_value}
        steps |= {
            f"commit {_name(item.proposal)} by reference" for item in self.proposed
        }
        return steps or {"commit nothing but a path"}

    def race(self, winner: Person, loser: Person, sending: Sending = AS_USUAL) -> None:
        """Two commit at once; the loser takes the winner's."""
        output = winner.oracle.commit((), _possible(winner, sending))
        lost = loser.oracle.commit((), _possible(loser, sending)).commit
        self._carry_out(winner, output, (), ())
        self._count("drop an own commit for another's", loser)
        _require_refusal(
            [person for person in self.people if person is not loser], lost
        )

    def clear(self, person: Person) -> None:
        """Make a commit and forget it."""
        person.oracle.commit((), PUBLIC)
        person.oracle.clear_pending_commit()
        self._count("clear a pending commit", person)

    def _carry_out(
        self,
        committer: Person,
        output: CommitOutput,
        proposals: Sequence[Proposal],
        joiners: Sequence[Person],
    ) -> None:
        """Let everybody take a commit, be removed by it, or come in with it."""
        all_proposals = [*(item.proposal for item in self.proposed), *proposals]
        leaves = {p.leaf_index for p in all_proposals if isinstance(p, Remove)}
        seats = {seat.leaf_index: seat.identity for seat in committer.oracle.members()}
        gone = {seats[leaf] for leaf in leaves}
        removed = [person for person in self.people if person.identity in gone]
        welcomed = self.joining
        self._take(output.commit, self.others(committer), removed)
        committer.oracle.apply_pending_commit()
        self._enter_epoch(person for person in self.people if person not in removed)
        self.ghosts -= gone
        for joiner in (*welcomed, *joiners):
            self._let_in(joiner, output)
        self.require_agreement()
        if removed:
            _require_refusal(removed, committer.oracle.send(b"not for the removed"))

    def _take(
        self, commit: bytes, receivers: Iterable[Person], removed: Sequence[Person] = ()
    ) -> None:
        for person in receivers:
            event = person.oracle.process(commit)
            expected: Processed = EpochEntered()
            if person in removed:
                expected = MemberRemoved()
                self._count("be removed", person)
            assert event == expected, (person.identity, event)

    def _let_in(self, joiner: Person, output: CommitOutput) -> None:
        """Join by Welcome, unless the known fault of ts-mls keeps the joiner out."""
        assert output.welcome is not None
        apart = "inside" if output.ratchet_tree is None else "apart"
        try:
            joiner.oracle.join(output.welcome, output.ratchet_tree)
        except Refused as refused:
            if joiner.engine != TS_MLS or UNMERGED_LEAVES not in refused.reason:
                raise
            self.ghosts.add(joiner.identity)
            return
        self._come_in(joiner)
        self._count(f"join by Welcome, tree {apart}", joiner)

    def _enter_epoch(self, stayed: Iterable[Person]) -> None:
        """Begin the next epoch; what was late arrives now, in those who stayed."""
        self.people = list(stayed)
        self.proposed = []
        self.epoch += 1
        for letter in self.late:
            readers = tuple(
                who for who in letter.readers if self._can_read(who, letter)
            )
            self._deliver(replace(letter, readers=readers))
        self.late = []

    def _can_read(self, reader: Person, letter: Letter) -> bool:
        """Whether a member can read what was sent in the epoch before.

        mls-rs cannot where the sender is no longer a member.
        """
        return reader in self.people and (
            reader.engine != MLS_RS or letter.sender in self.people
        )

    def _come_in(self, person: Person) -> None:
        self.people.append(person)
        self.common_epoch = self.epoch

    # External commits ----------------------------------------------------------------

    def join_from_outside(
        self,
        joiner: Person,
        informant: Person,
        *,
        tree_inside: bool = True,
        psk: bool = False,
        authenticated_data: bytes = b"",
    ) -> None:
        """Join, or join again, by an external commit.

        The informant is of the joiner's engine: ts-mls has its own external_pub.
        """
        oracle = joiner.oracle
        again = joiner in self.people
        tree = None if tree_inside else informant.oracle.ratchet_tree()
        try:
            commit = oracle.external_join(
                informant.oracle.group_info(
                    external_pub=True, ratchet_tree=tree_inside
                ),
                tree,
                resync=again,
                external_psks=(PSK_ID,) if psk else (),
                authenticated_data=authenticated_data,
            )
        except Refused as refused:
            if joiner.engine != TS_MLS or UNMERGED_LEAVES not in refused.reason:
                raise
            return
        stayed = self.others(joiner)
        self._take(commit, stayed)
        oracle.apply_pending_commit()
        self._enter_epoch(stayed)
        self._come_in(joiner)
        self.require_agreement()
        self._count("external join, resync" if again else "external join", joiner)
        self._count("GroupInfo", informant)
        if psk:
            self._count("external join with a PSK", joiner)

    # Successors ----------------------------------------------------------------------

    def branch(self, founder: Person, joiner: Person) -> None:
        """Two members start a group of their own beside this one."""
        package = joiner.oracle.key_package()
        started = founder.oracle.resume(Usage.BRANCH, b"a branch", (package,))
        joined = joiner.oracle.join_resumed(
            Usage.BRANCH, started.welcome, started.ratchet_tree
        )
        self._oracles += started.member, joined
        require_agreement(started.member, joined)
        self._count("branch", founder)
        self._count("join a branch", joiner)

    def reinitialise(self, committer: Person, sending: Sending = AS_USUAL) -> None:
        """End the group and go on in its successor."""
        successor = b"%s and on" % committer.identity
        output = committer.oracle.commit((ReInit(successor),), sending)
        for person in self.others(committer):
            assert person.oracle.process(output.commit) == GroupReInitialised()
        committer.oracle.apply_pending_commit()
        others = self.others(committer)
        packages = tuple(person.oracle.key_package() for person in others)
        started = committer.oracle.resume(Usage.REINIT, successor, packages)
        for person in others:
            person.oracle = person.oracle.join_resumed(
                Usage.REINIT, started.welcome, started.ratchet_tree
            )
            self._count("follow a ReInit", person)
        committer.oracle = started.member
        for person in self.people:
            self._oracles.append(person.oracle)
            person.oracle.add_external_psk(PSK_ID, PSK)
        self._count("go on after ReInit", committer)
        self.late = []
        self.epoch = self.common_epoch = 1
        self.require_agreement()

    # Agreement -----------------------------------------------------------------------

    def require_agreement(self) -> None:
        """All members have the same secrets, tree, members and epoch."""
        oracles = [person.oracle for person in self.people]
        require_agreement(*oracles)
        seats = {oracle.members() for oracle in oracles}
        assert len(seats) == 1, seats
        expected = self.ghosts | {person.identity for person in self.people}
        assert {seat.identity for seat in seats.pop()} == expected
        assert _told(oracles, "epoch") <= {self.epoch}
        assert len(_told(oracles, "epoch_authenticator")) <= 1

    def _count(self, step: str, person: Person) -> None:
        self.tally[step, person.engine] += 1

    def close(self) -> None:
        """Let go of everybody who ever was."""
        for oracle in self._oracles:
            oracle.close()


def _told(oracles: Iterable[Oracle], what: str) -> set[object]:
    """What those oracles say that say it at all."""
    answers: set[object] = set()
    for oracle in oracles:
        with suppress(Unsupported):
            answers.add(getattr(oracle, what)())
    return answers


def _possible(person: Person, sending: Sending) -> Sending:
    """The way of sending that the person's engine offers."""
    return AS_USUAL if person.engine == MLS_RS else sending


def _name(proposal: Proposal) -> str:
    return type(proposal).__name__


def _require_refusal(people: Iterable[Person], message: bytes) -> None:
    for person in people:
        try:
            event = person.oracle.process(message)
        except Refused:
            continue
        raise AssertionError(f"{person.identity!r} took it as {event}")


def tally_table(tally: Counter[tuple[str, str]]) -> str:
    """How often each engine took each step, for people."""
    engines = (OURS, MLS_RS, TS_MLS)
    steps = sorted({step for step, _ in tally})
    width = max(map(len, steps))
    lines = [f"{'step':<{width}}" + "".join(f"{name:>10}" for name in engines)]
    lines += [
        f"{step:<{width}}" + "".join(f"{tally[step, name]:>10}" for name in engines)
        for step in steps
    ]
    return "\n".join(lines)
