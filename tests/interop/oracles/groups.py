"""Steps that several members of one group take together.

Members may be run by different engines. The order of delivery is the order of the
arguments; whoever commits applies the commit last.
"""

from collections.abc import Iterable

from tests.interop.oracles.oracle import (
    AS_USUAL,
    Add,
    CommitOutput,
    EpochEntered,
    Oracle,
    Proposal,
    ProposalCached,
    Sending,
)


def found(creator: Oracle, *joiners: Oracle, group_id: bytes = b"group") -> None:
    """Create a group and add all joiners with one commit."""
    creator.create_group(group_id)
    if joiners:
        carry_out(creator, (), joiners=joiners)


def carry_out(
    committer: Oracle,
    others: Iterable[Oracle],
    *proposals: Proposal,
    joiners: Iterable[Oracle] = (),
    sending: Sending = AS_USUAL,
) -> CommitOutput:
    """Commit; every other member enters the epoch, the committer and joiners too."""
    newcomers = tuple(joiners)
    adds = tuple(Add(joiner.key_package()) for joiner in newcomers)
    output = committer.commit((*proposals, *adds), sending)
    for member in others:
        event = member.process(output.commit)
        if event != EpochEntered():
            raise AssertionError(f"{member.identity!r} took a commit as {event}")
    committer.apply_pending_commit()
    welcome(output, newcomers)
    return output


def welcome(output: CommitOutput, joiners: Iterable[Oracle]) -> None:
    """Let all joiners in."""
    for joiner in joiners:
        if output.welcome is None:
            raise AssertionError("the commit adds members without a Welcome")
        joiner.join(output.welcome, output.ratchet_tree)


def propose(
    proposer: Oracle,
    others: Iterable[Oracle],
    proposal: Proposal,
    sending: Sending = AS_USUAL,
) -> None:
    """Send a proposal that all others cache."""
    message = proposer.propose(proposal, sending)
    for member in others:
        event = member.process(message)
        if event != ProposalCached():
            raise AssertionError(f"{member.identity!r} took a proposal as {event}")


def leaf_of(member: Oracle, among: Oracle) -> int:
    """Where a member sits, as another member sees the tree."""
    return next(
        seat.leaf_index for seat in among.members() if seat.identity == member.identity
    )


def require_agreement(*members: Oracle) -> None:
    """All members have the same epoch secret and the same tree."""
    secrets = {member.exporter("agreement", b"context", 32) for member in members}
    trees = {member.ratchet_tree() for member in members}
    if len(secrets) != 1 or len(trees) != 1:
        raise AssertionError(f"{len(secrets)} epoch secrets and {len(trees)} trees")


def require_delivery(sender: Oracle, *receivers: Oracle) -> None:
    """A message of the sender is readable to all receivers."""
    message = sender.send(b"a message")
    for receiver in receivers:
        plaintext = getattr(receiver.process(message), "plaintext", None)
        if plaintext != b"a message":
            raise AssertionError(f"{receiver.identity!r} read {plaintext!r}")
