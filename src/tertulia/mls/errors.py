"""Why the engine refuses, by what its caller can do about it.

InvalidError     the input breaks a rule that every member checks: all refuse alike
OutOfStepError   my own secrets do not open or fit: the others may well go on
UnknownPskError  a pre-shared key is needed that was not given
MisuseError      the caller asked for what a member may not do
"""

from typing import ClassVar

from tertulia.errors import PeerError, UsageError, VaultError
from tertulia.mls.rules import Rule


class InvalidError(PeerError):
    """The input breaks `rule`; every honest member comes to the same conclusion."""

    code: ClassVar[str] = "mls-invalid"
    sentence: ClassVar[str] = "{rule.rule_id}: {detail}"

    def __init__(self, rule: Rule, detail: str = "") -> None:
        super().__init__(rule, detail)
        self.rule = rule
        self.detail = detail or f"not true that {rule.sentence}"


class OutOfStepError(PeerError):
    """My path secret does not open or does not fit the published tree.

    Nobody else can see that, so the commit may be valid for the others: neither skip
    nor apply it, but rejoin if they applied it.
    """

    code: ClassVar[str] = "mls-out-of-step"
    sentence: ClassVar[str] = "my secret of the path at node {node}: {detail}"

    def __init__(self, node: int, detail: str) -> None:
        super().__init__(node, detail)
        self.node = node
        self.detail = detail


class UnknownPskError(UsageError):
    """A commit or Welcome names a pre-shared key that the caller did not give."""

    code: ClassVar[str] = "mls-unknown-psk"
    sentence: ClassVar[str] = "no pre-shared key {psk_id!r} was given"

    def __init__(self, psk_id: object) -> None:
        super().__init__(psk_id)
        self.psk_id = psk_id


class MisuseError(UsageError):
    """The caller asked for something that a member may not or cannot do."""

    code: ClassVar[str] = "mls-misuse"
    sentence: ClassVar[str] = "{detail}"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class StateError(VaultError):
    """A saved group is damaged, or of a version that is not known here."""

    code: ClassVar[str] = "mls-state"
    sentence: ClassVar[str] = "the saved group cannot be read: {detail}"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail
