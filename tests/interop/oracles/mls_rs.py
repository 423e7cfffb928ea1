"""The mls-rs engine (Rust), in this process, through its PyPI wheel.

The wheel is an opinionated skin: by value a commit holds Adds, or Removes, or nothing;
handshakes go out as PublicMessage; neither PSKs, GroupContext extensions, GroupInfo,
external commits nor the epoch can be reached. The wheel wants a member named by a
`SigningIdentity`, an opaque object, but then looks the member up by the identity of its
credential alone: so the object of any client with that identity will do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, assert_never

import mls_rs_uniffi as mls

from tests.interop.oracles.oracle import (
    AS_USUAL,
    Add,
    ApplicationMessage,
    CommitOutput,
    Crashed,
    EpochEntered,
    Extension,
    ExternalPsk,
    Framing,
    GroupContextExtensions,
    GroupReInitialised,
    Member,
    MemberRemoved,
    Oracle,
    Processed,
    Proposal,
    ProposalCached,
    Refused,
    ReInit,
    Remove,
    ResumptionPsk,
    Sending,
    Unsupported,
    Update,
)
from tests.interop.oracles.ratchet_tree import members_of


class MlsRs:
    """The engine; it has nothing to start and nothing to end."""

    name = "mls-rs"

    def member(
        self,
        identity: bytes,
        *,
        extension_types: tuple[int, ...] = (),
        tree_in_welcome: bool = True,
    ) -> Oracle:
        if extension_types:
            raise Unsupported("the capabilities of a leaf are fixed")
        return MlsRsMember(identity, tree_in_welcome=tree_in_welcome)

    def close(self) -> None:
        """Nothing is held."""


class MlsRsMember:
    """One client and the one group it is in."""

    def __init__(self, identity: bytes, *, tree_in_welcome: bool) -> None:
        self.identity = identity
        self._storage = _Storage()
        self._client = _client(identity, self._storage, tree_in_welcome=tree_in_welcome)
        self._open_group: Any = None
        self._pending: Any = None

    @property
    def _group(self) -> Any:
        if self._open_group is None:
            raise Refused("NoGroup", "not in a group")
        return self._open_group

    def key_package(self) -> bytes:
        return _bytes(self._client.generate_key_package_message())

    def add_external_psk(self, *_: object, **__: object) -> NoReturn:
        raise Unsupported("there is no PSK store")

    def create_group(
        self, group_id: bytes, extensions: tuple[Extension, ...] = ()
    ) -> None:
        if extensions:
            raise Unsupported("a group starts without extensions")
        with _refusals():
            self._open_group = self._client.create_group(group_id)

    def join(self, welcome: bytes, ratchet_tree: bytes | None = None) -> None:
        tree = None if ratchet_tree is None else mls.RatchetTree(bytes=ratchet_tree)
        with _refusals():
            self._open_group = self._client.join_group(tree, _message(welcome)).group

    def external_join(self, *_: object, **__: object) -> NoReturn:
        raise Unsupported("there is no external commit")

    def propose_own_add(self, *_: object, **__: object) -> NoReturn:
        raise Unsupported("there are no external proposals")

    def commit(
        self, proposals: tuple[Proposal, ...] = (), sending: Sending = AS_USUAL
    ) -> CommitOutput:
        _only_public_and_plain(sending)
        with _refusals():
            output = self._commit(proposals)
        self._pending = output.commit_message
        return CommitOutput(
            commit=_bytes(output.commit_message),
            welcome=_optional_bytes(output.welcome_message),
            ratchet_tree=output.ratchet_tree.bytes if output.ratchet_tree else None,
        )

    def _commit(self, proposals: tuple[Proposal, ...]) -> Any:
        if not proposals:
            return self._group.commit()
        adds = [_message(p.key_package) for p in proposals if isinstance(p, Add)]
        if len(adds) == len(proposals):
            return self._group.add_members(adds)
        removes = [self._named(p) for p in proposals if isinstance(p, Remove)]
        if len(removes) == len(proposals):
            return self._group.remove_members(removes)
        raise Unsupported("by value a commit holds only Adds or only Removes")

    def apply_pending_commit(self) -> None:
        if self._pending is None:
            raise Refused("NoPendingCommit", "nothing to apply")
        with _refusals():
            self._group.process_incoming_message(self._pending)
        self._pending = None

    def clear_pending_commit(self) -> NoReturn:
        raise Unsupported("a pending commit ends only by a commit that is processed")

    def propose(self, proposal: Proposal, sending: Sending = AS_USUAL) -> bytes:
        _only_public_and_plain(sending)
        with _refusals():
            match proposal:
                case Add():
                    package = _message(proposal.key_package)
                    return _bytes(self._group.propose_add_members([package])[0])
                case Remove():
                    named = self._named(proposal)
                    return _bytes(self._group.propose_remove_members([named])[0])
                case (
                    Update()
                    | ExternalPsk()
                    | ResumptionPsk()
                    | GroupContextExtensions()
                    | ReInit()
                ):
                    raise Unsupported("only Add and Remove can be proposed")
        assert_never(proposal)

    def send(self, plaintext: bytes, authenticated_data: bytes = b"") -> bytes:
        if authenticated_data:
            raise Unsupported("a message carries no authenticated data")
        with _refusals():
            return _bytes(self._group.encrypt_application_message(plaintext))

    def process(self, message: bytes) -> Processed:
        with _refusals():
            received = self._group.process_incoming_message(_message(message))
        if received.is_application_message():
            return ApplicationMessage(received.data, authenticated_data=None)
        if received.is_received_proposal():
            return ProposalCached()
        if not received.is_commit():
            raise Refused("NotOfAGroup", "neither a proposal, a commit nor a message")
        self._pending = None
        if received.effect.is_removed():
            return MemberRemoved()
        if received.effect.is_re_init():
            return GroupReInitialised()
        return EpochEntered()

    def exporter(self, label: str, context: bytes, length: int) -> bytes:
        with _refusals():
            secret: bytes = self._group.export_secret(label.encode(), context, length)
        return secret

    def epoch(self) -> NoReturn:
        raise Unsupported("the epoch is not told")

    def epoch_authenticator(self) -> NoReturn:
        raise Unsupported("the epoch authenticator is not told")

    def members(self) -> tuple[Member, ...]:
        return members_of(self.ratchet_tree())

    def ratchet_tree(self) -> bytes:
        with _refusals():
            tree: bytes = self._group.export_tree().bytes
        return tree

    def group_info(self, *_: object, **__: object) -> NoReturn:
        raise Unsupported("no GroupInfo is given")

    def reload(self) -> None:
        with _refusals():
            self._group.write_to_storage()
            self._open_group = self._client.load_group(self._storage.latest_group_id)

    def resume(self, *_: object, **__: object) -> NoReturn:
        raise Unsupported("a group cannot resume another")

    def join_resumed(self, *_: object, **__: object) -> NoReturn:
        raise Unsupported("a group cannot resume another")

    def close(self) -> None:
        self._open_group = self._pending = None

    def _named(self, remove: Remove) -> Any:
        for member in self.members():
            if member.leaf_index == remove.leaf_index:
                return _client(member.identity, _Storage()).signing_identity()
        raise Refused("BlankLeaf", f"nobody sits at leaf {remove.leaf_index}")


class _Storage(mls.GroupStateStorage):  # type: ignore[misc]
    """What the engine writes down; the only place where it tells a group's id."""

    def __init__(self) -> None:
        self.latest_group_id = b""
        self._states: dict[bytes, bytes] = {}
        self._epochs: dict[bytes, dict[int, bytes]] = {}

    def state(self, group_id: bytes) -> bytes | None:
        return self._states.get(group_id)

    def epoch(self, group_id: bytes, epoch_id: int) -> bytes | None:
        return self._epochs.get(group_id, {}).get(epoch_id)

    def write(
        self,
        group_id: bytes,
        group_state: bytes,
        epoch_inserts: list[mls.EpochRecord],
        epoch_updates: list[mls.EpochRecord],
    ) -> None:
        self.latest_group_id = group_id
        self._states[group_id] = group_state
        records = self._epochs.setdefault(group_id, {})
        records.update((record.id, record.data) for record in epoch_inserts)
        records.update((record.id, record.data) for record in epoch_updates)

    def max_epoch_id(self, group_id: bytes) -> int | None:
        return max(self._epochs.get(group_id, {}), default=None)


def _client(identity: bytes, storage: _Storage, *, tree_in_welcome: bool = True) -> Any:
    return mls.Client(
        id=identity,
        signature_keypair=mls.generate_signature_keypair(
            mls.CipherSuite.CURVE25519_AES128
        ),
        client_config=mls.ClientConfig(
            group_state_storage=storage, use_ratchet_tree_extension=tree_in_welcome
        ),
    )


def _message(encoded: bytes) -> Any:
    with _refusals():
        return mls.Message.from_bytes(encoded)


def _bytes(message: Any) -> bytes:
    encoded: bytes = message.to_bytes()
    return encoded


def _optional_bytes(message: Any) -> bytes | None:
    return None if message is None else _bytes(message)


def _only_public_and_plain(sending: Sending) -> None:
    if sending.framing is Framing.PRIVATE:
        raise Unsupported("handshakes go out as PublicMessage")
    if sending.authenticated_data:
        raise Unsupported("a handshake carries no authenticated data")


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except mls.Error as error:
        reason = str(error).removeprefix("A mls-rs error occurred: ")
        raise Refused(type(error).__name__, reason) from error
    except mls.InternalError as panic:
        raise Crashed("Panic", str(panic)) from panic
