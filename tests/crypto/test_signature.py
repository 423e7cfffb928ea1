from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from hypothesis import given
from hypothesis import strategies as st

from tertulia.crypto import (
    ECDSA,
    ECDSA_P256,
    ECDSA_P384,
    ECDSA_P521,
    ED448,
    ED25519,
    EdDSA,
    InvalidKeyError,
    Secret,
    SignatureError,
    SignatureScheme,
)

EDWARDS = [ED25519, ED448]
WEIERSTRASS = [ECDSA_P256, ECDSA_P384, ECDSA_P521]
ALL: list[SignatureScheme] = [*EDWARDS, *WEIERSTRASS]
ANY_SCHEME = st.sampled_from(ALL)

# RFC 8032, section 7.1, TEST 3, and 7.4, "1 octet": seed, public key, data, signature.
RFC_8032 = [
    (
        ED25519,
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        ED448,
        "c4eab05d357007c632f3dbb48489924d552b08fe0c353a0d4a1f00acda2c463a"
        "fbea67c5e8d2877c5e3bc397a659949ef8021e954e0a12274e",
        "43ba28f430cdff456ae531545f7ecd0ac834a55d9358c0372bfa0c6c6798c086"
        "6aea01eb00742802b8438ea4cb82169c235160627b4c3a9480",
        "03",
        "26b8f91727bd62897af15e41eb43c377efb9c610d48f2335cb0bd0087810f435"
        "2541b143c4b981b7e18f62de8ccdf633fc1bf037ab7cd779805e0dbcc0aae1cb"
        "cee1afb2e027df36bc04dcecbf154336c19f0af7e0a6472905e799f1953d2a0f"
        "f3348ab21aa4adafd1d234441cf807c03a00",
    ),
]


@pytest.mark.parametrize(("scheme", "seed", "public", "data", "signature"), RFC_8032)
def test_rfc_8032(
    scheme: EdDSA, seed: str, public: str, data: str, signature: str
) -> None:
    private = Secret(bytes.fromhex(seed))
    assert scheme.public_key(private).hex() == public
    assert scheme.sign(private, bytes.fromhex(data)).hex() == signature
    scheme.verify(bytes.fromhex(public), bytes.fromhex(data), bytes.fromhex(signature))


def test_rfc_6979() -> None:
    """Appendix A.2.5: P-256, SHA-256, "sample"."""
    private = Secret(
        bytes.fromhex(
            "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"
        )
    )
    assert decode_dss_signature(ECDSA_P256.sign(private, b"sample")) == (
        0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716,
        0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8,
    )


@given(ANY_SCHEME, st.integers(), st.binary())
def test_a_signature_verifies(scheme: SignatureScheme, seed: int, data: bytes) -> None:
    signer = scheme.generate(Random(seed).randbytes)
    signature = scheme.sign(signer.private, data)
    scheme.validate_public_key(signer.public)
    scheme.verify(signer.public, data, signature)
    assert scheme.public_key(signer.private) == signer.public
    assert scheme.sign(signer.private, data) == signature


@pytest.mark.parametrize(
    ("scheme", "private", "public"),
    [
        (ED25519, 32, 32),
        (ED448, 57, 57),
        (ECDSA_P256, 32, 65),
        (ECDSA_P384, 48, 97),
        (ECDSA_P521, 66, 133),
    ],
)
def test_sizes(scheme: SignatureScheme, private: int, public: int) -> None:
    signer = scheme.generate(Random(1).randbytes)
    assert (len(signer.private), len(signer.public)) == (private, public)


@pytest.mark.parametrize("scheme", ALL)
def test_equal_randomness_gives_equal_keys(scheme: SignatureScheme) -> None:
    first, second = Random(1).randbytes, Random(1).randbytes
    assert scheme.generate(first) == scheme.generate(second)
    assert scheme.generate(first) != scheme.generate(Random(1).randbytes)


@pytest.mark.parametrize("scheme", WEIERSTRASS)
@pytest.mark.parametrize("byte", [b"\0", b"\xff"])
def test_extreme_randomness_gives_a_key(scheme: ECDSA, byte: bytes) -> None:
    signer = scheme.generate(lambda size: byte * size)
    scheme.verify(signer.public, b"data", scheme.sign(signer.private, b"data"))


@given(ANY_SCHEME, st.data())
def test_a_changed_bit_is_noticed(scheme: SignatureScheme, data: st.DataObject) -> None:
    signer = scheme.generate(Random(1).randbytes)
    altered = bytearray(scheme.sign(signer.private, b"data"))
    bit = data.draw(st.integers(0, 8 * len(altered) - 1))
    altered[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SignatureError):
        scheme.verify(signer.public, b"data", bytes(altered))


@pytest.mark.parametrize("scheme", ALL)
def test_what_is_no_signature_is_refused(scheme: SignatureScheme) -> None:
    signer = scheme.generate(Random(1).randbytes)
    signature = scheme.sign(signer.private, b"data")
    for wrong in (b"", signature[:-1], signature + b"\0", bytes(len(signature))):
        with pytest.raises(SignatureError):
            scheme.verify(signer.public, b"data", wrong)


@pytest.mark.parametrize("scheme", ALL)
def test_other_data_or_another_key_is_refused(scheme: SignatureScheme) -> None:
    rng = Random(1).randbytes
    signer, other = scheme.generate(rng), scheme.generate(rng)
    signature = scheme.sign(signer.private, b"data")
    with pytest.raises(SignatureError):
        scheme.verify(signer.public, b"other data", signature)
    with pytest.raises(SignatureError):
        scheme.verify(other.public, b"data", signature)


@pytest.mark.parametrize("scheme", ALL)
def test_public_keys_of_another_size_are_refused(scheme: SignatureScheme) -> None:
    signer = scheme.generate(Random(1).randbytes)
    signature = scheme.sign(signer.private, b"data")
    for wrong in (b"", signer.public[:-1], signer.public + b"\0"):
        with pytest.raises(InvalidKeyError, match="public key"):
            scheme.verify(wrong, b"data", signature)
        with pytest.raises(InvalidKeyError, match="public key"):
            scheme.validate_public_key(wrong)


@pytest.mark.parametrize("scheme", ALL)
def test_bad_private_keys_are_refused(scheme: SignatureScheme) -> None:
    signer = scheme.generate(Random(1).randbytes)
    for wrong in (Secret(b""), Secret(signer.private.reveal() + b"\1")):
        with pytest.raises(InvalidKeyError, match="private key"):
            scheme.sign(wrong, b"data")
        with pytest.raises(InvalidKeyError, match="private key"):
            scheme.public_key(wrong)


def spellings(scheme: EdDSA, y: int) -> list[bytes]:
    """Return the encodings of the points at `y`, one for each sign of x."""
    sign = 1 << 8 * scheme.key_size - 1
    return [(y | bit).to_bytes(scheme.key_size, "little") for bit in (0, sign)]


LOW_ORDER = [
    (scheme, public)
    for scheme in EDWARDS
    for y in sorted(scheme.low_order)
    for public in spellings(scheme, y)
]


@pytest.mark.parametrize(("scheme", "public"), LOW_ORDER)
def test_keys_of_low_order_are_refused(scheme: EdDSA, public: bytes) -> None:
    with pytest.raises(InvalidKeyError, match="order is low"):
        scheme.validate_public_key(public)
    with pytest.raises(InvalidKeyError, match="order is low"):
        scheme.verify(public, b"data", bytes(2 * scheme.key_size))


def test_the_signature_of_everything_is_refused() -> None:
    """The library alone takes it: R the neutral element, S zero, any data."""
    neutral = (1).to_bytes(32, "little")
    forged = neutral + bytes(32)
    ED25519._load_public(neutral).verify(forged, b"whatever was signed")
    with pytest.raises(InvalidKeyError):
        ED25519.verify(neutral, b"whatever was signed", forged)


@pytest.mark.parametrize("scheme", EDWARDS)
@pytest.mark.parametrize("excess", [0, 1, 3, 18])
def test_second_spellings_of_a_key_are_refused(scheme: EdDSA, excess: int) -> None:
    for public in spellings(scheme, scheme.prime + excess):
        with pytest.raises(InvalidKeyError, match="not in canonical form"):
            scheme.validate_public_key(public)


def test_unused_bits_of_an_ed448_key_are_zero() -> None:
    public = bytearray(ED448.generate(Random(1).randbytes).public)
    public[-1] |= 1
    with pytest.raises(InvalidKeyError, match="not in canonical form"):
        ED448.validate_public_key(bytes(public))


def test_a_key_that_is_no_point_verifies_nothing() -> None:
    no_point = (2).to_bytes(32, "little")
    with pytest.raises(SignatureError):
        ED25519.verify(no_point, b"data", (1).to_bytes(32, "little") + bytes(32))


def test_ed25519_signatures_have_one_spelling() -> None:
    order = 2**252 + 27742317777372353535851937790883648493
    signer = ED25519.generate(Random(1).randbytes)
    signature = ED25519.sign(signer.private, b"data")
    shifted = int.from_bytes(signature[32:], "little") + order
    with pytest.raises(SignatureError):
        ED25519.verify(
            signer.public, b"data", signature[:32] + shifted.to_bytes(32, "little")
        )


@pytest.mark.parametrize("scheme", WEIERSTRASS)
def test_ecdsa_numbers_out_of_range_are_refused(scheme: ECDSA) -> None:
    signer = scheme.generate(Random(1).randbytes)
    r, s = decode_dss_signature(scheme.sign(signer.private, b"data"))
    order = scheme.curve.order
    for wrong in [(0, s), (r, 0), (r + order, s), (r, s + order), (0, 0)]:
        with pytest.raises(SignatureError):
            scheme.verify(signer.public, b"data", encode_dss_signature(*wrong))


@pytest.mark.parametrize("scheme", WEIERSTRASS)
def test_ecdsa_signatures_are_der_and_nothing_after(scheme: ECDSA) -> None:
    signer = scheme.generate(Random(1).randbytes)
    r, s = decode_dss_signature(scheme.sign(signer.private, b"data"))
    size = scheme.curve.private_size
    raw = r.to_bytes(size, "big") + s.to_bytes(size, "big")
    with pytest.raises(SignatureError):
        scheme.verify(signer.public, b"data", raw)
