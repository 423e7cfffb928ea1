import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand
from hypothesis import given
from hypothesis import strategies as st

from tertulia.crypto import (
    HKDF_SHA256,
    HKDF_SHA384,
    HKDF_SHA512,
    KDF,
    OutputTooLongError,
)

# Beside each, the same hash in the library, for a second opinion.
KDFS: list[tuple[KDF, hashes.HashAlgorithm]] = [
    (HKDF_SHA256, hashes.SHA256()),
    (HKDF_SHA384, hashes.SHA384()),
    (HKDF_SHA512, hashes.SHA512()),
]
KDF_WITH_PEER = st.sampled_from(KDFS)

# RFC 5869, appendices A.1 to A.3: salt, input, info, pseudorandom key, output.
RFC_5869 = [
    (
        bytes(range(13)),
        b"\x0b" * 22,
        bytes(range(0xF0, 0xFA)),
        "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
        "34007208d5b887185865",
    ),
    (
        bytes(range(0x60, 0xB0)),
        bytes(range(0x50)),
        bytes(range(0xB0, 0x100)),
        "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
        "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
        "cc30c58179ec3e87c14c01d5c1f3434f1d87",
    ),
    (
        b"",
        b"\x0b" * 22,
        b"",
        "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
        "9d201395faa4b61a96c8",
    ),
]


@pytest.mark.parametrize(("salt", "ikm", "info", "prk", "okm"), RFC_5869)
def test_rfc_5869(salt: bytes, ikm: bytes, info: bytes, prk: str, okm: str) -> None:
    extracted = HKDF_SHA256.extract(salt, ikm)
    assert extracted.hex() == prk
    output = bytes.fromhex(okm)
    assert HKDF_SHA256.expand(extracted, info, len(output)) == output


@given(KDF_WITH_PEER, st.binary(), st.binary(), st.binary(), st.integers(1, 300))
def test_agrees_with_the_library(
    kdf_with_peer: tuple[KDF, hashes.HashAlgorithm],
    salt: bytes,
    ikm: bytes,
    info: bytes,
    length: int,
) -> None:
    kdf, algorithm = kdf_with_peer
    prk = kdf.extract(salt, ikm)
    expected = HKDF(algorithm, length, salt, info).derive(ikm)
    assert kdf.expand(prk, info, length) == expected


@pytest.mark.parametrize(("kdf", "algorithm"), KDFS)
def test_gives_255_blocks_and_no_byte_more(
    kdf: KDF, algorithm: hashes.HashAlgorithm
) -> None:
    prk, limit = bytes(kdf.size), 255 * kdf.size
    expected = HKDFExpand(algorithm, limit, b"info").derive(prk)
    assert kdf.expand(prk, b"info", limit) == expected
    with pytest.raises(OutputTooLongError) as caught:
        kdf.expand(prk, b"info", limit + 1)
    assert (caught.value.length, caught.value.limit) == (limit + 1, limit)


@pytest.mark.parametrize("kdf", [kdf for kdf, _ in KDFS])
def test_gives_nothing_when_nothing_is_asked(kdf: KDF) -> None:
    assert kdf.expand(bytes(kdf.size), b"info", 0) == b""


@given(KDF_WITH_PEER, st.binary(), st.binary())
def test_hash_and_mac_are_those_of_the_standard_library(
    kdf_with_peer: tuple[KDF, hashes.HashAlgorithm], key: bytes, data: bytes
) -> None:
    kdf, algorithm = kdf_with_peer
    assert kdf.hash(data) == hashlib.new(algorithm.name, data).digest()
    assert kdf.mac(key, data) == hmac.new(key, data, algorithm.name).digest()
    assert len(kdf.hash(data)) == len(kdf.mac(key, data)) == kdf.size
