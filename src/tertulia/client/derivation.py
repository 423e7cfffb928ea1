"""Keys from secrets: HKDF-SHA256, a salt per kind of secret, an info per purpose."""

from tertulia.crypto import HKDF_SHA256, Secret


def derive(secret: Secret, kind: str, purpose: str, size: int = 32) -> Secret:
    """Return what a secret of this kind gives for one purpose."""
    salt = f"Tertulia 1 {kind}".encode()
    extracted = HKDF_SHA256.extract(salt, secret.reveal())
    return Secret(HKDF_SHA256.expand(extracted, purpose.encode(), size))
