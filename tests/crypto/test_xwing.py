from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.crypto import XWING, InvalidKeyError, KeyPair, NoMlKemError, Secret
from tertulia.crypto.montgomery import X25519
from tests.crypto.test_montgomery import spellings_of_low_order
from tests.no_ml_kem import no_ml_kem
from tests.vectors import hpke_vectors

MLKEM_PUBLIC_SIZE = 1184
MLKEM_CIPHERTEXT_SIZE = 1088
# FIPS 203: coefficients are below this, written as 12 bits each.
MODULUS = 3329
OWNER = XWING.generate(Random(1).randbytes)


def vectors() -> list[dict[str, Any]]:
    return [case for case in hpke_vectors("hpke-pq") if case["kem_id"] == XWING.id]


def value(case: dict[str, Any], name: str) -> bytes:
    return bytes.fromhex(case[name])


def from_disk(private: Secret) -> Secret:
    """Return the key as it is read from a store: bytes that nobody has expanded."""
    return Secret(private.reveal())


def sealed(seed: int = 2) -> tuple[Secret, bytes]:
    return XWING.encap(OWNER.public, Random(seed).randbytes)


def test_vectors_of_the_draft() -> None:
    cases = vectors()
    assert len(cases) == 2
    for case in cases:
        ours = XWING.derive_key_pair(Secret(value(case, "ikmR")))
        assert ours.private.reveal() == value(case, "skRm")
        assert ours.public == value(case, "pkRm")
        for private in (ours.private, from_disk(ours.private)):
            assert XWING.public_key(private) == ours.public
            shared = XWING.decap(private, value(case, "enc"))
            assert shared.reveal() == value(case, "shared_secret")


def test_a_new_key_is_the_seed_that_the_rng_gave() -> None:
    seed = Random(1).randbytes(32)
    assert OWNER.private.reveal() == seed
    assert OWNER.public == XWING.public_key(Secret(seed))
    # Derived is another thing: the seed comes out of a labelled function.
    assert XWING.derive_key_pair(Secret(seed)) != OWNER


def test_any_size_of_keying_material_gives_a_key() -> None:
    pairs = [XWING.derive_key_pair(Secret(bytes(size))) for size in (0, 32, 48, 64)]
    assert len({pair.public for pair in pairs}) == 4
    assert {len(pair.private) for pair in pairs} == {32}


@given(st.integers())
def test_what_is_encapsulated_comes_out(seed: int) -> None:
    rng = Random(seed).randbytes
    owner = XWING.generate(rng)
    XWING.validate_public_key(owner.public)
    shared, enc = XWING.encap(owner.public, rng)
    assert (len(shared), len(enc)) == (32, 1120)
    assert XWING.decap(owner.private, enc) == shared
    assert XWING.decap(from_disk(owner.private), enc) == shared


def test_both_halves_are_fresh_each_time() -> None:
    (first, one), (second, other) = sealed(2), sealed(3)
    assert first != second
    assert one[:MLKEM_CIPHERTEXT_SIZE] != other[:MLKEM_CIPHERTEXT_SIZE]
    assert one[MLKEM_CIPHERTEXT_SIZE:] != other[MLKEM_CIPHERTEXT_SIZE:]


def test_the_half_of_x25519_comes_from_the_rng_that_is_given() -> None:
    (_, one), (_, other) = sealed(), sealed()
    assert one[MLKEM_CIPHERTEXT_SIZE:] == other[MLKEM_CIPHERTEXT_SIZE:]
    ephemeral = Secret(Random(2).randbytes(32))
    assert one[MLKEM_CIPHERTEXT_SIZE:] == X25519.public_key(ephemeral)


def test_another_s_key_takes_another_secret_out() -> None:
    shared, enc = sealed()
    assert XWING.decap(XWING.generate(Random(9).randbytes).private, enc) != shared


@given(st.integers(0, 8 * 1120 - 1))
def test_a_changed_bit_gives_another_secret(bit: int) -> None:
    shared, enc = sealed()
    altered = bytearray(enc)
    altered[bit // 8] ^= 1 << bit % 8
    assert XWING.decap(OWNER.private, bytes(altered)) != shared


def test_the_secret_depends_on_both_halves_of_the_key() -> None:
    other = XWING.generate(Random(9).randbytes)
    for mixed in (
        OWNER.public[:MLKEM_PUBLIC_SIZE] + other.public[MLKEM_PUBLIC_SIZE:],
        other.public[:MLKEM_PUBLIC_SIZE] + OWNER.public[MLKEM_PUBLIC_SIZE:],
    ):
        shared, enc = XWING.encap(mixed, Random(2).randbytes)
        for private in (OWNER.private, other.private):
            assert XWING.decap(private, enc) != shared


@pytest.mark.parametrize("size", [0, 32, 1184, 1215, 1217])
def test_public_keys_of_other_sizes_are_refused(size: int) -> None:
    bad = (OWNER.public + b"\1")[:size]
    with pytest.raises(InvalidKeyError, match=r"X-Wing public key.*size is wrong"):
        XWING.validate_public_key(bad)
    with pytest.raises(InvalidKeyError, match=r"X-Wing public key.*size is wrong"):
        XWING.encap(bad, Random(1).randbytes)


def with_coefficient(public: bytes, index: int, coefficient: int) -> bytes:
    """Return the key with one number of its ML-KEM part replaced."""
    at, upper = divmod(12 * index, 8)
    pair = int.from_bytes(public[at : at + 2], "little")
    kept = pair & (0x000F if upper else 0xF000)
    changed = (kept | coefficient << upper).to_bytes(2, "little")
    return public[:at] + changed + public[at + 2 :]


@pytest.mark.parametrize("index", [0, 1, 400, 767])
def test_ml_kem_keys_that_fail_the_modulus_check_are_refused(index: int) -> None:
    XWING.validate_public_key(with_coefficient(OWNER.public, index, MODULUS - 1))
    for coefficient in (MODULUS, 0xFFF):
        bad = with_coefficient(OWNER.public, index, coefficient)
        with pytest.raises(InvalidKeyError, match=r"public key.*canonical form"):
            XWING.validate_public_key(bad)
        with pytest.raises(InvalidKeyError, match=r"public key.*canonical form"):
            XWING.encap(bad, Random(1).randbytes)


@pytest.mark.parametrize("point", spellings_of_low_order(X25519), ids=bytes.hex)
def test_points_of_low_order_are_refused(point: bytes) -> None:
    public = OWNER.public[:MLKEM_PUBLIC_SIZE] + point
    with pytest.raises(InvalidKeyError, match=r"public key.*order is low"):
        XWING.validate_public_key(public)
    with pytest.raises(InvalidKeyError, match=r"public key.*order is low"):
        XWING.encap(public, Random(1).randbytes)
    enc = sealed()[1][:MLKEM_CIPHERTEXT_SIZE] + point
    for private in (OWNER.private, from_disk(OWNER.private)):
        with pytest.raises(InvalidKeyError, match=r"public key.*order is low"):
            XWING.decap(private, enc)


@pytest.mark.parametrize("size", [0, 32, 1088, 1119, 1121])
def test_encapsulated_keys_of_other_sizes_are_refused(size: int) -> None:
    enc = (sealed()[1] + b"\1")[:size]
    with pytest.raises(
        InvalidKeyError, match=r"X-Wing encapsulated key.*size is wrong"
    ):
        XWING.decap(OWNER.private, enc)


@pytest.mark.parametrize("size", [0, 31, 33, 64, 2400])
def test_private_keys_of_other_sizes_are_refused(size: int) -> None:
    for use in (XWING.public_key, lambda bad: XWING.decap(bad, sealed()[1])):
        with pytest.raises(InvalidKeyError, match=r"X-Wing private key.*size is wrong"):
            use(Secret(bytes(size)))


def test_a_key_that_remembers_is_like_any_other_secret() -> None:
    private = OWNER.private
    assert private == from_disk(private)
    assert KeyPair(from_disk(private), OWNER.public) == OWNER
    assert repr(private) == "<Secret 32 bytes>"
    assert len(private) == 32


@given(st.binary(min_size=1216, max_size=1216), st.integers(0, 1152))
def test_any_bytes_are_a_key_for_all_or_for_none(data: bytes, kept: int) -> None:
    """What validation takes can be encapsulated to, and nothing else can."""
    public = OWNER.public[:kept] + data[kept:]
    try:
        XWING.validate_public_key(public)
    except InvalidKeyError:
        with pytest.raises(InvalidKeyError):
            XWING.encap(public, Random(1).randbytes)
    else:
        XWING.encap(public, Random(1).randbytes)


def test_a_library_without_ml_kem_is_told_apart() -> None:
    rng = Random(3).randbytes
    attempts: tuple[Callable[[], object], ...] = (
        lambda: XWING.generate(rng),
        lambda: XWING.derive_key_pair(Secret(b"")),
        lambda: XWING.decap(from_disk(OWNER.private), bytes(1120)),
        lambda: XWING.encap(OWNER.public, rng),
        lambda: XWING.validate_public_key(OWNER.public),
    )
    with no_ml_kem():
        assert not XWING.is_available
        for attempt in attempts:
            with pytest.raises(NoMlKemError):
                attempt()


def test_a_library_with_ml_kem_is_found_to_have_it() -> None:
    assert XWING.is_available
