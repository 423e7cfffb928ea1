"""Small things encrypted under a key that is used more than once.

    nonce (12 random bytes) || AES-256-GCM(key, nonce, plaintext; label and room as AAD)

Keys live for one room secret or one invite: far from the 2^32 uses at which random
nonces become doubtful.
"""

from tertulia.client.value_errors import SealError
from tertulia.codec import encode_opaque
from tertulia.crypto import AES256GCM, DecryptionError, Rng, Secret


def seal(key: Secret, purpose: str, room: bytes, plaintext: bytes, rng: Rng) -> bytes:
    """Return `plaintext` sealed for one purpose in one room."""
    nonce = rng(AES256GCM.nonce_size)
    return nonce + AES256GCM.seal(key, nonce, _bound_to(purpose, room), plaintext)


def open_sealed(key: Secret, purpose: str, room: bytes, sealed: bytes) -> bytes:
    """Return what was sealed; raise SealError."""
    nonce, ciphertext = sealed[: AES256GCM.nonce_size], sealed[AES256GCM.nonce_size :]
    if len(nonce) < AES256GCM.nonce_size:
        raise SealError("it is cut short")
    try:
        return AES256GCM.open(key, nonce, _bound_to(purpose, room), ciphertext)
    except DecryptionError as error:
        raise SealError(str(error)) from error


def _bound_to(purpose: str, room: bytes) -> bytes:
    return encode_opaque(f"Tertulia 1 {purpose}".encode()) + encode_opaque(room)
