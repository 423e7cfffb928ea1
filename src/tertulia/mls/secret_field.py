"""Secrets as fields of structs."""

from typing_extensions import override

from tertulia.codec import Codec, OversizeError, Reader, encode_opaque
from tertulia.crypto import Secret


class SecretField(Codec[Secret]):
    """`opaque<V>` whose value is a Secret of at most `limit` bytes."""

    __slots__ = ("limit",)

    def __init__(self, limit: int) -> None:
        self.limit = limit

    @override
    def write(self, value: Secret, out: bytearray) -> None:
        """Append length and bytes; raise OversizeError."""
        if len(value) > self.limit:
            raise OversizeError(len(value), self.limit)
        out += encode_opaque(value.reveal())

    @override
    def read(self, source: Reader) -> Secret:
        """Read length and bytes."""
        return Secret(source.opaque(self.limit))
