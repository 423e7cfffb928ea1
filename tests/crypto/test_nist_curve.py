from dataclasses import dataclass, replace
from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from tertulia.crypto import HKDF_SHA256, InvalidKeyError, Secret
from tertulia.crypto.labeled_kdf import LabeledKDF
from tertulia.crypto.nist_curve import P256, P384, P521, NistCurve

ALL = [P256, P384, P521]
ANY_CURVE = st.sampled_from(ALL)
KDF = LabeledKDF(HKDF_SHA256, b"test")


def random_private(curve: NistCurve, seed: int) -> Secret:
    scalar = Random(seed).randrange(1, curve.order)
    return Secret(scalar.to_bytes(curve.private_size, "big"))


def public_of(curve: NistCurve) -> bytearray:
    return bytearray(curve.public_key(random_private(curve, 1)))


# RFC 5903, section 8.1: i, its public key, r's public key, and what they share.
RFC_5903 = (
    "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
    "04dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180"
    "5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3",
    "04d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63"
    "56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab",
    "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de",
)


def test_rfc_5903() -> None:
    private, public, peer, shared = (bytes.fromhex(text) for text in RFC_5903)
    assert P256.agree(Secret(private), peer) == (shared, public)
    assert P256.public_key(Secret(private)) == public


@given(ANY_CURVE, st.integers(), st.integers())
def test_both_sides_agree(curve: NistCurve, seed: int, other: int) -> None:
    alice, bob = random_private(curve, seed), random_private(curve, other)
    shared, alice_public = curve.agree(alice, curve.public_key(bob))
    assert curve.agree(bob, alice_public) == (shared, curve.public_key(bob))
    assert alice_public == curve.public_key(alice)
    assert len(alice_public) == 1 + 2 * len(shared) == 1 + 2 * curve.private_size
    curve.validate_public_key(alice_public)


@pytest.mark.parametrize("curve", ALL)
def test_leading_zeros_of_a_private_key_may_be_missing(curve: NistCurve) -> None:
    full = (12345).to_bytes(curve.private_size, "big")
    public = curve.public_key(Secret(full))
    assert curve.public_key(Secret(full[1:])) == public
    assert curve.public_key(Secret(full.lstrip(b"\0"))) == public


@pytest.mark.parametrize("curve", ALL)
def test_private_keys_stay_below_the_order(curve: NistCurve) -> None:
    greatest = (curve.order - 1).to_bytes(curve.private_size, "big")
    # One less than the order is minus one: the base point, mirrored.
    least = (1).to_bytes(curve.private_size, "big")
    half = 1 + curve.private_size
    mirrored = curve.public_key(Secret(greatest))
    assert mirrored[:half] == curve.public_key(Secret(least))[:half]
    for scalar in (0, curve.order, curve.order + 1):
        with pytest.raises(InvalidKeyError, match=f"{curve.name} private.*range"):
            curve.public_key(Secret(scalar.to_bytes(curve.private_size, "big")))


@pytest.mark.parametrize("curve", ALL)
def test_private_keys_of_another_size_are_refused(curve: NistCurve) -> None:
    with pytest.raises(InvalidKeyError, match=f"{curve.name} private.*size"):
        curve.public_key(Secret(b"\0" + random_private(curve, 1).reveal()))
    with pytest.raises(InvalidKeyError, match=f"{curve.name} private.*range"):
        curve.public_key(Secret(b""))


@pytest.mark.parametrize("curve", ALL)
def test_points_off_the_curve_are_refused(curve: NistCurve) -> None:
    public = public_of(curve)
    public[-1] ^= 1
    with pytest.raises(InvalidKeyError, match=f"{curve.name} public.*not on the curve"):
        curve.validate_public_key(bytes(public))
    with pytest.raises(InvalidKeyError, match=f"{curve.name} public.*not on the curve"):
        curve.agree(random_private(curve, 1), bytes(public))


@pytest.mark.parametrize("curve", ALL)
def test_coordinates_past_the_prime_are_refused(curve: NistCurve) -> None:
    public = bytearray(b"\xff") * (1 + 2 * curve.private_size)
    public[0] = 4
    with pytest.raises(InvalidKeyError, match="not on the curve"):
        curve.validate_public_key(bytes(public))


@pytest.mark.parametrize("curve", ALL)
def test_points_of_another_size_are_refused(curve: NistCurve) -> None:
    public = bytes(public_of(curve))
    for wrong in (public[:-1], public + b"\0", public[:1]):
        with pytest.raises(InvalidKeyError, match="not on the curve"):
            curve.validate_public_key(wrong)


@pytest.mark.parametrize("curve", ALL)
def test_other_forms_of_a_point_are_refused(curve: NistCurve) -> None:
    key = curve.load_public(bytes(public_of(curve)))
    compressed = key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    hybrid = public_of(curve)
    hybrid[0] = 6 | hybrid[-1] & 1
    infinity = b"\0"
    for form in (compressed, bytes(hybrid), infinity, b""):
        with pytest.raises(InvalidKeyError, match="not an uncompressed point"):
            curve.validate_public_key(form)


def test_a_point_of_another_curve_is_refused() -> None:
    with pytest.raises(InvalidKeyError, match="not on the curve"):
        P256.validate_public_key(bytes(public_of(P384)))


@given(ANY_CURVE, st.binary(min_size=32, max_size=32))
def test_derived_keys_are_in_range(curve: NistCurve, prk: bytes) -> None:
    private = curve.derive_private(KDF, prk)
    assert len(private) == curve.private_size
    assert 0 < int.from_bytes(private.reveal(), "big") < curve.order


@dataclass(frozen=True)
class SmallCurve(ec.SECP256R1):
    """P-256 said to have another order, so that candidates are rejected."""

    group_order: int


def curve_of_order(order: int) -> NistCurve:
    return replace(P256, curve=SmallCurve(order))


def test_candidates_out_of_range_are_skipped() -> None:
    curve, prk = curve_of_order(1 << 252), b"\1" * 32
    private = curve.derive_private(KDF, prk)
    candidates = [
        KDF.expand(prk, b"candidate", bytes([counter]), 32) for counter in range(256)
    ]
    in_range = [candidate for candidate in candidates if candidate[0] < 0x10]
    assert candidates.index(private.reveal()) > 0
    assert private.reveal() == in_range[0]


def test_candidates_run_out_at_last() -> None:
    with pytest.raises(InvalidKeyError, match="none can be derived"):
        curve_of_order(1).derive_private(KDF, bytes(32))
