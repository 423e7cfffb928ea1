"""Messaging Layer Security, RFC 9420: the engine behind every room.

Values in, values out: no I/O, no clock, randomness passed in. `docs/mls.md` is the guide.
"""

from tertulia.mls.commit import ByReference, ByValue, Commit
from tertulia.mls.committing import CommitPlan, Committed, commit
from tertulia.mls.credential import (
    BasicCredential,
    Credential,
    CredentialType,
    X509Credential,
)
from tertulia.mls.errors import (
    InvalidError,
    MisuseError,
    OutOfStepError,
    StateError,
    UnknownPskError,
)
from tertulia.mls.extension import (
    Extension,
    Extensions,
    ExtensionType,
    ExternalSender,
    RequiredCapabilities,
    external_senders_extension,
    find_extension,
    required_capabilities_extension,
)
from tertulia.mls.external_joining import (
    ExternalJoin,
    JoinedExternally,
    join_externally,
)
from tertulia.mls.external_proposing import (
    Address,
    OutsideSigner,
    propose_from_outside,
    propose_to_be_added,
)
from tertulia.mls.founding import create_group
from tertulia.mls.framing import (
    ContentType,
    ExternalSenderIndex,
    MemberSender,
    NewMemberCommit,
    NewMemberProposal,
    Sender,
    WireFormat,
)
from tertulia.mls.group import Epoch, Group, PendingProposal, Traffic
from tertulia.mls.group_context import GroupContext
from tertulia.mls.group_info import GroupInfo, make_group_info
from tertulia.mls.joining import Aids, join
from tertulia.mls.key_package import (
    Identity,
    KeyPackage,
    KeyPackageSecrets,
    create_key_package,
    verify_key_package,
)
from tertulia.mls.leaf_node import MLS10, Capabilities, LeafNode, Lifetime
from tertulia.mls.message import Message, decode_message, encode_message
from tertulia.mls.policy import AcceptEverything, Change, Policy
from tertulia.mls.private_message import PrivateMessage
from tertulia.mls.proposal import (
    Add,
    ExternalInit,
    GroupContextExtensions,
    PreSharedKey,
    Proposal,
    ReInit,
    Remove,
    Update,
)
from tertulia.mls.proposal_list import SentProposal
from tertulia.mls.psk import (
    ExternalPSK,
    PreSharedKeyID,
    PSKs,
    ResumptionPSK,
    ResumptionPSKUsage,
    new_psk_id,
)
from tertulia.mls.public_message import PublicMessage
from tertulia.mls.ratchet_tree import Node, ParentNode, RatchetTree, decode_tree
from tertulia.mls.receiving import (
    Received,
    ReceivedApplication,
    ReceivedCommit,
    ReceivedProposal,
    RemovedFromGroup,
    UnfitPathError,
    receive,
)
from tertulia.mls.rules import Rule
from tertulia.mls.secret_field import SecretField
from tertulia.mls.sending import (
    PRIVATE,
    PUBLIC,
    Framing,
    propose,
    propose_update,
    protect,
)
from tertulia.mls.state import (
    changed_rows,
    load_group,
    load_key_package,
    save_epoch,
    save_key_package,
    save_traffic,
)
from tertulia.mls.succession import (
    Founder,
    NewGroup,
    branch,
    join_branch,
    join_successor,
    reinitialize,
)
from tertulia.mls.tree_patch import TreePatch, patched_tree, tree_difference
from tertulia.mls.unverified import Unverified
from tertulia.mls.welcome import Welcome

__all__ = [
    "MLS10",
    "PRIVATE",
    "PUBLIC",
    "AcceptEverything",
    "Add",
    "Address",
    "Aids",
    "BasicCredential",
    "ByReference",
    "ByValue",
    "Capabilities",
    "Change",
    "Commit",
    "CommitPlan",
    "Committed",
    "ContentType",
    "Credential",
    "CredentialType",
    "Epoch",
    "Extension",
    "ExtensionType",
    "Extensions",
    "ExternalInit",
    "ExternalJoin",
    "ExternalPSK",
    "ExternalSender",
    "ExternalSenderIndex",
    "Founder",
    "Framing",
    "Group",
    "GroupContext",
    "GroupContextExtensions",
    "GroupInfo",
    "Identity",
    "InvalidError",
    "JoinedExternally",
    "KeyPackage",
    "KeyPackageSecrets",
    "LeafNode",
    "Lifetime",
    "MemberSender",
    "Message",
    "MisuseError",
    "NewGroup",
    "NewMemberCommit",
    "NewMemberProposal",
    "Node",
    "OutOfStepError",
    "OutsideSigner",
    "PSKs",
    "ParentNode",
    "PendingProposal",
    "Policy",
    "PreSharedKey",
    "PreSharedKeyID",
    "PrivateMessage",
    "Proposal",
    "PublicMessage",
    "RatchetTree",
    "ReInit",
    "Received",
    "ReceivedApplication",
    "ReceivedCommit",
    "ReceivedProposal",
    "Remove",
    "RemovedFromGroup",
    "RequiredCapabilities",
    "ResumptionPSK",
    "ResumptionPSKUsage",
    "Rule",
    "SecretField",
    "Sender",
    "SentProposal",
    "StateError",
    "Traffic",
    "TreePatch",
    "UnfitPathError",
    "UnknownPskError",
    "Unverified",
    "Update",
    "Welcome",
    "WireFormat",
    "X509Credential",
    "branch",
    "changed_rows",
    "commit",
    "create_group",
    "create_key_package",
    "decode_message",
    "decode_tree",
    "encode_message",
    "external_senders_extension",
    "find_extension",
    "join",
    "join_branch",
    "join_externally",
    "join_successor",
    "load_group",
    "load_key_package",
    "make_group_info",
    "new_psk_id",
    "patched_tree",
    "propose",
    "propose_from_outside",
    "propose_to_be_added",
    "propose_update",
    "protect",
    "receive",
    "reinitialize",
    "required_capabilities_extension",
    "save_epoch",
    "save_key_package",
    "save_traffic",
    "tree_difference",
    "verify_key_package",
]
