"""Our engine behind the same interface as the oracles, so that groups can be mixed.

The engine deals in values: a member here holds the latest one, and what an application
would hold beside it: pre-shared keys, key packages not yet used, the commit that waits,
and the last epochs for messages that come late.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import assert_never

from tertulia import mls
from tertulia.crypto import CipherSuite, Secret, cipher_suite, system_rng
from tertulia.errors import TertuliaError
from tests.interop.oracles.oracle import (
    AS_USUAL,
    Add,
    ApplicationMessage,
    CommitOutput,
    EpochEntered,
    Extension,
    ExternalPsk,
    Framing,
    GroupContextExtensions,
    GroupReInitialised,
    Member,
    MemberRemoved,
    Processed,
    Proposal,
    ProposalCached,
    Refused,
    ReInit,
    Remove,
    Resumed,
    ResumptionPsk,
    Sending,
    Update,
    Usage,
)

SUITE = cipher_suite(1)
POLICY = mls.AcceptEverything()
CLOCK_SLACK_SECONDS = 3600
LIFETIME_SECONDS = 90 * 24 * 3600
KEPT_EPOCHS = 4
OURS = "tertulia"
_USAGES = {
    Usage.BRANCH: mls.ResumptionPSKUsage.BRANCH,
    Usage.REINIT: mls.ResumptionPSKUsage.REINIT,
}


class Ours:
    """The engine; it has nothing to start and nothing to end."""

    name = OURS

    def __init__(self, suite: CipherSuite = SUITE) -> None:
        self._suite = suite

    def member(
        self,
        identity: bytes,
        *,
        extension_types: tuple[int, ...] = (),
        tree_in_welcome: bool = True,
    ) -> "OurMember":
        return OurMember(
            mls.Identity(
                self._suite,
                mls.BasicCredential(identity),
                self._suite.generate_signature_key_pair(system_rng),
                mls.Capabilities(
                    cipher_suites=(self._suite.id,), extensions=extension_types
                ),
            ),
            tree_in_welcome=tree_in_welcome,
        )

    def close(self) -> None:
        """Nothing is held."""


@dataclass(frozen=True, slots=True)
class _Past:
    """Epochs that are over, kept for application messages that come late."""

    groups: Mapping[int, mls.Group]

    def with_group(self, group: mls.Group) -> "_Past":
        groups = {**self.groups, group.context.epoch: group}
        return _Past(dict(sorted(groups.items())[-KEPT_EPOCHS:]))


class OurMember:
    """One client and the one group it is in.

    Like the oracles it commits Adds and PSKs without a path, unless `always_path`.
    """

    always_path = False

    def __init__(
        self,
        identity: mls.Identity,
        *,
        group: mls.Group | None = None,
        tree_in_welcome: bool = True,
    ) -> None:
        self._identity = identity
        self._suite = identity.suite
        self._tree_in_welcome = tree_in_welcome
        self._key_packages: list[mls.KeyPackageSecrets] = []
        self._psks: dict[mls.ExternalPSK | mls.ResumptionPSK, Secret] = {}
        self._in_group = group
        self._pending: mls.Group | None = None
        self._past = _Past({})

    @property
    def identity(self) -> bytes:
        credential = self._identity.credential
        return (
            credential.identity if isinstance(credential, mls.BasicCredential) else b""
        )

    @property
    def group(self) -> mls.Group:
        """The group as it is now; raise Refused outside of one."""
        if self._in_group is None:
            raise Refused("NoGroup", "not in a group")
        return self._in_group

    def key_package(self) -> bytes:
        made = mls.create_key_package(self._identity, _lifetime(), system_rng)
        self._key_packages.append(made)
        return mls.encode_message(made.key_package)

    def add_external_psk(self, psk_id: bytes, psk: bytes) -> None:
        self._psks[mls.ExternalPSK(psk_id)] = Secret(psk)

    def create_group(
        self, group_id: bytes, extensions: tuple[Extension, ...] = ()
    ) -> None:
        with _refusals():
            self._in_group = mls.create_group(
                self._identity, group_id, _lifetime(), system_rng, _ours(extensions)
            )

    def join(self, welcome: bytes, ratchet_tree: bytes | None = None) -> None:
        with _refusals():
            message = _welcome(welcome)
            self._in_group = mls.join(
                message, self._recipient(message), POLICY, self._aids(ratchet_tree)
            )

    def _recipient(self, message: mls.Welcome) -> mls.KeyPackageSecrets:
        named = {entry.new_member for entry in message.secrets}
        for made in self._key_packages:
            if made.key_package.reference(self._suite) in named:
                return made
        raise Refused("NoKeyPackage", "the Welcome is for somebody else")

    def _aids(self, ratchet_tree: bytes | None) -> mls.Aids:
        tree = None if ratchet_tree is None else mls.decode_tree(ratchet_tree)
        return mls.Aids(self._psks, tree)

    def external_join(
        self,
        group_info: bytes,
        ratchet_tree: bytes | None = None,
        *,
        resync: bool = False,
        external_psks: tuple[bytes, ...] = (),
        authenticated_data: bytes = b"",
    ) -> bytes:
        with _refusals():
            plan = mls.ExternalJoin(
                self._identity,
                self._aids(ratchet_tree),
                replaces=self.group.leaf_index if resync else None,
                psk_ids=[
                    self._use_of(mls.ExternalPSK(psk_id)) for psk_id in external_psks
                ],
                authorize=lambda _kem_output, _leaf: authenticated_data,
            )
            joined = mls.join_externally(
                _group_info(group_info), plan, POLICY, system_rng
            )
        self._pending = joined.group
        return mls.encode_message(joined.message)

    def propose_own_add(self, group_info: bytes) -> bytes:
        with _refusals():
            context = _group_info(group_info).take_for_checking().group_context
            address = mls.Address(context.group_id, context.epoch)
            made = mls.create_key_package(self._identity, _lifetime(), system_rng)
            self._key_packages.append(made)
            return mls.encode_message(mls.propose_to_be_added(made, address))

    def commit(
        self, proposals: tuple[Proposal, ...] = (), sending: Sending = AS_USUAL
    ) -> CommitOutput:
        with _refusals():
            plan = mls.CommitPlan(
                proposals=[self._proposal(proposal) for proposal in proposals],
                references=_committable(self.group),
                psks=self._psks,
                framing=_framing(sending),
                path=self.always_path,
                tree_in_welcome=self._tree_in_welcome,
            )
            made = mls.commit(self.group, plan, POLICY, system_rng)
        self._in_group, self._pending = made.before, made.after
        if made.welcome is None:
            return CommitOutput(mls.encode_message(made.message), None, None)
        return CommitOutput(
            commit=mls.encode_message(made.message),
            welcome=mls.encode_message(made.welcome),
            ratchet_tree=None if self._tree_in_welcome else made.after.tree.encode(),
        )

    def apply_pending_commit(self) -> None:
        if self._pending is None:
            raise Refused("NoPendingCommit", "nothing to apply")
        self._enter(self._pending)

    def clear_pending_commit(self) -> None:
        self._pending = None

    def _enter(self, group: mls.Group) -> None:
        if self._in_group is not None:
            self._past = self._past.with_group(self._in_group)
        self._in_group, self._pending = group, None

    def propose(self, proposal: Proposal, sending: Sending = AS_USUAL) -> bytes:
        framing = _framing(sending)
        with _refusals():
            if isinstance(proposal, Update):
                self._in_group, message = mls.propose_update(
                    self.group, system_rng, framing
                )
            else:
                self._in_group, message = mls.propose(
                    self.group, self._proposal(proposal), system_rng, framing
                )
        return mls.encode_message(message)

    def _proposal(self, proposal: Proposal) -> mls.Proposal:
        match proposal:
            case Add(key_package):
                return mls.Add(_verified(self._suite, key_package))
            case Remove(leaf_index):
                return mls.Remove(leaf_index)
            case ExternalPsk(psk_id):
                return mls.PreSharedKey(self._use_of(mls.ExternalPSK(psk_id)))
            case ResumptionPsk(epoch):
                psk = mls.ResumptionPSK(
                    mls.ResumptionPSKUsage.APPLICATION,
                    self.group.context.group_id,
                    epoch,
                )
                return mls.PreSharedKey(self._use_of(psk))
            case GroupContextExtensions(extensions):
                return mls.GroupContextExtensions(_ours(extensions))
            case ReInit(group_id, extensions):
                return mls.ReInit(
                    group_id, mls.MLS10, self._suite.id, _ours(extensions)
                )
            case Update():
                raise Refused("OwnUpdate", "an Update is only sent standalone")
        assert_never(proposal)

    def send(self, plaintext: bytes, authenticated_data: bytes = b"") -> bytes:
        framing = mls.Framing(authenticated_data=authenticated_data)
        with _refusals():
            self._in_group, message = mls.protect(
                self.group, plaintext, system_rng, framing
            )
        return mls.encode_message(message)

    def process(self, message: bytes) -> Processed:
        with _refusals():
            decoded = _of_a_group(message)
            if isinstance(decoded, mls.PrivateMessage):
                past = self._past.groups.get(decoded.epoch)
                if past is not None:
                    return self._process_late(past, decoded)
            return self._processed(mls.receive(self.group, decoded, POLICY, self._psks))

    def _process_late(
        self, past: mls.Group, message: mls.PrivateMessage
    ) -> ApplicationMessage:
        received = mls.receive(past, message, POLICY, self._psks)
        if not isinstance(received, mls.ReceivedApplication):
            raise Refused("PastEpoch", "a handshake of an epoch that is over")
        self._past = self._past.with_group(received.group)
        return ApplicationMessage(received.data, received.authenticated_data)

    def _processed(self, received: mls.Received) -> Processed:
        match received:
            case mls.ReceivedApplication(group, _, data, authenticated_data):
                self._in_group = group
                return ApplicationMessage(data, authenticated_data)
            case mls.ReceivedProposal(group):
                self._in_group = group
                return ProposalCached()
            case mls.ReceivedCommit(group):
                self._enter(group)
                return EpochEntered() if group.reinit is None else GroupReInitialised()
            case mls.RemovedFromGroup():
                self._in_group = self._pending = None
                return MemberRemoved()
        assert_never(received)

    def exporter(self, label: str, context: bytes, length: int) -> bytes:
        return self.group.export(label, context, length).reveal()

    def epoch(self) -> int:
        return self.group.context.epoch

    def epoch_authenticator(self) -> bytes:
        return self.group.epoch_authenticator.reveal()

    def members(self) -> tuple[Member, ...]:
        return tuple(
            Member(leaf_index, leaf.credential.identity)
            for leaf_index, leaf in self.group.tree.members()
            if isinstance(leaf.credential, mls.BasicCredential)
        )

    def ratchet_tree(self) -> bytes:
        return self.group.tree.encode()

    def group_info(self, *, external_pub: bool, ratchet_tree: bool) -> bytes:
        group_info = mls.make_group_info(
            self.group, tree=ratchet_tree, external_pub=external_pub
        )
        return mls.encode_message(group_info)

    def reload(self) -> None:
        with _refusals():
            self._in_group = mls.load_group(
                mls.save_epoch(self.group.epoch),
                mls.save_traffic(self.group.traffic),
                mls.decode_tree(self.group.tree.encode()),
            )

    def resume(
        self, usage: Usage, group_id: bytes, key_packages: tuple[bytes, ...]
    ) -> Resumed:
        with _refusals():
            packages = [
                _verified(self._suite, key_package) for key_package in key_packages
            ]
            founder = mls.Founder(self._identity, _lifetime(), packages)
            if usage is Usage.REINIT:
                made = mls.reinitialize(self.group, founder, POLICY, system_rng)
            else:
                made = mls.branch(
                    self.group, mls.NewGroup(group_id), founder, POLICY, system_rng
                )
        if made.welcome is None:
            raise Refused("Alone", "a group of one resumes nothing")
        return Resumed(
            member=OurMember(self._identity, group=made.after),
            welcome=mls.encode_message(made.welcome),
            ratchet_tree=made.after.tree.encode(),
        )

    def join_resumed(
        self, usage: Usage, welcome: bytes, ratchet_tree: bytes | None = None
    ) -> "OurMember":
        message = _welcome(welcome)
        with _refusals():
            group = self._resumed(usage, message, ratchet_tree)
        return OurMember(self._identity, group=group)

    def _resumed(
        self, usage: Usage, message: mls.Welcome, ratchet_tree: bytes | None
    ) -> mls.Group:
        join = mls.join_successor if usage is Usage.REINIT else mls.join_branch
        mine = self._recipient(message)
        try:
            return join(self.group, message, mine, POLICY)
        except mls.InvalidError as error:
            if ratchet_tree is None or error.rule is not mls.Rule.GROUP_INFO_TREE:
                raise
        context = self.group.context
        psk = mls.ResumptionPSK(_USAGES[usage], context.group_id, context.epoch)
        secret = self.group.epoch.secrets.resumption_psk
        aids = mls.Aids({psk: secret}, mls.decode_tree(ratchet_tree), continues=psk)
        return mls.join(message, mine, POLICY, aids)

    def _use_of(self, psk: mls.ExternalPSK | mls.ResumptionPSK) -> mls.PreSharedKeyID:
        return mls.new_psk_id(self._suite, psk, system_rng)

    def close(self) -> None:
        self._in_group = self._pending = None


def _lifetime() -> mls.Lifetime:
    """A lifetime by the real clock, which the oracles look at too."""
    now = int(time.time())
    return mls.Lifetime(now - CLOCK_SLACK_SECONDS, now + LIFETIME_SECONDS)


def _committable(group: mls.Group) -> list[bytes]:
    """The cached proposals that this member may commit together (section 12.2).

    Not its own Updates nor its own Remove; of those for one leaf the latest.
    """
    chosen: dict[object, bytes] = {}
    for reference, pending in group.traffic.proposals.items():
        proposal, sender = pending.sent.proposal, pending.sent.sender
        match proposal:
            case mls.Update() if isinstance(sender, mls.MemberSender):
                leaf: object = sender.leaf_index
            case mls.Remove(leaf_index):
                leaf = leaf_index
            case _:
                leaf = reference
        if leaf != group.leaf_index:
            chosen[leaf] = reference
    return list(chosen.values())


def _of_a_group(data: bytes) -> mls.PublicMessage | mls.PrivateMessage:
    message = mls.decode_message(data)
    if not isinstance(message, mls.PublicMessage | mls.PrivateMessage):
        raise Refused("WrongWireFormat", f"not for a {type(message).__name__}")
    return message


def _welcome(data: bytes) -> mls.Welcome:
    message = mls.decode_message(data)
    if not isinstance(message, mls.Welcome):
        raise Refused("WrongWireFormat", "this is no Welcome")
    return message


def _unverified(data: bytes) -> mls.GroupInfo | mls.KeyPackage:
    message = mls.decode_message(data)
    if not isinstance(message, mls.Unverified):
        raise Refused("WrongWireFormat", "neither GroupInfo nor key package")
    return message.take_for_checking()


def _group_info(data: bytes) -> mls.Unverified[mls.GroupInfo]:
    group_info = _unverified(data)
    if not isinstance(group_info, mls.GroupInfo):
        raise Refused("WrongWireFormat", "this is no GroupInfo")
    return mls.Unverified(group_info)


def _verified(suite: CipherSuite, data: bytes) -> mls.KeyPackage:
    key_package = _unverified(data)
    if not isinstance(key_package, mls.KeyPackage):
        raise Refused("WrongWireFormat", "this is no key package")
    return mls.verify_key_package(
        mls.Unverified(key_package), suite, now=int(time.time())
    )


def _framing(sending: Sending) -> mls.Framing:
    wire_format = mls.WireFormat.PRIVATE_MESSAGE
    if sending.framing is Framing.PUBLIC:
        wire_format = mls.WireFormat.PUBLIC_MESSAGE
    return mls.Framing(wire_format, sending.authenticated_data)


def _ours(extensions: tuple[Extension, ...]) -> mls.Extensions:
    return tuple(
        mls.Extension(extension.extension_type, extension.extension_data)
        for extension in extensions
    )


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except TertuliaError as error:
        raise Refused(type(error).__name__, str(error)) from error
