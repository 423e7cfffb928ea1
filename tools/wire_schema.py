"""The frames as data: what the generators of pages, vectors and TypeScript read."""

import inspect
from dataclasses import dataclass
from typing import Any, get_args

import msgspec
from msgspec.inspect import StructType, Type, type_info

from tertulia.wire import frames

FROM_CLIENT: tuple[type[frames.Frame], ...] = get_args(frames.FromClient)
FROM_RELAY: tuple[type[frames.Frame], ...] = get_args(frames.FromRelay)


@dataclass(frozen=True)
class Field:
    """One field of a frame."""

    name: str
    type: Type
    is_required: bool
    default: Any
    description: str


@dataclass(frozen=True)
class Shape:
    """A frame or a part of one."""

    name: str
    tag: str | None
    doc: str
    fields: tuple[Field, ...]


def shape(struct: type[frames.Frame]) -> Shape:
    """Return what a frame is made of."""
    info = type_info(struct)
    if not isinstance(info, StructType):
        raise TypeError(f"{struct} is no struct")
    fields = tuple(
        Field(
            each.name,
            bare(each.type),
            each.required,
            None if each.default is msgspec.NODEFAULT else each.default,
            _description(each.type),
        )
        for each in info.fields
    )
    tag = info.tag if isinstance(info.tag, str) else None
    return Shape(
        struct.__name__, tag, " ".join((inspect.getdoc(struct) or "").split()), fields
    )


def parts() -> list[type[frames.Frame]]:
    """Return the structs that frames are made of, each after those it is made of."""
    found: dict[Any, None] = {}
    for frame in (*FROM_CLIENT, *FROM_RELAY):
        _collect(type_info(frame), found)
    whole = {*FROM_CLIENT, *FROM_RELAY}
    return [struct for struct in found if struct not in whole]


def _collect(info: Type, found: dict[Any, None]) -> None:
    info = bare(info)
    if isinstance(info, StructType):
        for field in info.fields:
            _collect(field.type, found)
        found[info.cls] = None
    for inner in getattr(info, "types", ()):
        _collect(inner, found)
    if hasattr(info, "item_type"):
        _collect(info.item_type, found)


def bare(info: Type) -> Type:
    """Return the type without its description."""
    return info.type if isinstance(info, msgspec.inspect.Metadata) else info


def _description(info: Type) -> str:
    if isinstance(info, msgspec.inspect.Metadata):
        return str((info.extra_json_schema or {}).get("description", ""))
    if isinstance(info, msgspec.inspect.UnionType):
        return " ".join(filter(None, map(_description, info.types)))
    return ""
