"""Small changes to values, as functions."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

T = TypeVar("T")


def flip(data: bytes) -> bytes:
    """Return `data` with its last bit changed."""
    return data[:-1] + bytes((data[-1] ^ 1,))


def setting(**fields: object) -> Callable[[Any], Any]:
    """Return a change that gives a dataclass other values in `fields`."""

    def change(value: Any) -> Any:
        return replace(value, **fields)

    return change


def always(value: T) -> Callable[[Any], T]:
    """Return a change whose result is `value`, whatever was there."""

    def change(_: object) -> T:
        return value

    return change


def appending(*values: Any) -> Callable[[Any], tuple[Any, ...]]:
    """Return a change that puts `values` behind a tuple."""

    def change(before: Any) -> tuple[Any, ...]:
        return (*before, *values)

    return change
