"""The data folder: everything a relay keeps, readable by its owner only.

    identity.key         Ed25519 seed, in hex: whom clients pin
    certificate.pem      self-signed, for TLS; made anew if it is missing
    certificate-key.pem  its ECDSA P-256 key
    control.sock         where `tertulia admin` reaches the running relay
    relay.db, blobs/     the engine's

A file is written whole or not at all: to a temporary name, synced, then renamed.
"""

import contextlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from tertulia.server.errors import ExposedKeyError, FolderError


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The paths of one relay."""

    path: Path

    @property
    def identity_key(self) -> Path:
        """The relay's identity."""
        return self.path / "identity.key"

    @property
    def certificate(self) -> Path:
        """The self-signed certificate."""
        return self.path / "certificate.pem"

    @property
    def certificate_key(self) -> Path:
        """Its key."""
        return self.path / "certificate-key.pem"

    @property
    def control_socket(self) -> Path:
        """Where the running relay listens for its operator."""
        return self.path / "control.sock"

    @property
    def database(self) -> Path:
        """What the engine stores, but for blobs."""
        return self.path / "relay.db"

    def prepare(self) -> None:
        """Make the folder if it is missing, for its owner only; raise FolderError."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise FolderError(self.path, _reason(error)) from error
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise FolderError(self.path, "this user may not write here")


def read_secret_file(path: Path) -> bytes | None:
    """Return the content of an owner-only file, None if there is none.

    Raises ExposedKeyError or FolderError.
    """
    try:
        with path.open("rb") as file:
            if is_exposed(os.fstat(file.fileno()).st_mode):
                raise ExposedKeyError(path)
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FolderError(path, _reason(error)) from error


def is_exposed(mode: int) -> bool:
    """Tell whether other users may read or write what has this mode."""
    # Windows keeps access elsewhere; there the folder's own access list decides.
    return os.name == "posix" and bool(stat.S_IMODE(mode) & 0o077)


def write_secret_file(path: Path, content: bytes) -> None:
    """Write a new owner-only file; raise FolderError, also if there is one."""
    temporary = path.with_name(f".{path.name}.new")
    try:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()  # what a crash left behind
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            raise FileExistsError(f"{path.name} exists")
        temporary.rename(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise FolderError(path, _reason(error)) from error


def _sync_folder(path: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
