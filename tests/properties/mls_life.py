"""The life of a group of our engine, with all its members in one hand.

Each member keeps a store as an application would: the record of the epoch, written when
a commit is applied, and rows for what messages change. Everything travels as bytes.
After each step the stores must hold exactly what the members know, and after each epoch
all members must agree.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

import pytest

from tertulia import mls
from tertulia.crypto import (
    CLASSICAL_SUITE,
    HYBRID_SUITE,
    CipherSuite,
    CryptoError,
    Secret,
    cipher_suite,
)
from tertulia.errors import TertuliaError
from tertulia.mls.framing import CommitContent
from tertulia.mls.private_message import open_private_message
from tertulia.mls.secret_tree import RatchetKind, SecretTree
from tertulia.mls.tree_math import is_below

# The suites that rooms are made with.
SUITES = (cipher_suite(CLASSICAL_SUITE), cipher_suite(HYBRID_SUITE))
POLICY = mls.AcceptEverything()
ALWAYS = mls.Lifetime(0, 2**64 - 1)
EXTENSION_TYPE = 0xF0F0
PSK = mls.ExternalPSK(b"psk id")
PSKS: mls.PSKs = {PSK: Secret(b"a psk that every member was given")}
# Who was removed last; more of them would only take time.
REMEMBERED = 3

HandshakeMessage = mls.PublicMessage | mls.PrivateMessage


class Store:
    """What a member has on disk."""

    def __init__(self, group: mls.Group) -> None:
        self.epoch = mls.save_epoch(group.epoch)
        self.tree = group.tree.encode()
        self.rows = dict(mls.save_traffic(group.traffic))

    def write_changes(self, before: mls.Group, after: mls.Group) -> None:
        """Write the rows that differ, as after a message."""
        for key, row in mls.changed_rows(before.traffic, after.traffic).items():
            if row is None:
                del self.rows[key]
            else:
                self.rows[key] = row

    def load(self) -> mls.Group:
        return mls.load_group(self.epoch, self.rows, mls.decode_tree(self.tree))

    def holds(self, secret: bytes) -> bool:
        """Tell whether these bytes stand anywhere on disk."""
        return any(secret in data for data in (self.epoch, *self.rows.values()))


class Person:
    """A member, or a former one, with its store."""

    def __init__(self, name: bytes, group: mls.Group) -> None:
        self.name = name
        self.group = group
        self.store = Store(group)

    @property
    def leaf(self) -> int:
        return self.group.leaf_index

    def go_on(self, group: mls.Group) -> None:
        """Take over what an operation returned, and save it."""
        if group.epoch is self.group.epoch:
            self.store.write_changes(self.group, group)
        else:
            self.store = Store(group)
        self.group = group

    def resume(self) -> None:
        """Forget everything but the store, which must hold it all."""
        loaded = self.store.load()
        for group in (self.group, loaded):
            known = Store(group)
            assert (known.epoch, known.rows) == (self.store.epoch, self.store.rows)
        self.group = loaded

    def receive(self, message: bytes) -> mls.Received:
        return mls.receive(self.group, decoded(message), POLICY, PSKS)


def decoded(message: bytes) -> HandshakeMessage:
    found = mls.decode_message(message)
    assert isinstance(found, mls.PublicMessage | mls.PrivateMessage)
    return found


@dataclass
class Life:
    """A group and everybody who is or was in it."""

    random: Random
    suite: CipherSuite = SUITES[0]
    people: list[Person] = field(default_factory=list)
    removed: list[Person] = field(default_factory=list)
    # Since when nobody came in: all members have the resumption secrets from here on.
    common_epoch: int = 0
    names: int = 0

    def __post_init__(self) -> None:
        group = mls.create_group(self.identity(), b"group", ALWAYS, self.rng)
        self.people.append(Person(b"founder", group))

    # Small things --------------------------------------------------------------------

    def rng(self, size: int) -> bytes:
        return self.random.randbytes(size)

    def identity(self) -> mls.Identity:
        """Return somebody new."""
        self.names += 1
        return mls.Identity(
            self.suite,
            mls.BasicCredential(b"person %d" % self.names),
            self.suite.generate_signature_key_pair(self.rng),
            mls.Capabilities(
                cipher_suites=(self.suite.id,), extensions=(EXTENSION_TYPE,)
            ),
        )

    def key_packages(self, count: int) -> list[mls.KeyPackageSecrets]:
        return [
            mls.create_key_package(self.identity(), ALWAYS, self.rng)
            for _ in range(count)
        ]

    def others(self, person: Person) -> list[Person]:
        return [other for other in self.people if other is not person]

    @property
    def epoch(self) -> int:
        return self.people[0].group.context.epoch

    @property
    def pending(self) -> Mapping[bytes, mls.PendingProposal]:
        """The proposals that wait, as everybody knows them."""
        return self.people[0].group.traffic.proposals

    @property
    def changing(self) -> set[int]:
        """The leaves that pending proposals update or remove."""
        return {leaf for item in self.pending.values() for leaf in _changed_by(item)}

    @property
    def joining(self) -> bool:
        return any(
            isinstance(item.sent.proposal, mls.Add) for item in self.pending.values()
        )

    def may_commit(self, person: Person) -> bool:
        """Whether no pending proposal is about this very member."""
        return person.leaf not in self.changing

    # Messages ------------------------------------------------------------------------

    def talk(self, senders: Sequence[Person], count: int, lost: int) -> None:
        """Everybody gets the messages in an order of its own, and loses some."""
        letters = []
        for number in range(count):
            sender = senders[number % len(senders)]
            text = b"message %d" % number
            framing = mls.Framing(authenticated_data=b"data", padding=number)
            group, message = mls.protect(sender.group, text, self.rng, framing)
            sender.go_on(group)
            letters.append((sender, text, mls.encode_message(message)))
        for receiver in self.people:
            order = [letter for letter in letters if letter[0] is not receiver]
            self.random.shuffle(order)
            for sender, text, encoded in order[lost:]:
                received = receiver.receive(encoded)
                assert isinstance(received, mls.ReceivedApplication)
                assert (received.sender, received.data) == (sender.leaf, text)
                assert received.authenticated_data == b"data"
                receiver.go_on(received.group)
            require_refusal(receiver, *(encoded for _, _, encoded in order[lost:]))
        for former in self.removed:
            for _, _, encoded in letters:
                require_locked_out(former, encoded)

    # Proposals -----------------------------------------------------------------------

    def propose(
        self, proposer: Person, proposal: mls.Proposal, framing: mls.Framing
    ) -> None:
        self._cache(proposer, *mls.propose(proposer.group, proposal, self.rng, framing))

    def propose_update(self, proposer: Person, framing: mls.Framing) -> None:
        self._cache(proposer, *mls.propose_update(proposer.group, self.rng, framing))

    def propose_from_outside(self, joiner: mls.KeyPackageSecrets) -> None:
        """Somebody asks to be added."""
        address = mls.Address(b"group", self.epoch)
        message = mls.encode_message(mls.propose_to_be_added(joiner, address))
        for person in self.people:
            received = person.receive(message)
            assert isinstance(received, mls.ReceivedProposal)
            person.go_on(received.group)

    def _cache(
        self, proposer: Person, after: mls.Group, message: HandshakeMessage
    ) -> None:
        proposer.go_on(after)
        for person in self.others(proposer):
            received = person.receive(mls.encode_message(message))
            assert isinstance(received, mls.ReceivedProposal)
            person.go_on(received.group)

    # Commits -------------------------------------------------------------------------

    def make_commit(
        self,
        committer: Person,
        proposals: Sequence[mls.Proposal] = (),
        framing: mls.Framing = mls.PRIVATE,
        *,
        path: bool = True,
        new_identity: mls.Identity | None = None,
    ) -> mls.Committed:
        """Commit what is proposed and, by value, these proposals."""
        plan = mls.CommitPlan(
            proposals=proposals,
            references=list(self.pending),
            psks=PSKS,
            framing=framing,
            path=path,
            new_identity=new_identity,
        )
        unused = committer.group.traffic.secret_tree
        made = mls.commit(committer.group, plan, POLICY, self.rng)
        committer.go_on(made.before)
        if isinstance(made.message, mls.PrivateMessage):
            require_key_used_up(unused, committer)
        return made

    def carry_out(
        self,
        committer: Person,
        made: mls.Committed,
        joiners: Sequence[mls.KeyPackageSecrets] = (),
    ) -> None:
        """Let everybody take a commit, be removed by it, or come in with it."""
        leaving = _removed_by(made.change)
        message = mls.encode_message(made.message)
        stayed, gone = [committer], []
        for person in self.others(committer):
            received = person.receive(message)
            if person.leaf in leaving:
                assert isinstance(received, mls.RemovedFromGroup)
                gone.append(person)
            else:
                assert isinstance(received, mls.ReceivedCommit)
                self._enter(person, received.group)
                stayed.append(person)
        self._enter(committer, made.after)
        self._take_leave(gone, made.message)
        self.people = stayed
        self.let_in(made.welcome, joiners)
        self.require_agreement()

    def _enter(self, person: Person, group: mls.Group) -> None:
        before = person.group
        person.go_on(group)
        if person is self.people[0] or person is self.people[-1]:
            require_epoch_forgotten(before, person)

    def _take_leave(self, gone: Iterable[Person], commit: HandshakeMessage) -> None:
        for person in gone:
            require_path_closed(person, commit)
            self.removed = [person, *self.removed][:REMEMBERED]

    def let_in(
        self, welcome: mls.Welcome | None, joiners: Sequence[mls.KeyPackageSecrets]
    ) -> None:
        """Let those join by Welcome whom a commit added."""
        for mine in joiners:
            assert welcome is not None
            aids = mls.Aids(PSKS)
            group = mls.join(welcome, mine, POLICY, aids)
            self.people.append(Person(b"joiner", group))
            self.common_epoch = group.context.epoch

    def join_from_outside(
        self, informant: Person, *, psk: bool, replaces: Person | None = None
    ) -> None:
        """Somebody new joins by an external commit, or a member does so again."""
        told = mls.encode_message(mls.make_group_info(informant.group))
        group_info = mls.decode_message(told)
        assert isinstance(group_info, mls.Unverified)
        plan = mls.ExternalJoin(
            self.identity() if replaces is None else replaces.group.identity,
            mls.Aids(PSKS),
            replaces=None if replaces is None else replaces.leaf,
            psk_ids=[mls.new_psk_id(self.suite, PSK, self.rng)] if psk else [],
            authorize=lambda kem_output, _leaf: kem_output,
        )
        joined = mls.join_externally(group_info, plan, POLICY, self.rng)  # type: ignore[arg-type]
        message = mls.encode_message(joined.message)
        if replaces is not None:
            assert isinstance(replaces.receive(message), mls.RemovedFromGroup)
            self.people.remove(replaces)
        for person in self.people:
            received = person.receive(message)
            assert isinstance(received, mls.ReceivedCommit)
            self._enter(person, received.group)
        self.people.append(Person(b"joiner from outside", joined.group))
        self.common_epoch = joined.group.context.epoch
        self.require_agreement()

    # What must hold ------------------------------------------------------------------

    def require_agreement(self) -> None:
        first = self.people[0].group
        tree = first.tree.encode()
        seats = {leaf_index for leaf_index, _ in first.tree.members()}
        assert seats == {person.leaf for person in self.people}
        for person in self.people:
            assert person.group.epoch_authenticator == first.epoch_authenticator
            assert person.group.context == first.context
            assert person.group.tree.encode() == tree
            assert person.group.export("a", b"b", 16) == first.export("a", b"b", 16)


def _changed_by(item: mls.PendingProposal) -> Iterator[int]:
    proposal, sender = item.sent.proposal, item.sent.sender
    if isinstance(proposal, mls.Remove):
        yield proposal.removed
    if isinstance(proposal, mls.Update) and isinstance(sender, mls.MemberSender):
        yield sender.leaf_index


def _removed_by(change: mls.Change) -> set[int]:
    return {
        sent.proposal.removed
        for sent in change.proposals
        if isinstance(sent.proposal, mls.Remove)
    }


def require_refusal(person: Person, *messages: bytes) -> None:
    """The member, and the member as its store has it, refuse all these messages."""
    for group in (person.group, person.store.load()):
        for message in messages:
            with pytest.raises(TertuliaError):
                mls.receive(group, decoded(message), POLICY, PSKS)


def require_locked_out(former: Person, message: bytes) -> None:
    """A former member refuses a message; nor do its secrets open it by force."""
    require_refusal(former, message)
    private = decoded(message)
    if isinstance(private, mls.PrivateMessage):
        with pytest.raises(mls.InvalidError) as caught:
            open_private_message(
                former.group.suite, former.group.private_message_keys(), private
            )
        assert caught.value.rule is mls.Rule.CIPHERTEXT


def require_path_closed(former: Person, message: HandshakeMessage) -> None:
    """None of its private keys opens anything in the commit that removed a member."""
    if isinstance(message, mls.PrivateMessage):
        return
    content = message.content.content
    assert isinstance(content, CommitContent)
    path = content.commit.path
    assert path is not None
    keys = former.group.epoch.private_keys.by_node.values()
    context = former.receive(mls.encode_message(message))
    assert isinstance(context, mls.RemovedFromGroup)
    info = context.change.context_after.encode()
    for node in path.nodes:
        for sealed in node.encrypted_path_secret:
            for key in keys:
                with pytest.raises(CryptoError):
                    former.group.suite.decrypt_with_label(
                        key,
                        "UpdatePathNode",
                        info,
                        sealed.kem_output,
                        sealed.ciphertext,
                    )


def require_epoch_forgotten(before: mls.Group, person: Person) -> None:
    """Of an epoch that is over the store keeps only what the new one shares with it."""
    secrets = before.epoch.secrets
    over = [
        secrets.sender_data_secret,
        secrets.exporter_secret,
        secrets.external_secret,
        secrets.confirmation_key,
        secrets.membership_key,
        secrets.init_secret,
        *_secrets_of(before.traffic.secret_tree),
    ]
    for node, key in before.epoch.private_keys.by_node.items():
        if _has_new_key(before.tree, person.group.tree, node):
            over.append(key)
    assert not [secret for secret in over if person.store.holds(secret.reveal())]


def require_key_used_up(before: SecretTree, committer: Person) -> None:
    """The next key of its handshakes is gone, whatever becomes of the commit."""
    kind = RatchetKind.HANDSHAKE
    ratchet = before.ratchets.get((committer.leaf, kind))
    generation = 0 if ratchet is None else ratchet.generation
    suite, leaf = committer.group.suite, committer.leaf
    for secret in ancestors_of_a_key(suite, before, leaf, kind, generation):
        assert not committer.store.holds(secret.reveal())


def _has_new_key(before: mls.RatchetTree, after: mls.RatchetTree, node: int) -> bool:
    if node >= len(after.nodes):
        return True
    kept = after.node(node)
    return kept is None or kept.encryption_key != before.encryption_key(node)


def _secrets_of(tree: SecretTree) -> Iterator[Secret]:
    yield from tree.nodes.values()
    for ratchet in tree.ratchets.values():
        yield ratchet.secret
        for skipped in ratchet.skipped.values():
            yield skipped.key


def ancestors_of_a_key(
    suite: CipherSuite,
    tree: SecretTree,
    leaf: int,
    kind: RatchetKind,
    generation: int,
) -> list[Secret]:
    """The key of a message, and all secrets from which it can be derived."""
    _, key = tree.key_of(suite, leaf, kind, generation)
    found = [secret for node, secret in tree.nodes.items() if is_below(2 * leaf, node)]
    ratchet = tree.ratchets.get((leaf, kind))
    if ratchet is not None and ratchet.generation <= generation:
        found.append(ratchet.secret)
    return [key.key, *found]
