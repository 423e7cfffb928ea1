"""The profile's own socket: where the holder of the vault is found, by its owner only.

    agent.sock   a socket in the profile's folder, or a link to one whose path is short
                 enough for the system

Whoever holds the profile's lock removes what an earlier holder left.
"""

import contextlib
import os
import socket
import struct
import tempfile
from pathlib import Path
from typing import Final, Protocol

from tertulia.agent.errors import HolderGoneError, ProfileFolderError

NAME: Final = "agent.sock"

_PREFIX: Final = "tertulia-"
_CREDENTIALS: Final = struct.Struct("3i")  # struct ucred: process, user, group


class HasOptions(Protocol):
    """A socket, or what a loop lends of one."""

    def getsockopt(self, level: int, optname: int, buflen: int, /) -> bytes:
        """Return an option's value."""


def bind(folder: Path) -> socket.socket:
    """Return a socket on which the holder of the profile can listen.

    Raises ProfileFolderError.
    """
    path = folder / NAME
    try:
        _remove(path)
        try:
            return _listen_at(path)
        except OSError:  # too long a path, or a file system that has no sockets
            place = Path(tempfile.mkdtemp(prefix=_PREFIX)) / NAME
            path.symlink_to(place)
            return _listen_at(place)
    except OSError as error:
        raise ProfileFolderError(path, error.strerror or str(error)) from error


def unbind(folder: Path) -> None:
    """Remove the socket, if that is possible; the next holder does it, too."""
    with contextlib.suppress(OSError):
        _remove(folder / NAME)


def _remove(path: Path) -> None:
    if path.is_symlink():
        place = path.readlink()
        place.unlink(missing_ok=True)
        if place.parent.name.startswith(_PREFIX):
            with contextlib.suppress(OSError):
                place.parent.rmdir()
    path.unlink(missing_ok=True)


def find(folder: Path) -> Path:
    """Return the path on which the holder listens; raise HolderGoneError."""
    path = folder / NAME
    try:
        return path.readlink() if path.is_symlink() else path
    except OSError:
        raise HolderGoneError from None


def is_owner(peer: HasOptions) -> bool:
    """Tell whether the other end is a process of the same user.

    Where the system does not say, the mode of folder and socket has to do.
    """
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return True
    found = peer.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size)
    _process, user, _group = _CREDENTIALS.unpack(found)
    return bool(user == os.geteuid())


def _listen_at(path: Path) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)  # nobody else, from the very beginning
    try:
        listening.bind(str(path))
        listening.listen()
    except OSError:
        listening.close()
        raise
    finally:
        os.umask(mask)
    return listening
