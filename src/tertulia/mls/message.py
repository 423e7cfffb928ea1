"""MLSMessage: the outermost struct on the wire (RFC 9420 section 6)."""

from typing import Any, TypeAlias

from tertulia.codec import CodecError, Reader, uint16
from tertulia.mls.errors import InvalidError
from tertulia.mls.framing import WireFormat
from tertulia.mls.group_info import GroupInfo
from tertulia.mls.key_package import KeyPackage
from tertulia.mls.leaf_node import MLS10
from tertulia.mls.private_message import PrivateMessage
from tertulia.mls.public_message import PublicMessage
from tertulia.mls.rules import Rule
from tertulia.mls.unverified import Unverified
from tertulia.mls.welcome import Welcome

# Public and private messages and Welcomes have nothing that could be used before it is
# opened; the other two are structs in the clear and say that nobody checked them.
Message: TypeAlias = (
    PublicMessage
    | PrivateMessage
    | Welcome
    | Unverified[GroupInfo]
    | Unverified[KeyPackage]
)

_BODIES: dict[WireFormat, type[Any]] = {
    WireFormat.PUBLIC_MESSAGE: PublicMessage,
    WireFormat.PRIVATE_MESSAGE: PrivateMessage,
    WireFormat.WELCOME: Welcome,
    WireFormat.GROUP_INFO: GroupInfo,
    WireFormat.KEY_PACKAGE: KeyPackage,
}
_WIRE_FORMATS = {kind: wire_format for wire_format, kind in _BODIES.items()}
_TO_BE_VERIFIED = (GroupInfo, KeyPackage)


def encode_message(
    body: PublicMessage | PrivateMessage | Welcome | GroupInfo | KeyPackage,
) -> bytes:
    """Return `body` as an MLSMessage."""
    out = bytearray(uint16.encode(MLS10))
    out += uint16.encode(_WIRE_FORMATS[type(body)])
    body.write(out)
    return bytes(out)


def decode_message(data: bytes) -> Message:
    """Return what an MLSMessage holds; raise CodecError, InvalidError."""
    source = Reader(data)
    if uint16.read(source) != MLS10:
        raise InvalidError(Rule.VERSION)
    number = uint16.read(source)
    try:
        kind = _BODIES[WireFormat(number)]
    except ValueError:
        raise CodecError(f"{number} is no WireFormat") from None
    body = kind.read(source)
    source.finish()
    message: Message = Unverified(body) if kind in _TO_BE_VERIFIED else body
    return message
