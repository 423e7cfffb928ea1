"""Small changes to bytes."""


def flip(data: bytes) -> bytes:
    """Return `data` with its last bit changed."""
    return data[:-1] + bytes((data[-1] ^ 1,))
