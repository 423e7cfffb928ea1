import hmac
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from tertulia.client.derivation import derive
from tertulia.crypto import Secret


@given(st.binary(min_size=32, max_size=32))
def test_it_is_hkdf_with_label_and_purpose(secret: bytes) -> None:
    extracted = hmac.digest(b"Tertulia 1 invite", secret, "sha256")
    expanded = hmac.digest(extracted, b"wrap key\x01", "sha256")
    assert derive(Secret(secret), "invite", "wrap key") == Secret(expanded)
    assert derive(Secret(secret), "invite", "wrap key", 16) == Secret(expanded[:16])


def test_each_secret_kind_and_purpose_gives_another_key() -> None:
    keys = [
        derive(Secret(secret), kind, purpose)
        for secret in (bytes(32), bytes(31) + b"\1")
        for kind in ("invite", "room secret")
        for purpose in ("wrap key", "invite key")
    ]
    assert all(one != other for one, other in combinations(keys, 2))
