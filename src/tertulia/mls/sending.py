"""What a member sends besides commits: application data and proposals."""

from dataclasses import dataclass, replace

from tertulia.crypto import Rng
from tertulia.mls.errors import MisuseError
from tertulia.mls.framing import (
    ApplicationContent,
    AuthenticatedContent,
    Content,
    FramedContent,
    MemberSender,
    ProposalContent,
    WireFormat,
    sign,
)
from tertulia.mls.group import Group, PendingProposal
from tertulia.mls.key_package import new_leaf
from tertulia.mls.leaf_node import UpdateSource
from tertulia.mls.private_message import (
    Padding,
    PrivateMessage,
    seal_private_message,
)
from tertulia.mls.proposal import Proposal, Update
from tertulia.mls.proposal_list import SentProposal
from tertulia.mls.public_message import PublicMessage, make_public_message


@dataclass(frozen=True, slots=True)
class Framing:
    """How a message travels: encrypted unless said otherwise.

    `authenticated_data` is readable by everybody and covered by the signature;
    `padding` zero bytes are added to the plaintext of a PrivateMessage; a function gets
    the size of the plaintext, signature included, and returns how many.
    """

    wire_format: WireFormat = WireFormat.PRIVATE_MESSAGE
    authenticated_data: bytes = b""
    padding: Padding = 0


PRIVATE = Framing()
PUBLIC = Framing(WireFormat.PUBLIC_MESSAGE)


def protect(
    group: Group, data: bytes, rng: Rng, framing: Framing = PRIVATE
) -> tuple[Group, PrivateMessage]:
    """Encrypt application `data` to the group (section 15).

    Save the returned group before the message leaves: its key is used up. Raises
    MisuseError for another `framing` than that of a PrivateMessage, and if proposals
    wait for a commit, for then members may be about to leave.
    """
    group.check_open()
    if group.traffic.proposals:
        raise MisuseError("commit the pending proposals before sending (section 12.4)")
    signed = sign_content(group, ApplicationContent(data), framing)
    return _seal(group, signed, framing.padding, rng)


def propose(
    group: Group, proposal: Proposal, rng: Rng, framing: Framing = PRIVATE
) -> tuple[Group, PublicMessage | PrivateMessage]:
    """Send a proposal for somebody to commit; an Update needs `propose_update`."""
    if isinstance(proposal, Update):
        raise MisuseError("propose_update makes Updates, and keeps their private key")
    return _propose(group, PendingProposal(_mine(group, proposal)), rng, framing)


def propose_update(
    group: Group, rng: Rng, framing: Framing = PRIVATE
) -> tuple[Group, PublicMessage | PrivateMessage]:
    """Propose a fresh encryption key for my leaf (section 12.1.2)."""
    key = group.suite.generate_kem_key_pair(rng)
    leaf = new_leaf(group.identity, key.public, UpdateSource(), group.place)
    pending = PendingProposal(_mine(group, Update(leaf)), leaf_key=key.private)
    return _propose(group, pending, rng, framing)


def _mine(group: Group, proposal: Proposal) -> SentProposal:
    return SentProposal(proposal, MemberSender(group.leaf_index))


def _propose(
    group: Group, pending: PendingProposal, rng: Rng, framing: Framing
) -> tuple[Group, PublicMessage | PrivateMessage]:
    group.check_open()
    signed = sign_content(group, ProposalContent(pending.sent.proposal), framing)
    reference = signed.proposal_ref(group.suite)
    group, message = frame(group, signed, framing.padding, rng)
    sent = replace(pending.sent, reference=reference)
    return group.with_proposal(reference, replace(pending, sent=sent)), message


def sign_content(
    group: Group, content: Content, framing: Framing
) -> AuthenticatedContent:
    """Return `content` as I say it in this epoch, signed."""
    framed = FramedContent(
        group.context.group_id,
        group.context.epoch,
        MemberSender(group.leaf_index),
        framing.authenticated_data,
        content,
    )
    return sign(
        group.suite,
        group.epoch.signature_key,
        framing.wire_format,
        framed,
        group.context,
    )


def frame(
    group: Group, signed: AuthenticatedContent, padding: Padding, rng: Rng
) -> tuple[Group, PublicMessage | PrivateMessage]:
    """Return my signed content as it travels, and the group after it."""
    if signed.wire_format is WireFormat.PUBLIC_MESSAGE:
        membership_key = group.epoch.secrets.membership_key
        return group, make_public_message(
            group.suite, membership_key, signed, group.context
        )
    return _seal(group, signed, padding, rng)


def _seal(
    group: Group, signed: AuthenticatedContent, padding: Padding, rng: Rng
) -> tuple[Group, PrivateMessage]:
    secret_tree, message = seal_private_message(
        group.suite, group.private_message_keys(), signed, padding, rng
    )
    return group.with_secret_tree(secret_tree), message
