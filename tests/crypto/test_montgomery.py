from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.crypto import HKDF_SHA256, InvalidKeyError, Secret
from tertulia.crypto.labeled_kdf import LabeledKDF
from tertulia.crypto.montgomery import X448, X25519, MontgomeryCurve

BOTH = [X25519, X448]
ANY_CURVE = st.sampled_from(BOTH)

# RFC 7748, section 5.2: the base point, and each key applied to the key before it,
# once and a thousand times over.
ITERATED = [
    (
        X25519,
        9,
        "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079",
        "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51",
    ),
    (
        X448,
        5,
        "3f482c8a9f19b01e6c46ee9711d9dc14fd4bf67af30765c2ae2b846a"
        "4d23a8cd0db897086239492caf350b51f833868b9bc2b3bca9cf4113",
        "aa3b4749d55b9daf1e5b00288826c467274ce3ebbdd5c17b975e09d4"
        "af6c67cf10d087202db88286e2b79fceea3ec353ef54faa26e219f38",
    ),
]


def spellings_of_low_order(curve: MontgomeryCurve) -> list[bytes]:
    """Return every encoding that the curve reads as a point of low order."""
    numbers = {u + more for u in curve.low_order for more in (0, curve.prime)}
    read = {number for number in numbers if number < 1 << curve.field_bits}
    if curve.field_bits < 8 * curve.private_size:
        read |= {number | 1 << curve.field_bits for number in read}
    return [u.to_bytes(curve.private_size, "little") for u in sorted(read)]


LOW_ORDER = [
    (curve, encoded) for curve in BOTH for encoded in spellings_of_low_order(curve)
]


def random_private(curve: MontgomeryCurve, seed: int) -> Secret:
    return Secret(Random(seed).randbytes(curve.private_size))


@pytest.mark.parametrize(("curve", "base", "once", "often"), ITERATED)
def test_rfc_7748(curve: MontgomeryCurve, base: int, once: str, often: str) -> None:
    key = point = base.to_bytes(curve.private_size, "little")
    for iteration in range(1000):
        key, point = curve.agree(Secret(key), point)[0], key
        if iteration == 0:
            assert key.hex() == once
    assert key.hex() == often


@pytest.mark.parametrize(("curve", "base"), [(X25519, 9), (X448, 5)])
def test_a_public_key_is_the_base_point_multiplied(
    curve: MontgomeryCurve, base: int
) -> None:
    private = random_private(curve, 1)
    point = base.to_bytes(curve.private_size, "little")
    assert curve.agree(private, point) == (curve.public_key(private),) * 2


@given(ANY_CURVE, st.integers(), st.integers())
def test_both_sides_agree(curve: MontgomeryCurve, seed: int, other: int) -> None:
    alice, bob = random_private(curve, seed), random_private(curve, other)
    shared, alice_public = curve.agree(alice, curve.public_key(bob))
    assert curve.agree(bob, alice_public) == (shared, curve.public_key(bob))
    assert alice_public == curve.public_key(alice)
    loaded = curve.load_private(alice)
    assert curve.agree_loaded(loaded, curve.public_key(bob)) == shared
    curve.validate_public_key(alice_public)


def test_low_order_points_have_as_many_spellings_as_are_known() -> None:
    curves = [curve for curve, _ in LOW_ORDER]
    # Modulo the prime 0, 1 and -1, the former two in two ways; X25519 has two more
    # points, and a bit that is not read.
    assert (curves.count(X25519), curves.count(X448)) == (14, 5)


@pytest.mark.parametrize(("curve", "public"), LOW_ORDER)
def test_low_order_is_refused(curve: MontgomeryCurve, public: bytes) -> None:
    with pytest.raises(InvalidKeyError, match="order is low"):
        curve.validate_public_key(public)
    with pytest.raises(InvalidKeyError, match="order is low"):
        curve.agree(random_private(curve, 1), public)


@pytest.mark.parametrize("curve", BOTH)
@pytest.mark.parametrize("difference", [-1, 1])
def test_wrong_sizes_are_refused(curve: MontgomeryCurve, difference: int) -> None:
    wrong = bytes([9]) * (curve.private_size + difference)
    private = random_private(curve, 1)
    with pytest.raises(InvalidKeyError, match=f"{curve.name} public key.*size"):
        curve.validate_public_key(wrong)
    with pytest.raises(InvalidKeyError, match=f"{curve.name} public key.*size"):
        curve.agree(private, wrong)
    with pytest.raises(InvalidKeyError, match=f"{curve.name} private key.*size"):
        curve.agree(Secret(wrong), curve.public_key(private))
    with pytest.raises(InvalidKeyError, match=f"{curve.name} private key.*size"):
        curve.public_key(Secret(wrong))


@pytest.mark.parametrize("curve", BOTH)
def test_a_derived_key_is_the_kdf_s_output(curve: MontgomeryCurve) -> None:
    kdf, prk = LabeledKDF(HKDF_SHA256, b"test"), bytes(32)
    expected = Secret(kdf.expand(prk, b"sk", b"", curve.private_size))
    assert curve.derive_private(kdf, prk) == expected
