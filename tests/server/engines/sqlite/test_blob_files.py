"""Files of blobs: whole only when checked and durable."""

from hashlib import sha256
from pathlib import Path

from tertulia.server.engines.sqlite.blob_files import BlobFiles

BLOB = bytes(range(16))
DIGEST = sha256(b"hello").digest()


def test_a_blob_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    files = BlobFiles(tmp_path)
    assert files.stored(BLOB) == 0
    assert files.write(BLOB, 0, b"hel") == 3
    assert files.write(BLOB, 0, b"hel") is None
    assert (files.stored(BLOB), files.path(BLOB).exists()) == (3, False)
    assert files.write(BLOB, 3, b"lo") == 5
    assert not files.is_sound(BLOB, DIGEST)
    assert files.finish(BLOB, DIGEST)
    assert files.finish(BLOB, DIGEST), "a crash may come before this is noted"
    assert (files.stored(BLOB), files.part(BLOB).exists()) == (5, False)
    assert files.is_sound(BLOB, DIGEST)
    assert files.read(BLOB, 1, 3) == b"ell"
    files.remove(BLOB)
    files.remove(BLOB)
    assert files.stored(BLOB) == 0


def test_bytes_that_do_not_fit_are_removed(tmp_path: Path) -> None:
    files = BlobFiles(tmp_path)
    files.write(BLOB, 0, b"hullo")
    assert not files.finish(BLOB, DIGEST)
    assert files.stored(BLOB) == 0


def test_files_are_below_the_folder_and_named_by_the_id(tmp_path: Path) -> None:
    path = BlobFiles(tmp_path).path(BLOB)
    assert path.relative_to(tmp_path).parts == ("00", BLOB.hex())
