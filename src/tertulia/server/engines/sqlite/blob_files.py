"""The bytes of blobs: one file each, `.part` until they are whole and durable.

What a `.part` file has is what has arrived. Its name changes only after its bytes were
checked and are on the disk; so a file without `.part` is always whole.
"""

import os
from hashlib import file_digest
from pathlib import Path

PART = ".part"


class BlobFiles:
    """The files below one folder, named by ids that the relay itself chose."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, blob: bytes) -> Path:
        """Return where the whole blob is."""
        name = blob.hex()
        return self._folder / name[:2] / name

    def part(self, blob: bytes) -> Path:
        """Return where the blob is while it arrives."""
        path = self.path(blob)
        return path.with_name(path.name + PART)

    def stored(self, blob: bytes) -> int:
        """Return how many bytes have arrived."""
        for path in (self.path(blob), self.part(blob)):
            if path.exists():
                return path.stat().st_size
        return 0

    def write(self, blob: bytes, offset: int, data: bytes) -> int | None:
        """Add a piece and return how much there is; None if `offset` is elsewhere."""
        if offset != self.stored(blob):
            return None
        part = self.part(blob)
        part.parent.mkdir(exist_ok=True)
        try:
            with part.open("ab") as file:
                file.write(data)
        except OSError:
            # A disk that is full keeps no half piece.
            if part.exists():
                os.truncate(part, offset)
            raise
        return offset + len(data)

    def finish(self, blob: bytes, digest: bytes) -> bool:
        """Make the bytes durable if they fit the digest; else remove them."""
        path, part = self.path(blob), self.part(blob)
        if path.exists():  # a crash came between the renaming and what follows
            return True
        with part.open("rb+") as file:
            fits = file_digest(file, "sha256").digest() == digest
            if fits:
                os.fsync(file.fileno())
        if not fits:
            part.unlink()
            return False
        part.rename(path)
        sync_folder(path.parent)
        sync_folder(self._folder)
        return True

    def read(self, blob: bytes, offset: int, size: int) -> bytes:
        """Return up to `size` bytes of a whole blob."""
        with self.path(blob).open("rb") as file:
            file.seek(offset)
            return file.read(size)

    def is_sound(self, blob: bytes, digest: bytes) -> bool:
        """Tell whether the whole blob is there and fits the digest."""
        path = self.path(blob)
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return file_digest(file, "sha256").digest() == digest

    def remove(self, blob: bytes) -> None:
        """Remove whatever there is of the blob."""
        self.path(blob).unlink(missing_ok=True)
        self.part(blob).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable, on systems where that is a matter of its own."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
