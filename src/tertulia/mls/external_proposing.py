"""Proposals from outside a group (RFC 9420 section 12.1.8).

They travel as PublicMessages: whoever is outside has no keys to encrypt with.
"""

from dataclasses import dataclass

from tertulia.crypto import CipherSuite, Secret
from tertulia.mls.framing import (
    ExternalSenderIndex,
    FramedContent,
    NewMemberProposal,
    ProposalContent,
    Sender,
    WireFormat,
    sign,
)
from tertulia.mls.key_package import KeyPackageSecrets
from tertulia.mls.proposal import Add, Proposal
from tertulia.mls.proposal_list import check_sender_may_propose
from tertulia.mls.public_message import PublicMessage


@dataclass(frozen=True, slots=True)
class Address:
    """The group and epoch that an outsider speaks to."""

    group_id: bytes
    epoch: int
    authenticated_data: bytes = b""


@dataclass(frozen=True, slots=True)
class OutsideSigner:
    """One of a group's external senders: its place in the list, and its key."""

    suite: CipherSuite
    sender_index: int
    signature_key: Secret


def propose_from_outside(
    signer: OutsideSigner, address: Address, proposal: Proposal
) -> PublicMessage:
    """Return a proposal by an external sender; raise InvalidError if not allowed."""
    sender = ExternalSenderIndex(signer.sender_index)
    return _propose(signer.suite, signer.signature_key, address, sender, proposal)


def propose_to_be_added(mine: KeyPackageSecrets, address: Address) -> PublicMessage:
    """Return a proposal to add the holder of a key package, by itself."""
    identity = mine.identity
    return _propose(
        identity.suite,
        identity.signature_key.private,
        address,
        NewMemberProposal(),
        Add(mine.key_package),
    )


def _propose(
    suite: CipherSuite,
    key: Secret,
    address: Address,
    sender: Sender,
    proposal: Proposal,
) -> PublicMessage:
    check_sender_may_propose(proposal, sender)
    content = FramedContent(
        address.group_id,
        address.epoch,
        sender,
        address.authenticated_data,
        ProposalContent(proposal),
    )
    signed = sign(suite, key, WireFormat.PUBLIC_MESSAGE, content)
    return PublicMessage(signed.content, signed.auth)
