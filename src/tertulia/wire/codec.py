"""Bytes to frames and back.

Whatever the bytes are, decoding returns a frame or raises one of the errors named.
Frames nest a fixed number of levels and every length has its limit, so decoding takes
memory in proportion to the bytes, which are at most `limits.FRAME`.
"""

from typing import Any, Final, get_args

import msgspec

from tertulia.wire import limits
from tertulia.wire.errors import (
    MalformedFrameError,
    OversizeFrameError,
    UnknownFrameError,
)
from tertulia.wire.frames import Frame, FromClient, FromRelay

_encoder: Final = msgspec.msgpack.Encoder()
_from_client: Final = msgspec.msgpack.Decoder(FromClient)
_from_relay: Final = msgspec.msgpack.Decoder(FromRelay)
_anything: Final = msgspec.msgpack.Decoder(tuple[Any, ...])


def encode(frame: Frame) -> bytes:
    """Return the bytes of `frame`."""
    return _encoder.encode(frame)


def decode_from_client(data: bytes) -> FromClient:
    """Return the frame that a client sent.

    Raises MalformedFrameError, OversizeFrameError or UnknownFrameError.
    """
    frame: FromClient = _decode(_from_client, data)
    return frame


def decode_from_relay(data: bytes) -> FromRelay:
    """Return the frame that a relay sent.

    Raises MalformedFrameError, OversizeFrameError or UnknownFrameError.
    """
    frame: FromRelay = _decode(_from_relay, data)
    return frame


def _tags(union: Any) -> frozenset[str]:
    return frozenset(frame.__struct_config__.tag for frame in get_args(union))


_TAGS: Final = {
    id(_from_client): _tags(FromClient),
    id(_from_relay): _tags(FromRelay),
}


def _decode(decoder: Any, data: bytes) -> Any:
    if len(data) > limits.FRAME:
        raise OversizeFrameError(len(data), limits.FRAME)
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _explain(error, data, _TAGS[id(decoder)]) from None


def _explain(
    error: Exception, data: bytes, tags: frozenset[str]
) -> MalformedFrameError | UnknownFrameError:
    """Tell a frame of a kind yet unknown from one that is no frame at all."""
    try:
        parts = _anything.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        return MalformedFrameError("not a MessagePack array")
    match parts:
        case (str(tag), *_) if tag in tags:
            return MalformedFrameError(str(error))
        case (str(), int(request), *_) if 1 <= request < 2**32:
            return UnknownFrameError(request)
        case (str(), *_):
            return UnknownFrameError(0)
        case _:
            return MalformedFrameError("no tag")
