"""Key bytes that announce themselves.

A `Secret` shows its size and nothing else, compares in constant time, is no dictionary
key and refuses to be pickled or copied. `reveal` is the only way out, so a search for
that word finds every place where key bytes are used. Python cannot erase memory: a
secret lives until the interpreter reuses its bytes, and so does what was loaded of it.
"""

import hmac
from collections.abc import Callable
from typing import Any, Never, SupportsIndex, TypeVar

from typing_extensions import override

K = TypeVar("K")


class Secret:
    """Immutable key bytes, hidden from logs and tracebacks."""

    __slots__ = ("_loaded", "_value")

    def __init__(self, value: bytes) -> None:
        self._value = value
        self._loaded: tuple[Any, Any] | None = None

    def reveal(self) -> bytes:
        """Return the bytes themselves."""
        return self._value

    def loaded(self, load: Callable[[bytes], K]) -> K:
        """Return what `load` makes of the bytes; kept for the next time.

        Loading an Ed25519 key takes as long as signing with it.
        """
        loaded = self._loaded
        if loaded is None or loaded[0] != load:
            loaded = self._loaded = load, load(self._value)
        key: K = loaded[1]
        return key

    def __len__(self) -> int:
        return len(self._value)

    @override
    def __repr__(self) -> str:
        return f"<Secret {len(self._value)} bytes>"

    @override
    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value, other._value)

    __hash__ = None  # type: ignore[assignment]

    @override
    def __reduce_ex__(self, protocol: SupportsIndex) -> Never:
        raise TypeError("a Secret is not pickled or copied; reveal() its bytes")
