"""The group that the fuzz targets attack: Ana, Ben and Cora, always the same."""

import os
from dataclasses import dataclass, replace
from hashlib import shake_256

from tertulia.crypto import CipherSuite, Rng, cipher_suite
from tertulia.mls import (
    AcceptEverything,
    Add,
    BasicCredential,
    CommitPlan,
    Group,
    Identity,
    KeyPackageSecrets,
    Lifetime,
    MemberSender,
    Remove,
    commit,
    create_group,
    create_key_package,
    join,
)
from tertulia.mls.group import PendingProposal
from tertulia.mls.proposal_list import SentProposal

ANYONE = AcceptEverything()
# The reference under which a proposal by Cora is pending.
REFERENCE = bytes(32)


def seeded_rng(name: str) -> Rng:
    """Return a source of bytes that depends on `name` and on what it gave before."""
    given = 0

    def rng(size: int) -> bytes:
        nonlocal given
        given += 1
        return shake_256(f"{name}#{given}".encode()).digest(size)

    return rng


@dataclass(frozen=True, slots=True)
class Room:
    """Ana who attacks, Ben who is attacked, and what Ben joined with."""

    ana: Group
    ben: Group
    joining: KeyPackageSecrets

    @property
    def suite(self) -> CipherSuite:
        """What the group encrypts and signs with."""
        return self.ana.suite


def chosen_suite() -> CipherSuite:
    """Return the suite that FUZZ_SUITE names, by its number; suite 1 without it."""
    return cipher_suite(int(os.environ.get("FUZZ_SUITE", "1"), 0))


def new_room(suite: CipherSuite) -> Room:
    """Return the group, at epoch 1, with one pending proposal."""
    rng = seeded_rng("fuzz")
    founder = create_group(_identity(suite, "Ana"), b"group", Lifetime(0, 2**63), rng)
    joiners = [new_key_package(suite, name, rng) for name in ("Ben", "Cora")]
    plan = CommitPlan([Add(mine.key_package) for mine in joiners])
    made = commit(founder, plan, ANYONE, rng)
    if made.welcome is None:
        raise ValueError("nobody was added")
    ben = join(made.welcome, joiners[0], ANYONE)
    return Room(_with_pending(made.after), _with_pending(ben), joiners[0])


def new_key_package(suite: CipherSuite, name: str, rng: Rng) -> KeyPackageSecrets:
    """Return a key package, with its secrets, of somebody of this name."""
    return create_key_package(_identity(suite, name), Lifetime(0, 2**63), rng)


def _identity(suite: CipherSuite, name: str) -> Identity:
    rng = seeded_rng(name)
    key = suite.generate_signature_key_pair(rng)
    return Identity(suite, BasicCredential(name.encode()), key)


def _with_pending(group: Group) -> Group:
    sent = SentProposal(Remove(2), MemberSender(2), REFERENCE)
    proposals = {REFERENCE: PendingProposal(sent)}
    return replace(group, traffic=replace(group.traffic, proposals=proposals))
