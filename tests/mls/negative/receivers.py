"""The receivers of our negative vectors, rebuilt from vectors/mls with the engine."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tertulia.codec import CodecError
from tertulia.crypto import KeyPair, Secret, cipher_suite
from tertulia.mls import (
    AcceptEverything,
    Aids,
    BasicCredential,
    Change,
    ExternalJoin,
    ExternalPSK,
    Group,
    GroupInfo,
    Identity,
    InvalidError,
    KeyPackage,
    KeyPackageSecrets,
    LeafNode,
    OutOfStepError,
    Policy,
    PrivateMessage,
    PSKs,
    PublicMessage,
    ReceivedApplication,
    ReceivedCommit,
    ReceivedProposal,
    RemovedFromGroup,
    Rule,
    UnknownPskError,
    Unverified,
    Welcome,
    decode_message,
    decode_tree,
    join,
    join_externally,
    receive,
    verify_key_package,
)
from tertulia.mls.psk import PSK
from tertulia.mls.succession import join_branch, join_successor

T = TypeVar("T")

FOLDER = Path(__file__).resolve().parents[3] / "vectors" / "mls"


@dataclass(frozen=True, slots=True)
class Vector:
    """A case with the states of its file."""

    file: str
    case: dict[str, Any]
    states: list[dict[str, Any]]

    @property
    def name(self) -> str:
        """The name of the case within its file."""
        name: str = self.case["name"]
        return name

    @property
    def state(self) -> dict[str, Any]:
        """Who receives."""
        number: int = self.case["state"]
        return self.states[number]

    def outcome_of(self, which: str) -> object:
        """Receive the `valid` or the `invalid` bytes; return what comes of it."""
        return self.start().receive(which)

    def start(self) -> "Receiver":
        """Return the receiver as it is before the bytes come."""
        group = None
        if self.case["operation"] in {"receive", "join-successor", "join-branch"}:
            group = rebuild_group(self.state)
        return Receiver(self, group)


@dataclass(frozen=True, slots=True)
class Receiver:
    """Somebody about to receive; `group` is what they are in already, if anything."""

    vector: Vector
    group: Group | None

    def receive(self, which: str) -> object:
        """Return what the engine makes of the bytes; raise what it raises."""
        case = self.vector.case
        data = bytes.fromhex(case[which])
        policy = _policy(case.get("policy", {}))
        if case["operation"] == "decode":
            return decode_message(data)
        message = decode_message(data)
        match case["operation"], message:
            case "receive", PublicMessage() | PrivateMessage():
                psks = _psks(self.vector.state)
                return receive(_given(self.group), message, policy, psks)
            case "join", Welcome():
                state = self.vector.state
                return join(message, _secrets(state), policy, _aids(state))
            case "join-externally", Unverified():
                state = self.vector.state
                plan = ExternalJoin(_secrets(state).identity, _aids(state))
                group_info = Unverified(_unchecked(message, GroupInfo))
                return join_externally(group_info, plan, policy, _numbers)
            case "join-successor", Welcome():
                mine = _secrets(self.vector.states[case[f"joining_{which}"]])
                return join_successor(_given(self.group), message, mine, policy)
            case "join-branch", Welcome():
                mine = _secrets(self.vector.states[case[f"joining_{which}"]])
                return join_branch(_given(self.group), message, mine, policy)
            case "choose-key-package", Unverified():
                suite = cipher_suite(case["cipher_suite"])
                chosen = Unverified(_unchecked(message, KeyPackage))
                return verify_key_package(chosen, suite, case["now"])
            case operation, _:
                raise TypeError(f"{type(message).__name__} in {operation}")


def _unchecked(message: object, kind: type[T]) -> T:
    assert isinstance(message, Unverified)
    value = message.take_for_checking()
    assert isinstance(value, kind)
    return value


def _given(group: Group | None) -> Group:
    assert group is not None
    return group


def _numbers(size: int) -> bytes:
    return bytes(number % 251 for number in range(1, size + 1))


def vectors() -> Iterator[Vector]:
    """Yield every case of every file."""
    for path in sorted(FOLDER.glob("*.json")):
        document = json.loads(path.read_text())
        for case in document["cases"]:
            yield Vector(path.stem, case, document["states"])


def verdict(error: Exception) -> str:
    """Return the word that a vector has for a refusal."""
    match error:
        case InvalidError():
            return error.rule.rule_id
        case CodecError():
            return Rule.ENCODING.rule_id
        case OutOfStepError():
            return "out-of-step"
        case UnknownPskError():
            return "unknown-psk"
        case _:
            return type(error).__name__


def rebuild_group(state: dict[str, Any]) -> Group:
    """Return the group after the state's Welcome and messages."""
    welcome = decode_message(bytes.fromhex(state["welcome"]))
    assert isinstance(welcome, Welcome)
    anyone = AcceptEverything()
    group = join(welcome, _secrets(state), anyone, _aids(state))
    for data in state.get("messages", []):
        message = decode_message(bytes.fromhex(data))
        assert isinstance(message, PublicMessage | PrivateMessage)
        received = receive(group, message, anyone, _psks(state))
        assert not isinstance(received, RemovedFromGroup)
        group = received.group
    return group


def group_after(outcome: object) -> Group | None:
    """Return the group that a received message leads to, if it leads to one."""
    match outcome:
        case ReceivedApplication() | ReceivedCommit() | ReceivedProposal():
            return outcome.group
        case Group():
            return outcome
        case _:
            return None


def _secrets(state: dict[str, Any]) -> KeyPackageSecrets:
    message = decode_message(bytes.fromhex(state["key_package"]))
    key_package = _unchecked(message, KeyPackage)
    leaf = key_package.leaf_node
    identity = Identity(
        cipher_suite(state["cipher_suite"]),
        leaf.credential,
        KeyPair(_secret(state["signature_private_key"]), leaf.signature_key),
        leaf.capabilities,
        leaf.extensions,
    )
    return KeyPackageSecrets(
        key_package,
        identity,
        _secret(state["init_private_key"]),
        _secret(state["encryption_private_key"]),
    )


def _aids(state: dict[str, Any]) -> Aids:
    tree = state.get("ratchet_tree")
    decoded = None if tree is None else decode_tree(bytes.fromhex(tree))
    return Aids(_psks(state), decoded)


def _psks(state: dict[str, Any]) -> PSKs:
    found: dict[PSK, Secret] = {
        ExternalPSK(bytes.fromhex(item["psk_id"])): _secret(item["psk"])
        for item in state.get("external_psks", [])
    }
    return found


def _secret(value: str) -> Secret:
    return Secret(bytes.fromhex(value))


@dataclass(frozen=True, slots=True)
class _Refusing:
    """The policies that vectors speak of."""

    identity: bytes | None
    authenticated_data: bytes | None

    def check_member(self, leaf: LeafNode) -> None:
        if leaf.credential == BasicCredential(self.identity or b"\0no such name"):
            raise InvalidError(Rule.CREDENTIAL)

    def check_change(self, change: Change) -> None:
        if change.authenticated_data == self.authenticated_data:
            raise InvalidError(Rule.POLICY)


def _policy(written: dict[str, str]) -> Policy:
    identity = written.get("refused_identity")
    data = written.get("refused_authenticated_data")
    return _Refusing(
        None if identity is None else bytes.fromhex(identity),
        None if data is None else bytes.fromhex(data),
    )
