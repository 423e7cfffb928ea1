"""What an operator decides, with defaults that suit a circle of friends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from tertulia.wire import AccountPolicy, limits

DEFAULT_RATES: Final[Mapping[str, limits.Rate]] = MappingProxyType(
    {rate.name: rate for rate in limits.RATES}
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything about a relay that is a choice; durations in milliseconds."""

    accounts: AccountPolicy = AccountPolicy.INVITE
    account_storage: int = limits.ACCOUNT_BLOBS
    room_storage: int = limits.ROOM_STORAGE
    relay_storage: int = limits.RELAY_STORAGE
    # How long entries are kept at most; None keeps them.
    entry_age: int | None = None
    # SHA-256 of the certificate's SubjectPublicKeyInfo; empty behind a proxy.
    certificate: bytes = b""
    # By the name of the rate; an operator may grant more, or less.
    rates: Mapping[str, limits.Rate] = field(default_factory=lambda: DEFAULT_RATES)
