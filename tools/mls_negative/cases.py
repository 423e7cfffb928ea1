"""What a vector holds, and how it is written as JSON.

A case gives a receiver something that breaks one rule (`invalid`) and, made the same
way, something that breaks none (`valid`). Any engine can stand in for the receiver: a
state names the private keys to join with and what has happened since.
"""

from dataclasses import dataclass, field
from typing import Any

from tertulia.mls import (
    ExternalPSK,
    KeyPackageSecrets,
    PSKs,
    RatchetTree,
    Rule,
    Welcome,
    encode_message,
)

# What is expected beside a rule: see vectors/mls/README.md.
ENCODING = Rule.ENCODING.rule_id
OUT_OF_STEP = "out-of-step"
UNKNOWN_PSK = "unknown-psk"


@dataclass(frozen=True, slots=True)
class State:
    """A member to be: its keys, its Welcome, the messages it accepted since then."""

    mine: KeyPackageSecrets
    welcome: Welcome | None = None
    messages: tuple[bytes, ...] = ()
    psks: PSKs = field(default_factory=dict)
    tree: RatchetTree | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON has it."""
        identity = self.mine.identity
        written: dict[str, Any] = {
            "cipher_suite": identity.suite.id,
            "key_package": encode_message(self.mine.key_package).hex(),
            "init_private_key": self.mine.init_key.reveal().hex(),
            "encryption_private_key": self.mine.encryption_key.reveal().hex(),
            "signature_private_key": identity.signature_key.private.reveal().hex(),
        }
        if self.welcome is not None:
            written["welcome"] = encode_message(self.welcome).hex()
        if self.messages:
            written["messages"] = [message.hex() for message in self.messages]
        if self.tree is not None:
            written["ratchet_tree"] = self.tree.encode().hex()
        if self.psks:
            written["external_psks"] = [
                {"psk_id": psk.psk_id.hex(), "psk": secret.reveal().hex()}
                for psk, secret in self.psks.items()
                if isinstance(psk, ExternalPSK)
            ]
        return written


@dataclass(frozen=True, slots=True)
class Case:
    """One rule broken: who receives it, what breaks it, what is like it and valid.

    `operation` is how it is received. `given` holds what else the operation takes.
    Who joins a group that continues another has a key package for each of the two.
    """

    name: str
    expected: Rule | str
    operation: str
    state: State | None
    invalid: bytes
    valid: bytes
    given: dict[str, Any] = field(default_factory=dict)
    joining: State | None = None
    joining_valid: State | None = None

    def to_json(self, states: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the case as JSON has it; states new to the file are appended."""
        expected = self.expected
        written: dict[str, Any] = {
            "name": self.name,
            "expected": expected.rule_id if isinstance(expected, Rule) else expected,
            "operation": self.operation,
        }
        for name, state in (
            ("state", self.state),
            ("joining_invalid", self.joining),
            ("joining_valid", self.joining_valid),
        ):
            if state is not None:
                written[name] = _number_of(state.to_json(), states)
        hexes = {"invalid": self.invalid.hex(), "valid": self.valid.hex()}
        return written | self.given | hexes


def document(about: str, cases: list[Case]) -> dict[str, Any]:
    """Return a file of vectors; states that cases share are written once."""
    states: list[dict[str, Any]] = []
    written = [
        case.to_json(states) for case in sorted(cases, key=lambda case: case.name)
    ]
    return {"about": about, "states": states, "cases": written}


def _number_of(state: dict[str, Any], states: list[dict[str, Any]]) -> int:
    if state not in states:
        states.append(state)
    return states.index(state)
