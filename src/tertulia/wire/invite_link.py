"""The links by which people come: to a server, or to a room on it.

    https://HOST[:PORT]/i#PAYLOAD

What follows `#` never reaches a server. PAYLOAD is base64url, without padding, of version
and kind, a byte each, and a struct in the TLS presentation language. A secret in it is
as good as being invited. Links are also taken with the scheme `tertulia:`, as
`tertulia://HOST...` or before the whole link.
"""

import base64
import binascii
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final, TypeAlias
from urllib.parse import urlsplit

from tertulia.codec import (
    CodecError,
    Opaque,
    Struct,
    Vector,
    uint16,
    uint64,
)
from tertulia.errors import UsageError

VERSION: Final = 1

# A link is read aloud and put into QR codes: a few ways to its server are enough.
MAX_LINK_ADDRESSES: Final = 8

# Far above the longest link there is; bounds what a paste makes this program do.
_MAX_LINK: Final = 16 * 1024

_PATH: Final = "/i"
_PORTS: Final = range(1, 1 << 16)

_Hash: Final = Opaque(32)
_Id: Final = Opaque(16)
_Addresses = Annotated[tuple[bytes, ...], Vector(Opaque(255), 4096)]


class LinkError(UsageError):
    """A text is not one of our links, or was cut or changed on its way."""

    code: ClassVar[str] = "bad_link"
    sentence: ClassVar[str] = "not a link of ours: {reason}"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NewerLinkError(UsageError):
    """A link that only a newer program understands."""

    code: ClassVar[str] = "newer_link"
    sentence: ClassVar[str] = "a link of version {version}, kind {kind}"

    def __init__(self, version: int, kind: int) -> None:
        super().__init__(version, kind)
        self.version = version
        self.kind = kind


class _Link(Struct):
    """What all kinds of links are: something that stands after `#`."""

    __slots__ = ()
    kind: ClassVar[int]

    def url(self, base: str) -> str:
        """Return the link, given `https://HOST[:PORT]`."""
        data = bytes((VERSION, self.kind)) + self.encode()
        payload = base64.urlsafe_b64encode(data).rstrip(b"=").decode()
        return f"{base}{_PATH}#{payload}"


@dataclass(frozen=True, slots=True)
class ServerInviteLink(_Link):
    """The way to an account on a server.

    `addresses` are `HOST:PORT` others than the one the link leads to.
    """

    kind: ClassVar[int] = 0
    fingerprint: Annotated[bytes, _Hash]
    invite: Annotated[bytes, _Id]
    secret: Annotated[bytes, _Hash] = field(repr=False)
    addresses: _Addresses


@dataclass(frozen=True, slots=True)
class RoomInviteLink(_Link):
    """The way into a room; all that proves and opens derives from `secret`.

    `inviter` is an account id. `epoch`, `place` and `hash` are how far the room was
    when the link was made: whatever is shown to a joiner must not be older.
    """

    kind: ClassVar[int] = 1
    fingerprint: Annotated[bytes, _Hash]
    room: Annotated[bytes, _Id]
    suite: Annotated[int, uint16]
    inviter: Annotated[bytes, _Hash]
    epoch: Annotated[int, uint64]
    place: Annotated[int, uint64]
    hash: Annotated[bytes, _Hash]
    secret: Annotated[bytes, _Hash] = field(repr=False)
    addresses: _Addresses


InviteLink: TypeAlias = ServerInviteLink | RoomInviteLink

_KINDS: Final[dict[int, type[InviteLink]]] = {
    ServerInviteLink.kind: ServerInviteLink,
    RoomInviteLink.kind: RoomInviteLink,
}
# Parts of which a link has all bytes or is no link.
_SIZES: Final = {
    "fingerprint": 32,
    "room": 16,
    "invite": 16,
    "inviter": 32,
    "hash": 32,
    "secret": 32,
}


@dataclass(frozen=True, slots=True)
class ParsedLink:
    """What a link says, and the address it leads to: `https://HOST[:PORT]`."""

    base: str
    link: InviteLink

    @property
    def bases(self) -> tuple[str, ...]:
        """All addresses of the server, the link's own first."""
        scheme = self.base.partition("://")[0]
        others = (f"{scheme}://{each.decode()}" for each in self.link.addresses)
        return tuple(dict.fromkeys((self.base, *others)))


def parse_link(text: str) -> ParsedLink:
    """Return what a link says that somebody typed or pasted.

    Space and angle brackets around it do not matter. Raises LinkError, NewerLinkError.
    """
    if len(text) > _MAX_LINK:
        raise LinkError("it is too long")
    address, hash_sign, payload = text.strip().strip("<>").strip().partition("#")
    if not hash_sign:
        raise LinkError("the part that begins with # is missing")
    return ParsedLink(_parse_base(address), _parse_payload(payload))


def _parse_base(address: str) -> str:
    plain = address.removeprefix("tertulia:")
    if plain.startswith("//"):
        plain = f"https:{plain}"
    try:
        parts = urlsplit(plain)
        usual = parts.port is None or parts.port in _PORTS
    except ValueError:
        raise LinkError("its address cannot be read") from None
    if parts.scheme not in {"https", "http"} or parts.path.rstrip("/") != _PATH:
        raise LinkError("it does not begin with https://HOST/i")
    if not (usual and parts.hostname and _is_address(parts.netloc)):
        raise LinkError("its address cannot be read")
    return f"{parts.scheme}://{parts.netloc.removesuffix(':')}"


def _is_address(text: str) -> bool:
    """Tell whether there is nothing but host and port, in visible ASCII."""
    return all("!" <= each <= "~" and each not in "@/\\?#<>\"'" for each in text)


def _parse_payload(payload: str) -> InviteLink:
    try:
        padded = payload + "=" * (-len(payload) % 4)
        data = base64.b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise LinkError("what follows # is damaged") from None
    if len(data) < 2:
        raise LinkError("what follows # is cut short")
    version, kind = data[:2]
    struct = _KINDS.get(kind)
    if version != VERSION or struct is None:
        raise NewerLinkError(version, kind)
    try:
        link = struct.decode(data[2:])
        _check_parts(link)
    except CodecError as error:
        raise LinkError(f"what follows # is damaged ({error})") from None
    return link


def _check_parts(link: InviteLink) -> None:
    for name, size in _SIZES.items():
        if len(getattr(link, name, bytes(size))) != size:
            raise CodecError(f"its {name} has another size than {size}")
    for address in link.addresses:
        if not _is_address(address.decode(errors="replace")) or not address:
            raise CodecError("one of its addresses cannot be read")
