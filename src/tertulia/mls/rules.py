"""What a receiver must check, as a table: rule, section of RFC 9420, sentence.

A refusal names its rule. docs/mls-validation.md is generated from this table, with
the function that checks each rule and the test that breaks it.
"""

from enum import Enum


class Rule(Enum):
    """A rule that every member checks in the same way: name, section, sentence."""

    # Framing
    ENCODING = ("encoding", "2.1", "bytes are the one encoding of their type")
    VERSION = ("version", "6", "the protocol version is mls10")
    GROUP_ID = ("group-id", "6", "a message names the group it is received in")
    EPOCH = ("epoch", "6", "a message names the current epoch")
    SENDER_LEAF = ("sender-leaf", "6.1", "the sender's leaf is not blank")
    SENDER_TYPE = (
        "sender-type",
        "6",
        "application data and commits come from members, or a commit from a joiner",
    )
    EXTERNAL_SENDER = (
        "external-sender",
        "12.1.8.1",
        "an external sender is listed in the group's external_senders",
    )
    SIGNATURE = ("signature", "6.1", "the signature of a message verifies")
    MEMBERSHIP_TAG = (
        "membership-tag",
        "6.2",
        "the membership tag of a member's PublicMessage verifies",
    )
    PUBLIC_APPLICATION = (
        "public-application",
        "6.2",
        "application data is never sent as a PublicMessage",
    )
    CIPHERTEXT = ("ciphertext", "6.3", "sender data and content of a message open")
    PADDING = ("padding", "6.3.1", "padding is zero bytes only")
    GENERATION = (
        "generation",
        "9.1",
        "a generation is used once, and not too far ahead of those before it",
    )

    # Leaf nodes and key packages
    LEAF_SIGNATURE = ("leaf-signature", "7.3", "the signature of a leaf node verifies")
    LEAF_SOURCE = (
        "leaf-source",
        "7.3",
        "the source of a leaf node is what its place demands",
    )
    LEAF_LIFETIME = (
        "leaf-lifetime",
        "7.3",
        "a key package is chosen within its leaf's lifetime",
    )
    LEAF_EXTENSIONS = (
        "leaf-extensions",
        "7.3",
        "a leaf's extensions are listed in its capabilities",
    )
    LEAF_CREDENTIAL = (
        "leaf-credential",
        "7.3",
        "every credential type in use is listed in the capabilities of every leaf",
    )
    REQUIRED_CAPABILITIES = (
        "required-capabilities",
        "7.3",
        "every leaf lists what the group's required_capabilities demand",
    )
    GROUP_EXTENSIONS = (
        "group-extensions",
        "12.1.7",
        "every leaf supports every extension in the GroupContext",
    )
    SIGNATURE_KEY_UNIQUE = (
        "signature-key-unique",
        "7.3",
        "no two leaves have the same signature key",
    )
    ENCRYPTION_KEY_UNIQUE = (
        "encryption-key-unique",
        "7.3",
        "no two nodes have the same encryption key",
    )
    ENCRYPTION_KEY_VALID = (
        "encryption-key-valid",
        "5.1.3",
        "an encryption key is a valid key of the suite's KEM",
    )
    CREDENTIAL = ("credential", "5.3.1", "the application accepts the credential")
    KEY_PACKAGE_SUITE = (
        "key-package-suite",
        "10.1",
        "version and suite of a key package are the group's",
    )
    KEY_PACKAGE_SIGNATURE = (
        "key-package-signature",
        "10.1",
        "the signature of a key package verifies",
    )
    KEY_PACKAGE_INIT_KEY = (
        "key-package-init-key",
        "10.1",
        "init key and encryption key of a key package differ",
    )

    # Ratchet tree
    TREE_SHAPE = (
        "tree-shape",
        "7.4.1",
        "leaves and parents stand in their places, the last node is not blank, and the "
        "right half has a member",
    )
    TREE_HASH = (
        "tree-hash",
        "7.8",
        "the tree has the hash that the GroupContext names",
    )
    PARENT_HASH = ("parent-hash", "7.9.2", "every parent node has a valid parent hash")
    UNMERGED_LEAVES = (
        "unmerged-leaves",
        "12.4.3.1",
        "unmerged leaves are sorted, present, below their node and listed on the way",
    )

    # Proposals
    PROPOSAL_REFERENCE = (
        "proposal-reference",
        "12.4",
        "a commit refers to proposals that were received in its epoch",
    )
    PROPOSAL_LIMIT = (
        "proposal-limit",
        "12.1",
        "an epoch has at most as many pending proposals as limits.py allows",
    )
    PROPOSAL_SENDER = (
        "proposal-sender",
        "12.1.8",
        "outsiders propose only what section 12.1.8 allows them",
    )
    UPDATE_BY_COMMITTER = (
        "update-by-committer",
        "12.2",
        "a commit holds no Update by its committer",
    )
    UPDATE_BY_VALUE = (
        "update-by-value",
        "12.2",
        "an Update is committed by reference, for only its sender can make it",
    )
    UPDATE_KEY = (
        "update-key",
        "12.1.2",
        "an Update, or a joiner who replaces a leaf, brings a new encryption key",
    )
    REMOVE_COMMITTER = (
        "remove-committer",
        "12.2",
        "a commit does not remove its committer",
    )
    REMOVE_LEAF = ("remove-leaf", "12.1.3", "a Remove names a leaf that is not blank")
    ONE_CHANGE_PER_LEAF = (
        "one-change-per-leaf",
        "12.2",
        "at most one Update or Remove applies to a leaf",
    )
    ADD_ONCE = ("add-once", "12.2", "no client is added twice or while it is a member")
    PSK_ONCE = ("psk-once", "12.2", "no PreSharedKeyID stands twice in a commit")
    PSK_NONCE = ("psk-nonce", "12.1.4", "a psk_nonce has the size of the KDF")
    PSK_USAGE = (
        "psk-usage",
        "12.1.4",
        "resumption PSKs in proposals are of usage application",
    )
    ONE_GROUP_CONTEXT_EXTENSIONS = (
        "one-group-context-extensions",
        "12.2",
        "a commit holds at most one GroupContextExtensions",
    )
    EXTENSION_ONCE = (
        "extension-once",
        "13",
        "no extension type stands twice in a list",
    )
    REINIT_ALONE = ("reinit-alone", "12.2", "a ReInit is committed alone")
    REINIT_VERSION = (
        "reinit-version",
        "12.1.5",
        "a ReInit does not go back to an older version",
    )
    EXTERNAL_INIT_BY_MEMBER = (
        "external-init-by-member",
        "12.2",
        "a member's commit holds no ExternalInit",
    )
    REINIT_PENDING = ("reinit-pending", "11.2", "after a ReInit no epoch follows")

    # Commits
    PATH_REQUIRED = (
        "path-required",
        "12.4",
        "a commit with Update, Remove, ExternalInit, GroupContextExtensions, or with "
        "no proposal, has a path",
    )
    PATH_LENGTH = (
        "path-length",
        "7.5",
        "a path has one node for each of the sender's filtered direct path",
    )
    PATH_CIPHERTEXTS = (
        "path-ciphertexts",
        "7.6",
        "each path node has one ciphertext for each node of the copath's resolution, "
        "new leaves excluded",
    )
    PATH_KEY = (
        "path-key",
        "12.4.2",
        "a path brings encryption keys that were not in the tree",
    )
    PATH_PARENT_HASH = (
        "path-parent-hash",
        "7.9.2",
        "the parent hash in a path's leaf is that of the path",
    )
    CONFIRMATION_TAG = ("confirmation-tag", "6.1", "the confirmation tag verifies")
    POLICY = ("policy", "12.4.2", "the application accepts the commit")

    # External commits
    EXTERNAL_INIT_ONCE = (
        "external-init-once",
        "12.2",
        "an external commit holds exactly one ExternalInit",
    )
    EXTERNAL_PROPOSALS = (
        "external-proposals",
        "12.2",
        "an external commit holds, besides, PreSharedKeys and at most one Remove",
    )
    EXTERNAL_BY_VALUE = (
        "external-by-value",
        "12.4.3.2",
        "an external commit holds its proposals by value",
    )
    EXTERNAL_KEM_OUTPUT = (
        "external-kem-output",
        "8.3",
        "the kem_output of an ExternalInit opens with the group's external key",
    )

    # Welcome
    WELCOME_SUITE = (
        "welcome-suite",
        "12.4.3.1",
        "Welcome, GroupInfo and key package are of one suite",
    )
    WELCOME_RECIPIENT = (
        "welcome-recipient",
        "12.4.3.1",
        "the Welcome has an entry for the key package",
    )
    WELCOME_SECRETS = ("welcome-secrets", "12.4.3.1", "the joiner's secrets open")
    WELCOME_PSKS = (
        "welcome-psks",
        "12.4.3.1",
        "a reinit or branch PSK is the only one, the expected one, and starts epoch 1",
    )
    SUCCESSOR_PARAMETERS = (
        "successor-parameters",
        "12.4.3.1",
        "a successor is as its ReInit said, a branch has its group's version and suite",
    )
    SUCCESSOR_MEMBERS = (
        "successor-members",
        "12.4.3.1",
        "a successor has all members of the old group, a branch has no others",
    )
    WELCOME_LEAF = (
        "welcome-leaf",
        "12.4.3.1",
        "the joiner's leaf is in the tree",
    )
    WELCOME_PATH_SECRET = (
        "welcome-path-secret",
        "12.4.3.1",
        "the path secret in a Welcome fits the tree",
    )
    GROUP_INFO_SIGNATURE = (
        "group-info-signature",
        "12.4.3",
        "the signature of a GroupInfo by the leaf it names verifies",
    )
    GROUP_INFO_TREE = (
        "group-info-tree",
        "12.4.3.3",
        "the tree comes with the GroupInfo or beside it",
    )
    EXTERNAL_PUB = (
        "external-pub",
        "12.4.3.2",
        "a GroupInfo for external joiners holds external_pub",
    )

    def __init__(self, rule_id: str, section: str, sentence: str) -> None:
        self.rule_id = rule_id
        self.section = section
        self.sentence = sentence
