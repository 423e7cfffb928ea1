"""Keep the reference of the JSON lines in step with their declaration.

python -m tools.json_lines update   write docs/reference/json-lines.md
python -m tools.json_lines check    fail if it is stale
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec

from tertulia.cli import json_lines

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "json-lines.md"

HEAD = """# JSON lines

Generated from `src/tertulia/cli/json_lines.py` by `tools/json_lines.py`; do not edit.

With `--json` commands write one object per line to standard output, and nothing else.
Every object has `event`, which kind it is, and `v`, the version of its words. A field
keeps its meaning; new fields and new events may come, so ignore what you do not know.
Ids are in lower-case hexadecimal, times in milliseconds since 1970. Lines are UTF-8;
control characters and marks that turn the direction of text are escaped.

What people wrote is as they wrote it: make it harmless before you show it.

| Command | What it writes |
|---|---|
| `tertulia host --json` | `hosting`, then a conversation |
| `tertulia join LINK --json` | `joined`, then a conversation (not with `--no-chat`) |
| `tertulia chat ROOM --json` | a conversation |
| `tertulia listen --json` | `message`, one for each message or notice, each once |
| `tertulia send ROOM TEXT --json` | `moved`, once the relay has the message |
| `tertulia rooms --json` | `room`, one for each |
| `tertulia members ROOM --json` | `member`, one for each |
| `tertulia invite ROOM --json` | `invite`, one for each |
| `tertulia export ROOM --json` | `room`, each `member`, each `message`, oldest first |

A conversation takes each line of standard input as one message, also one that begins
with a slash; the end of the input leaves it. It writes `message`, `moved`, `connection`,
`catching_up`, `room`, `join_queued`, `sign_seen`, `warning` and `error`.

Errors of a command go to standard error, in words; the exit code is 2 for what was asked
wrongly, 69 if nobody was reached in time (try later), 77 if the relay said no.
"""


def main(arguments: list[str]) -> int:
    """Carry out the command line; return the exit code."""
    page = "".join([HEAD, *_lines()])
    if arguments == ["update"]:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(page)
        return 0
    if PAGE.exists() and PAGE.read_text() == page:
        return 0
    stale = PAGE.relative_to(ROOT)
    print(f"{stale} is stale: python -m tools.json_lines update", file=sys.stderr)
    return 1


def _lines() -> Iterator[str]:
    for kind in get_args(json_lines.AnyLine):
        info: Any = msgspec.inspect.type_info(kind)
        yield f"\n## `{info.tag}`\n\n{kind.__doc__}\n\n"
        yield "| Field | Type | Meaning |\n|---|---|---|\n"
        yield f"| `event` | string | `{info.tag}` |\n"
        yield from _fields(info, "")


def _fields(struct: Any, prefix: str) -> Iterator[str]:
    for field in struct.fields:
        name = prefix + field.encode_name
        if isinstance(field.type, msgspec.inspect.StructType):
            yield from _fields(field.type, f"{name}.")
            continue
        meaning = (field.type.extra_json_schema or {}).get("description", "")
        yield f"| `{name}` | {_type(field.type.type)} | {meaning} |\n"


def _type(kind: Any) -> str:
    match kind:
        case msgspec.inspect.UnionType(types):
            return " or ".join(_type(each) for each in types)
        case msgspec.inspect.StrType():
            return "string"
        case msgspec.inspect.IntType():
            return "number"
        case msgspec.inspect.BoolType():
            return "boolean"
        case msgspec.inspect.NoneType():
            return "null"
        case _:
            raise TypeError(kind)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
