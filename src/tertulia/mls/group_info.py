"""GroupInfo: an epoch as joiners need to know it (RFC 9420 section 12.4.3)."""

from dataclasses import dataclass, replace
from typing import Annotated

from tertulia.codec import Opaque, Struct, uint32
from tertulia.crypto import CipherSuite, CryptoError, Secret
from tertulia.mls.errors import InvalidError
from tertulia.mls.extension import (
    EXTENSIONS,
    Extension,
    Extensions,
    ExtensionType,
    ExternalPub,
    check_unique_types,
    find_extension,
)
from tertulia.mls.group import Group
from tertulia.mls.group_context import GroupContext
from tertulia.mls.leaf_node import MLS10
from tertulia.mls.limits import MAX_DIGEST, MAX_SIGNATURE
from tertulia.mls.ratchet_tree import RatchetTree, decode_tree
from tertulia.mls.rules import Rule
from tertulia.mls.unverified import Unverified

_LABEL = "GroupInfoTBS"


@dataclass(frozen=True, slots=True)
class GroupInfo(Struct):
    """The public state of a group, signed by a member."""

    group_context: GroupContext
    extensions: Annotated[Extensions, EXTENSIONS]
    confirmation_tag: Annotated[bytes, Opaque(MAX_DIGEST)]
    signer: Annotated[int, uint32]
    signature: Annotated[bytes, Opaque(MAX_SIGNATURE)]

    def sign(self, suite: CipherSuite, key: Secret) -> "GroupInfo":
        """Return this GroupInfo signed by `key`."""
        content = self.encode_before("signature")
        signature = suite.sign_with_label(key, _LABEL, content)
        return replace(self, signature=signature)

    def verify_signature(self, suite: CipherSuite, key: bytes) -> None:
        """Raise InvalidError unless `key` signed this."""
        content = self.encode_before("signature")
        try:
            suite.verify_with_label(key, _LABEL, content, self.signature)
        except CryptoError as error:
            raise InvalidError(Rule.GROUP_INFO_SIGNATURE, str(error)) from error


def make_group_info(
    group: Group,
    extensions: Extensions = (),
    *,
    tree: bool = True,
    external_pub: bool = True,
) -> GroupInfo:
    """Return this epoch's GroupInfo with the application's `extensions`, signed by me.

    Without `tree`, joiners must get the tree separately; without `external_pub`, they
    cannot join by an external commit.
    """
    suite = group.suite
    offered = list(extensions)
    if tree:
        offered.append(Extension(ExtensionType.RATCHET_TREE, group.tree.encode()))
    if external_pub:
        key = ExternalPub(group.epoch.secrets.external_key_pair(suite).public)
        offered.append(Extension(ExtensionType.EXTERNAL_PUB, key.encode()))
    return GroupInfo(
        group_context=group.context,
        extensions=tuple(offered),
        confirmation_tag=group.epoch.confirmation_tag,
        signer=group.leaf_index,
        signature=b"",
    ).sign(suite, group.epoch.signature_key)


def verify_group_info(
    unverified: Unverified[GroupInfo],
    suite: CipherSuite,
    separate_tree: RatchetTree | None,
) -> tuple[GroupInfo, RatchetTree]:
    """Return GroupInfo and tree once signer and tree hash are right.

    The tree stands in the GroupInfo's extensions or comes separately. What the tree
    holds is for `tree_validation` to judge. Raises InvalidError, CodecError.
    """
    group_info = unverified.take_for_checking()
    context = group_info.group_context
    if context.version != MLS10:
        raise InvalidError(Rule.VERSION, f"a group of version {context.version}")
    if context.cipher_suite != suite.id:
        raise InvalidError(Rule.WELCOME_SUITE)
    check_unique_types(group_info.extensions)
    check_unique_types(context.extensions)
    tree = separate_tree
    if tree is None:
        data = find_extension(group_info.extensions, ExtensionType.RATCHET_TREE)
        if data is None:
            raise InvalidError(Rule.GROUP_INFO_TREE)
        tree = decode_tree(data)
    if tree.tree_hash(suite) != context.tree_hash:
        raise InvalidError(Rule.TREE_HASH)
    signer = tree.leaf(group_info.signer)
    if signer is None:
        raise InvalidError(Rule.GROUP_INFO_SIGNATURE, "the signer's leaf is blank")
    group_info.verify_signature(suite, signer.signature_key)
    return group_info, tree
