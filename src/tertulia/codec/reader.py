"""A cursor over bytes that never reads past its end."""

from tertulia.codec.errors import CodecError, OversizeError, TruncatedError


class Reader:
    """Reads integers and byte strings from `data`, front to back."""

    __slots__ = ("_data", "_end", "_position")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0
        self._end = len(data)

    @property
    def position(self) -> int:
        """How many bytes have been read, counted from the start of the data."""
        return self._position

    @property
    def remaining(self) -> int:
        """How many bytes are left."""
        return self._end - self._position

    def take(self, size: int) -> bytes:
        """Read `size` bytes; raise TruncatedError if fewer are left."""
        start = self._position
        stop = start + size
        if stop > self._end:
            raise TruncatedError(size, self._end - start)
        self._position = stop
        return self._data[start:stop]

    def uint(self, size: int) -> int:
        """Read a big-endian unsigned integer of `size` bytes."""
        return int.from_bytes(self.take(size))

    def varint(self) -> int:
        """Read a vector's length (RFC 9420 section 2.1.2); refuse non-minimal ones."""
        start = self._position
        if start == self._end:
            raise TruncatedError(1, 0)
        first = self._data[start]
        if first < 0x40:
            # Most lengths take one byte: a tree is mostly such, thousands of them.
            self._position = start + 1
            return first
        if first >= 0xC0:
            raise CodecError("vector length with the invalid prefix 0b11")
        size = 2 if first < 0x80 else 4
        value = self.uint(size) & (1 << 8 * size - 2) - 1
        if value < (0x40 if size == 2 else 0x4000):
            raise CodecError(f"vector length {value} in {size} bytes, more than needed")
        return value

    def opaque(self, limit: int) -> bytes:
        """Read a length and that many bytes; raise OversizeError above `limit`."""
        size = self.varint()
        if size > limit:
            raise OversizeError(size, limit)
        return self.take(size)

    def enter(self, size: int) -> int:
        """Narrow the cursor to the next `size` bytes; return the end for `leave`."""
        if size > self._end - self._position:
            raise TruncatedError(size, self._end - self._position)
        outer = self._end
        self._end = self._position + size
        return outer

    def leave(self, outer: int) -> None:
        """Widen the cursor again to the end that `enter` returned."""
        self._end = outer

    def since(self, start: int) -> bytes:
        """Return what has been read from position `start` until now."""
        return self._data[start : self._position]

    def rest(self) -> bytes:
        """Read everything that is left."""
        return self.take(self.remaining)

    def finish(self) -> None:
        """Raise CodecError unless everything has been read."""
        if self._position != self._end:
            raise CodecError(f"{self._end - self._position} bytes too many")
