"""What a message holds once MLS has opened it: one tagged struct in MessagePack.

Fields are only ever added at the end, with a default, and kinds are added freely: who
does not know a kind shows that there was something. What is no content at all raises
BadContentError. Nothing here is fit to be drawn: see `display`.
"""

from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias, get_args

import msgspec
from msgspec import Meta, Struct

from tertulia.client import limits
from tertulia.client.value_errors import (
    BadContentError,
    BrokenTextError,
    EmptyTextError,
    TextTooLongError,
)


class Text(Struct, frozen=True, array_like=True, tag="text"):
    """Somebody says something."""

    text: str


class Greeting(Struct, frozen=True, array_like=True, tag="greeting"):
    """A member who saw somebody join shows that it is there: the awaited sign."""


class Leaving(Struct, frozen=True, array_like=True, tag="leaving"):
    """Its sender leaves; the signature is that of its LeavingStatement."""

    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]


Content: TypeAlias = Text | Greeting | Leaving


@dataclass(frozen=True, slots=True)
class UnknownContent:
    """Content of a kind that only a newer program knows."""

    kind: str


class _Tagged(Struct, frozen=True, array_like=True):
    """Content of any kind: what follows the kind is passed over, nothing made of it."""

    kind: str


_encoder: Final = msgspec.msgpack.Encoder()
_content: Final = msgspec.msgpack.Decoder(Content)
_tagged: Final = msgspec.msgpack.Decoder(_Tagged)
_KINDS: Final = frozenset(kind.__struct_config__.tag for kind in get_args(Content))
_NOT_DECODED: Final = (
    msgspec.DecodeError,
    UnicodeDecodeError,
    RecursionError,
    ValueError,
)


def check_text(text: str) -> str:
    """Return a text that may be sent, as it is.

    Raises EmptyTextError, TextTooLongError, BrokenTextError.
    """
    if not text.strip():
        raise EmptyTextError
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise BrokenTextError from None
    if size > limits.MESSAGE_TEXT:
        raise TextTooLongError(size, limits.MESSAGE_TEXT)
    return text


def encode_content(content: Content) -> bytes:
    """Return the bytes that MLS encrypts."""
    return _encoder.encode(content)


def decode_content(data: bytes) -> Content | UnknownContent:
    """Return what a message held; raise BadContentError."""
    try:
        content: Content = _content.decode(data)
    except _NOT_DECODED as error:
        return _explain(data, error)
    if isinstance(content, Text):
        _check_received_text(content.text)
    return content


def _check_received_text(text: str) -> None:
    size = len(text.encode())
    if not 0 < size <= limits.MESSAGE_TEXT:
        raise BadContentError(f"a text of {size} bytes")


def _explain(data: bytes, error: Exception) -> UnknownContent:
    """Tell content of a kind yet unknown from what is no content."""
    try:
        kind = _tagged.decode(data).kind
    except _NOT_DECODED:
        raise BadContentError(
            "not a MessagePack array that begins with a kind"
        ) from None
    if kind in _KINDS:
        raise BadContentError(str(error)) from None
    return UnknownContent(kind)
