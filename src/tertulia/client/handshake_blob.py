"""How a handshake lies in its entry: plain or sealed.

    0x00...  an MLSMessage, whose version starts with this byte: a member's commit
    0x01     a sealed external commit: the rest is nonce and AEAD of the padded message

An external commit is a PublicMessage and would show the relay names and keys of leaves;
so it is sealed under a key derived from the room secret, which joiners find in the
policy of the GroupInfo that they opened.
"""

from typing import Final

from tertulia.client.derivation import derive
from tertulia.client.padding import pad, unpad
from tertulia.client.sealing import open_sealed, seal
from tertulia.client.value_errors import PaddingError, SealError
from tertulia.crypto import Rng, Secret

_SEALED: Final = b"\x01"
_PURPOSE: Final = "external commit"


def is_sealed(blob: bytes) -> bool:
    """Tell whether a handshake blob holds a sealed external commit."""
    return blob.startswith(_SEALED)


def seal_commit(room_secret: Secret, room: bytes, message: bytes, rng: Rng) -> bytes:
    """Return the handshake blob of an external commit, an MLSMessage."""
    return _SEALED + seal(_key(room_secret), _PURPOSE, room, pad(message), rng)


def open_commit(room_secret: Secret, room: bytes, blob: bytes) -> bytes:
    """Return the MLSMessage in a sealed handshake blob; raise SealError."""
    if not is_sealed(blob):
        raise SealError("it is not sealed")
    padded = open_sealed(_key(room_secret), _PURPOSE, room, blob[len(_SEALED) :])
    try:
        return unpad(padded)
    except PaddingError as error:
        raise SealError(str(error)) from error


def _key(room_secret: Secret) -> Secret:
    return derive(room_secret, "room secret", _PURPOSE)
