from http import HTTPStatus
from pathlib import Path

from tertulia.server.http_messages import Request
from tertulia.server.static_files import answer_static, load_static_files


def test_files_are_known_by_their_paths_only(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<p>")
    (tmp_path / "js").mkdir()
    (tmp_path / "js" / "app.js").write_text("1")
    (tmp_path / ".hidden").write_text("x")
    (tmp_path / "link").symlink_to("/etc/hostname")
    files = load_static_files(tmp_path)
    assert set(files) == {"/", "/i", "/index.html", "/js/app.js"}
    assert files["/js/app.js"].content_type == "text/javascript; charset=utf-8"


def test_a_file_is_sent_once(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<p>")
    files = load_static_files(tmp_path)
    first = answer_static(files, Request("GET", "/?x=1", {}))
    assert (first.status, first.body) == (HTTPStatus.OK, b"<p>")
    again = Request("GET", "/", {"if-none-match": first.headers["ETag"]})
    assert answer_static(files, again).status is HTTPStatus.NOT_MODIFIED


def test_files_are_read_only(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<p>")
    files = load_static_files(tmp_path)
    refused = answer_static(files, Request("POST", "/", {}))
    assert refused.status is HTTPStatus.METHOD_NOT_ALLOWED
    missing = answer_static(files, Request("GET", "/none", {}))
    assert missing.status is HTTPStatus.NOT_FOUND
