"""Extensions (RFC 9420 section 13) and those that the protocol itself defines.

Unknown types, GREASE among them (section 13.5), are carried along and ignored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, TypeAlias, TypeVar

from tertulia.codec import Nested, Opaque, Struct, Vector, uint16
from tertulia.mls.credential import CREDENTIAL, Credential
from tertulia.mls.errors import InvalidError
from tertulia.mls.limits import MAX_CAPABILITIES, MAX_EXTENSIONS, MAX_KEY
from tertulia.mls.rules import Rule

S = TypeVar("S", bound=Struct)


class ExtensionType(IntEnum):
    """Section 17.3, and last_resort_key_package of the MLS extensions document."""

    APPLICATION_ID = 1
    RATCHET_TREE = 2
    REQUIRED_CAPABILITIES = 3
    EXTERNAL_PUB = 4
    EXTERNAL_SENDERS = 5
    LAST_RESORT_KEY_PACKAGE = 10


# Every client supports these without listing them in its capabilities (section 7.2).
DEFAULT_EXTENSION_TYPES = frozenset(range(1, 6))


@dataclass(frozen=True, slots=True)
class Extension(Struct):
    """A type and its data, opaque to whoever does not know the type."""

    extension_type: Annotated[int, uint16]
    extension_data: Annotated[bytes, Opaque(MAX_EXTENSIONS)]


Extensions: TypeAlias = tuple[Extension, ...]
EXTENSIONS = Vector(Nested(Extension), MAX_EXTENSIONS)

_Numbers = Annotated[tuple[int, ...], Vector(uint16, MAX_CAPABILITIES)]


@dataclass(frozen=True, slots=True)
class RequiredCapabilities(Struct):
    """What every member must support (section 11.1)."""

    extension_types: _Numbers = ()
    proposal_types: _Numbers = ()
    credential_types: _Numbers = ()


@dataclass(frozen=True, slots=True)
class ExternalSender(Struct):
    """Somebody outside the group who may propose (section 12.1.8.1)."""

    signature_key: Annotated[bytes, Opaque(MAX_KEY)]
    credential: Annotated[Credential, CREDENTIAL]


EXTERNAL_SENDERS = Vector(Nested(ExternalSender), MAX_EXTENSIONS)


@dataclass(frozen=True, slots=True)
class ExternalPub(Struct):
    """The key to which external joiners encapsulate (section 12.4.3.2)."""

    external_pub: Annotated[bytes, Opaque(MAX_KEY)]


def find_extension(
    extensions: Sequence[Extension], extension_type: int
) -> bytes | None:
    """Return the data of the extension of this type, or None."""
    for extension in extensions:
        if extension.extension_type == extension_type:
            return extension.extension_data
    return None


def required_capabilities(extensions: Sequence[Extension]) -> RequiredCapabilities:
    """Return what the GroupContext's `extensions` require; raise CodecError."""
    data = find_extension(extensions, ExtensionType.REQUIRED_CAPABILITIES)
    return RequiredCapabilities() if data is None else RequiredCapabilities.decode(data)


def external_senders(extensions: Sequence[Extension]) -> tuple[ExternalSender, ...]:
    """Return who may propose from outside; raise CodecError."""
    data = find_extension(extensions, ExtensionType.EXTERNAL_SENDERS)
    return () if data is None else EXTERNAL_SENDERS.decode(data)


def required_capabilities_extension(required: RequiredCapabilities) -> Extension:
    """Return the GroupContext extension that requires this of every member."""
    return Extension(ExtensionType.REQUIRED_CAPABILITIES, required.encode())


def external_senders_extension(senders: Sequence[ExternalSender]) -> Extension:
    """Return the GroupContext extension that lets `senders` propose from outside."""
    data = EXTERNAL_SENDERS.encode(tuple(senders))
    return Extension(ExtensionType.EXTERNAL_SENDERS, data)


def check_unique_types(extensions: Sequence[Extension]) -> None:
    """Raise InvalidError if a type stands twice (section 13)."""
    types = [extension.extension_type for extension in extensions]
    if len(types) != len(set(types)):
        raise InvalidError(Rule.EXTENSION_ONCE)
