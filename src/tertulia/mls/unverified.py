"""Values that nobody has checked yet."""

from typing import Generic, TypeVar

from typing_extensions import override

T = TypeVar("T")


class Unverified(Generic[T]):
    """A decoded value whose signature or validity has not been checked.

    Only the checking functions of this package may take it out; anything else that
    wants the value must call one of them first.
    """

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def take_for_checking(self) -> T:
        """Return the value to the function that is about to check it."""
        return self._value

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unverified) and self._value == other._value

    @override
    def __hash__(self) -> int:
        return hash((Unverified, self._value))

    @override
    def __repr__(self) -> str:
        return f"Unverified({type(self._value).__name__})"
