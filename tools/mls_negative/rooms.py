"""Groups in which something is about to go wrong.

Ana founds a group and adds the others; Ben is the receiver, who joins by Welcome. All
members are engine groups, so that any of them can go on honestly or cheat.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import assert_never

from tertulia.crypto import CipherSuite, Rng, cipher_suite
from tertulia.mls import (
    AcceptEverything,
    Add,
    Aids,
    BasicCredential,
    Capabilities,
    CommitPlan,
    Extensions,
    Group,
    Identity,
    KeyPackageSecrets,
    Lifetime,
    PrivateMessage,
    PSKs,
    PublicMessage,
    ReceivedApplication,
    ReceivedCommit,
    ReceivedProposal,
    RemovedFromGroup,
    commit,
    create_group,
    create_key_package,
    decode_message,
    encode_message,
    join,
    receive,
)
from tools.mls_negative.cases import State
from tools.mls_negative.cheating import Cheat, cheating_member
from tools.mls_negative.rng import rng_of

ANYONE = AcceptEverything()
LIFETIME = Lifetime(1_000_000_000, 4_000_000_000)
# A type that everybody here supports, and one that nobody does.
SUPPORTED = 0xF0F0
UNSUPPORTED = 0xF0F1
CAPABILITIES = Capabilities(extensions=(SUPPORTED,), cipher_suites=(1, 2, 3, 7))


def new_identity(
    suite: CipherSuite, name: str, rng: Rng, capabilities: Capabilities = CAPABILITIES
) -> Identity:
    """Return who somebody is, with a fresh signature key."""
    return Identity(
        suite,
        BasicCredential(name.encode()),
        suite.generate_signature_key_pair(rng),
        capabilities,
    )


@dataclass(slots=True)
class Room:
    """A group of several members, seen by all of them."""

    suite: CipherSuite
    rng: Rng
    groups: dict[str, Group]
    state: State
    psks: PSKs = field(default_factory=dict)

    def cheat(self, name: str = "Ana") -> Cheat:
        """Return a member as a cheat."""
        return cheating_member(self.groups[name], self.rng, self.psks)

    def newcomer(
        self, name: str, capabilities: Capabilities = CAPABILITIES
    ) -> KeyPackageSecrets:
        """Return the key package of somebody who is not in the group yet."""
        identity = new_identity(self.suite, name, self.rng, capabilities)
        return create_key_package(identity, LIFETIME, self.rng)

    def commit(self, name: str, plan: CommitPlan) -> None:
        """Let a member commit honestly, and everybody follow."""
        made = commit(self.groups[name], plan, ANYONE, self.rng)
        self.groups[name] = made.after
        self.deliver(encode_message(made.message), sender=name)

    def deliver(self, message: bytes, sender: str | None = None) -> None:
        """Let everybody but the sender receive a message, Ben as part of the state."""
        for name, group in self.groups.items():
            if name != sender:
                self.groups[name] = receive_bytes(group, message, self.psks)
        self.state = State(
            self.state.mine,
            self.state.welcome,
            (*self.state.messages, message),
            self.state.psks,
        )


def receive_bytes(group: Group, message: bytes, psks: PSKs) -> Group:
    """Return the group after an honest message."""
    decoded = decode_message(message)
    if not isinstance(decoded, PublicMessage | PrivateMessage):
        raise TypeError(f"{type(decoded).__name__} is not for a group")
    received = receive(group, decoded, ANYONE, psks)
    match received:
        case ReceivedApplication() | ReceivedProposal() | ReceivedCommit():
            return received.group
        case RemovedFromGroup():
            raise ValueError("the receiver was removed")
        case _:
            assert_never(received)


def new_room(
    name: str,
    others: Sequence[str] = ("Ben", "Cora"),
    *,
    suite: int = 1,
    extensions: Extensions = (),
    psks: PSKs | None = None,
) -> Room:
    """Return a group that Ana founded and into which she let the others."""
    rng = rng_of(f"{name}, suite {suite}")
    chosen = cipher_suite(suite)
    founder = new_identity(chosen, "Ana", rng)
    group = create_group(founder, rng(16), LIFETIME, rng, extensions)
    invited = {
        other: create_key_package(new_identity(chosen, other, rng), LIFETIME, rng)
        for other in others
    }
    plan = CommitPlan([Add(mine.key_package) for mine in invited.values()])
    made = commit(group, plan, ANYONE, rng)
    if made.welcome is None:
        raise ValueError("nobody was added")
    groups = {"Ana": made.after}
    for other, mine in invited.items():
        groups[other] = join(made.welcome, mine, ANYONE, Aids({}))
    known = psks or {}
    state = State(invited["Ben"], made.welcome, psks=known)
    return Room(chosen, rng, groups, state, known)
