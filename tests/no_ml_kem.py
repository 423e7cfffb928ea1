"""A machine whose library for cryptography was built with an OpenSSL older than 3.5."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from cryptography.hazmat.backends.openssl import backend


@contextmanager
def no_ml_kem() -> Iterator[None]:
    """Have the library say that it cannot do ML-KEM."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(backend), "mlkem_supported", lambda _: False)
        yield
