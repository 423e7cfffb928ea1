"""The browser client's files, read once at the start.

A request names a key of a table, never a path of the disk: there is nothing to
traverse. Files are few and small, and the table is the same until the next start.
"""

import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Final

from tertulia.server.http_messages import Request, Response, text

# Invite links lead here; what follows their `#` never reaches us.
PAGES: Final = {"/": "/index.html", "/i": "/index.html"}

_TYPES: Final = mimetypes.MimeTypes()
for _ending, _type in {
    ".js": "text/javascript",
    ".css": "text/css",
    ".html": "text/html",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
}.items():
    _TYPES.add_type(_type, _ending)


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as it is sent."""

    content: bytes
    content_type: str
    etag: str


def load_static_files(folder: Path) -> Mapping[str, StaticFile]:
    """Return the files of a folder by the path that asks for them."""
    files = {
        f"/{path.relative_to(folder).as_posix()}": _load(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and not path.name.startswith(".")
    }
    return files | {page: files[name] for page, name in PAGES.items() if name in files}


def _load(path: Path) -> StaticFile:
    content = path.read_bytes()
    kind = _TYPES.guess_type(path.name)[0] or "application/octet-stream"
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    return StaticFile(content, kind, f'"{sha256(content).hexdigest()[:32]}"')


def answer_static(files: Mapping[str, StaticFile], request: Request) -> Response:
    """Return the file a request names, or that there is none."""
    file = files.get(request.path)
    if file is None:
        return text(HTTPStatus.NOT_FOUND, "There is no such page.")
    if request.method not in {"GET", "HEAD"}:
        return text(HTTPStatus.METHOD_NOT_ALLOWED, "Only GET.", Allow="GET, HEAD")
    headers = {"ETag": file.etag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == file.etag:
        return Response(HTTPStatus.NOT_MODIFIED, headers)
    headers["Content-Type"] = file.content_type
    return Response(HTTPStatus.OK, headers, file.content)
