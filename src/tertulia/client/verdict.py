"""How rules of a room refuse, and the readings of a leaf that they share."""

from tertulia.client.identity import Member, credential_in, member_of
from tertulia.codec import CodecError
from tertulia.mls import InvalidError, LeafNode, RatchetTree, Rule
from tertulia.wire import DeviceCredential


def require(holds: bool, detail: str) -> None:  # noqa: FBT001
    """Refuse a commit, for the reason `detail`, unless a rule holds."""
    if not holds:
        raise InvalidError(Rule.POLICY, detail)


def leaf_at(tree: RatchetTree, leaf_index: int) -> LeafNode:
    """Return the leaf at an index; refuse if there is none."""
    leaf = tree.leaf(leaf_index)
    if leaf is None:
        raise InvalidError(Rule.POLICY, f"leaf {leaf_index} is blank")
    return leaf


def member(leaf: LeafNode) -> Member:
    """Return whom a leaf stands for; refuse if it does not say."""
    try:
        return member_of(leaf)
    except CodecError as error:
        raise InvalidError(Rule.CREDENTIAL, str(error)) from error


def certificate(leaf: LeafNode) -> DeviceCredential:
    """Return the certificate in a leaf; refuse if there is none."""
    try:
        return credential_in(leaf)
    except CodecError as error:
        raise InvalidError(Rule.CREDENTIAL, str(error)) from error
