import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.crypto import (
    AEAD,
    AES128GCM,
    AES256GCM,
    CHACHA20POLY1305,
    DecryptionError,
    Secret,
    WrongSizeError,
)

ALL = [AES128GCM, AES256GCM, CHACHA20POLY1305]
ANY_AEAD = st.sampled_from(ALL)


def key_of(aead: AEAD) -> Secret:
    return Secret(bytes(range(aead.key_size)))


def nonce_of(aead: AEAD) -> bytes:
    return bytes(range(aead.nonce_size))


# Test cases 4 and 16 of the GCM specification, and RFC 8439, section 2.8.2.
GCM_KEY = "feffe9928665731c6d6a8f9467308308"
GCM_NONCE = "cafebabefacedbaddecaf888"
GCM_AAD = "feedfacedeadbeeffeedfacedeadbeefabaddad2"
GCM_PLAINTEXT = (
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
)
KNOWN = [
    (
        AES128GCM,
        GCM_KEY,
        GCM_NONCE,
        GCM_AAD,
        GCM_PLAINTEXT,
        "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
        "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
        "5bc94fbc3221a5db94fae95ae7121a47",
    ),
    (
        AES256GCM,
        GCM_KEY * 2,
        GCM_NONCE,
        GCM_AAD,
        GCM_PLAINTEXT,
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        "76fc6ece0f4e1768cddf8853bb2d551b",
    ),
    (
        CHACHA20POLY1305,
        bytes(range(0x80, 0xA0)).hex(),
        "070000004041424344454647",
        "50515253c0c1c2c3c4c5c6c7",
        b"Ladies and Gentlemen of the class of '99: If I could offer you "
        b"only one tip for the future, sunscreen would be it.".hex(),
        "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
        "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
        "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
        "3ff4def08e4b7a9de576d26586cec64b6116"
        "1ae10b594f09e26a7e902ecbd0600691",
    ),
]


@pytest.mark.parametrize("case", KNOWN, ids=["AES-128", "AES-256", "ChaCha20"])
def test_published_cases(case: tuple[AEAD, str, str, str, str, str]) -> None:
    aead, *texts = case
    key, nonce, aad, plaintext, ciphertext = map(bytes.fromhex, texts)
    assert aead.seal(Secret(key), nonce, aad, plaintext) == ciphertext
    assert aead.open(Secret(key), nonce, aad, ciphertext) == plaintext


@given(ANY_AEAD, st.binary(), st.binary())
def test_opens_what_it_sealed(aead: AEAD, aad: bytes, plaintext: bytes) -> None:
    key, nonce = key_of(aead), nonce_of(aead)
    ciphertext = aead.seal(key, nonce, aad, plaintext)
    assert len(ciphertext) == len(plaintext) + aead.tag_size
    assert aead.open(key, nonce, aad, ciphertext) == plaintext


@given(ANY_AEAD, st.binary(), st.data())
def test_a_changed_bit_is_noticed(
    aead: AEAD, plaintext: bytes, data: st.DataObject
) -> None:
    key, nonce = key_of(aead), nonce_of(aead)
    altered = bytearray(aead.seal(key, nonce, b"aad", plaintext))
    bit = data.draw(st.integers(0, 8 * len(altered) - 1))
    altered[bit // 8] ^= 1 << bit % 8
    with pytest.raises(DecryptionError):
        aead.open(key, nonce, b"aad", bytes(altered))


@given(ANY_AEAD, st.binary(), st.data())
def test_a_cut_ciphertext_is_noticed(
    aead: AEAD, plaintext: bytes, data: st.DataObject
) -> None:
    key, nonce = key_of(aead), nonce_of(aead)
    ciphertext = aead.seal(key, nonce, b"aad", plaintext)
    cut = ciphertext[: data.draw(st.integers(0, len(ciphertext) - 1))]
    with pytest.raises(DecryptionError):
        aead.open(key, nonce, b"aad", cut)


@pytest.mark.parametrize("aead", ALL)
def test_another_key_nonce_or_aad_does_not_open(aead: AEAD) -> None:
    key, nonce = key_of(aead), nonce_of(aead)
    other_key, other_nonce = Secret(bytes(aead.key_size)), bytes(aead.nonce_size)
    ciphertext = aead.seal(key, nonce, b"aad", b"text")
    for wrong in [
        (other_key, nonce, b"aad"),
        (key, other_nonce, b"aad"),
        (key, nonce, b""),
    ]:
        with pytest.raises(DecryptionError):
            aead.open(*wrong, ciphertext)


@pytest.mark.parametrize("aead", ALL)
@pytest.mark.parametrize("size", [0, 15, 17, 24, 31, 33])
def test_keys_of_another_size_are_refused(aead: AEAD, size: int) -> None:
    with pytest.raises(WrongSizeError, match=f"key has {size} bytes"):
        aead.seal(Secret(bytes(size)), nonce_of(aead), b"", b"")
    with pytest.raises(WrongSizeError, match=f"key has {size} bytes"):
        aead.open(Secret(bytes(size)), nonce_of(aead), b"", bytes(16))


def test_the_two_key_sizes_of_aes_are_not_mixed_up() -> None:
    with pytest.raises(WrongSizeError):
        AES128GCM.seal(key_of(AES256GCM), nonce_of(AES128GCM), b"", b"")
    with pytest.raises(WrongSizeError):
        AES256GCM.seal(key_of(AES128GCM), nonce_of(AES256GCM), b"", b"")


@pytest.mark.parametrize("aead", ALL)
@pytest.mark.parametrize("size", [0, 8, 11, 13, 16])
def test_nonces_of_another_size_are_refused(aead: AEAD, size: int) -> None:
    with pytest.raises(WrongSizeError, match=f"nonce has {size} bytes"):
        aead.seal(key_of(aead), bytes(size), b"", b"")
    with pytest.raises(WrongSizeError, match=f"nonce has {size} bytes"):
        aead.open(key_of(aead), bytes(size), b"", bytes(16))
