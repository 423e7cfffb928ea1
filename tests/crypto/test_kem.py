from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.crypto import (
    DHKEM,
    DHKEM_P256,
    DHKEM_P384,
    DHKEM_P521,
    DHKEM_X448,
    DHKEM_X25519,
    KEM,
    InvalidKeyError,
    Rng,
    Secret,
)
from tests.vectors import hpke_vectors

# Beside each, the sizes of its private keys, public keys and shared secrets
# (RFC 9180, section 7.1). The KEM that is no DHKEM has its tests in test_xwing.
KEMS: list[tuple[KEM, int, int, int]] = [
    (DHKEM_P256, 32, 65, 32),
    (DHKEM_P384, 48, 97, 48),
    (DHKEM_P521, 66, 133, 64),
    (DHKEM_X25519, 32, 32, 32),
    (DHKEM_X448, 56, 56, 64),
]
ALL = [kem for kem, *_ in KEMS]
# RFC 9180 has no vectors for P-384; pyca's HPKE judges it in test_hpke.
WITH_VECTORS = [DHKEM_P256, DHKEM_P521, DHKEM_X25519, DHKEM_X448]
ANY_KEM = st.sampled_from(ALL)


def vectors_of(kem: DHKEM) -> list[dict[str, Any]]:
    return [case for case in hpke_vectors("rfc9180-base") if case["kem_id"] == kem.id]


def value(case: dict[str, Any], name: str) -> bytes:
    return bytes.fromhex(case[name])


def only(randomness: bytes) -> Rng:
    """Return a generator of these bytes; being asked for another size is an error."""

    def rng(size: int) -> bytes:
        assert size == len(randomness)
        return randomness

    return rng


def test_ids_are_those_of_rfc_9180() -> None:
    assert [kem.id for kem in ALL] == [0x10, 0x11, 0x12, 0x20, 0x21]


@pytest.mark.parametrize("kem", WITH_VECTORS)
def test_rfc_9180(kem: DHKEM) -> None:
    cases = vectors_of(kem)
    assert len(cases) == 8
    for case in cases:
        ours = kem.derive_key_pair(Secret(value(case, "ikmR")))
        ephemeral = kem.derive_key_pair(Secret(value(case, "ikmE")))
        assert ours.private.reveal() == value(case, "skRm")
        assert ours.public == value(case, "pkRm")
        assert ephemeral.private.reveal() == value(case, "skEm")
        assert ephemeral.public == value(case, "pkEm")
        assert kem.public_key(ours.private) == ours.public
        shared, enc = kem.encap(ours.public, only(value(case, "ikmE")))
        assert enc == value(case, "enc")
        assert shared.reveal() == value(case, "shared_secret")
        assert kem.decap(ours.private, enc) == shared


@given(ANY_KEM, st.integers())
def test_what_is_encapsulated_comes_out(kem: KEM, seed: int) -> None:
    rng = Random(seed).randbytes
    owner = kem.generate(rng)
    kem.validate_public_key(owner.public)
    shared, enc = kem.encap(owner.public, rng)
    assert kem.decap(owner.private, enc) == shared
    again, other_enc = kem.encap(owner.public, rng)
    assert again != shared
    assert other_enc != enc


@pytest.mark.parametrize(("kem", "private", "public", "shared"), KEMS)
def test_sizes(kem: KEM, private: int, public: int, shared: int) -> None:
    rng = Random(1).randbytes
    owner = kem.generate(rng)
    secret, enc = kem.encap(owner.public, rng)
    sizes = len(owner.private), len(owner.public), len(secret), len(enc)
    assert sizes == (private, public, shared, public)


@pytest.mark.parametrize("kem", ALL)
def test_a_key_pair_is_derived_from_random_bytes(kem: KEM) -> None:
    ikm = Random(1).randbytes(len(kem.generate(Random(1).randbytes).private))
    assert kem.derive_key_pair(Secret(ikm)) == kem.generate(only(ikm))
    assert kem.derive_key_pair(Secret(ikm[1:])) != kem.generate(only(ikm))


@pytest.mark.parametrize("kem", ALL)
def test_equal_randomness_gives_equal_results(kem: KEM) -> None:
    first, second = Random(1).randbytes, Random(1).randbytes
    owner = kem.generate(first)
    assert kem.generate(second) == owner
    assert kem.encap(owner.public, first) == kem.encap(owner.public, second)


@pytest.mark.parametrize("kem", ALL)
def test_another_s_key_takes_another_secret_out(kem: KEM) -> None:
    rng = Random(1).randbytes
    shared, enc = kem.encap(kem.generate(rng).public, rng)
    assert kem.decap(kem.generate(rng).private, enc) != shared


@pytest.mark.parametrize("kem", ALL)
def test_bad_public_keys_are_refused(kem: KEM) -> None:
    rng = Random(1).randbytes
    owner = kem.generate(rng)
    # Zero is of low order on one kind of curve, and no point of the other.
    for bad in (bytes(len(owner.public)), owner.public[:-1], b""):
        with pytest.raises(InvalidKeyError, match="public key"):
            kem.validate_public_key(bad)
        with pytest.raises(InvalidKeyError, match="public key"):
            kem.encap(bad, rng)
        with pytest.raises(InvalidKeyError, match="public key"):
            kem.decap(owner.private, bad)


@pytest.mark.parametrize("kem", ALL)
def test_bad_private_keys_are_refused(kem: KEM) -> None:
    owner = kem.generate(Random(1).randbytes)
    for bad in (Secret(b"\1" + owner.private.reveal()), Secret(b"")):
        with pytest.raises(InvalidKeyError, match="private key"):
            kem.public_key(bad)
        with pytest.raises(InvalidKeyError, match="private key"):
            kem.decap(bad, owner.public)
