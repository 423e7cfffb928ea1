from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.codec import encode_opaque
from tertulia.crypto import (
    CIPHER_SUITES,
    CLASSICAL_SUITE,
    HYBRID_SUITE,
    CipherSuite,
    DecryptionError,
    InvalidKeyError,
    MacError,
    OutputTooLongError,
    Secret,
    SignatureError,
    UnsupportedSuiteError,
    cipher_suite,
    lacks_ml_kem,
)
from tests.no_ml_kem import no_ml_kem
from tests.vectors import mls_vectors

ALL = list(CIPHER_SUITES.values())
# The official vectors have no hybrid suite: those of its parts stand beside the parts.
OFFICIAL = [suite for suite in ALL if suite.id != HYBRID_SUITE]
ANY_SUITE = st.sampled_from(ALL)

every_suite = pytest.mark.parametrize("suite", ALL, ids=lambda suite: suite.name)
official = pytest.mark.parametrize("suite", OFFICIAL, ids=lambda suite: suite.name)


def basics(suite: CipherSuite, function: str) -> dict[str, Any]:
    """Return the vector of one function of `suite`."""
    (case,) = [
        case
        for case in mls_vectors("crypto-basics")
        if case["cipher_suite"] == suite.id
    ]
    vector: dict[str, Any] = case[function]
    return vector


def value(vector: dict[str, Any], name: str) -> bytes:
    return bytes.fromhex(vector[name])


def secret(vector: dict[str, Any], name: str) -> Secret:
    return Secret(value(vector, name))


# RFC 9420, section 17.1: KEM, KDF and AEAD by their numbers in RFC 9180.
REGISTRY = {
    1: ("MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519", (0x20, 1, 1)),
    2: ("MLS_128_DHKEMP256_AES128GCM_SHA256_P256", (0x10, 1, 1)),
    3: ("MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519", (0x20, 1, 3)),
    4: ("MLS_256_DHKEMX448_AES256GCM_SHA512_Ed448", (0x21, 3, 2)),
    5: ("MLS_256_DHKEMP521_AES256GCM_SHA512_P521", (0x12, 3, 2)),
    6: ("MLS_256_DHKEMX448_CHACHA20POLY1305_SHA512_Ed448", (0x21, 3, 3)),
    7: ("MLS_256_DHKEMP384_AES256GCM_SHA384_P384", (0x11, 2, 2)),
    # draft-ietf-mls-pq-ciphersuites-06, TBD2.
    0xF002: ("MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519", (0x647A, 2, 2)),
}


def test_the_table_is_that_of_the_specifications() -> None:
    assert (CLASSICAL_SUITE, HYBRID_SUITE) == (1, 0xF002)
    assert {
        number: (suite.name, (suite.hpke.kem.id, suite.kdf.id, suite.aead.id))
        for number, suite in CIPHER_SUITES.items()
    } == REGISTRY


@every_suite
def test_a_suite_is_found_by_its_number(suite: CipherSuite) -> None:
    assert cipher_suite(suite.id) is suite
    assert suite.hpke.kdf is suite.kdf
    assert suite.hpke.aead is suite.aead


@pytest.mark.parametrize("number", [0, 8, 0x0A0A, 0xFFFF])
def test_other_numbers_are_not_supported(number: int) -> None:
    with pytest.raises(UnsupportedSuiteError) as caught:
        cipher_suite(number)
    assert caught.value.suite == number


@official
def test_ref_hash_vector(suite: CipherSuite) -> None:
    vector = basics(suite, "ref_hash")
    result = suite.ref_hash(vector["label"], value(vector, "value"))
    assert result == value(vector, "out")


@official
def test_expand_with_label_vector(suite: CipherSuite) -> None:
    vector = basics(suite, "expand_with_label")
    result = suite.expand_with_label(
        secret(vector, "secret"),
        vector["label"],
        value(vector, "context"),
        vector["length"],
    )
    assert result == secret(vector, "out")


@official
def test_derive_secret_vector(suite: CipherSuite) -> None:
    vector = basics(suite, "derive_secret")
    result = suite.derive_secret(secret(vector, "secret"), vector["label"])
    assert result == secret(vector, "out")


@official
def test_derive_tree_secret_vector(suite: CipherSuite) -> None:
    vector = basics(suite, "derive_tree_secret")
    result = suite.derive_tree_secret(
        secret(vector, "secret"),
        vector["label"],
        vector["generation"],
        vector["length"],
    )
    assert result == secret(vector, "out")


@official
def test_sign_with_label_vector(suite: CipherSuite) -> None:
    vector = basics(suite, "sign_with_label")
    public, content = value(vector, "pub"), value(vector, "content")
    private, label = secret(vector, "priv"), vector["label"]
    assert suite.signature.public_key(private) == public
    suite.verify_with_label(public, label, content, value(vector, "signature"))
    ours = suite.sign_with_label(private, label, content)
    suite.verify_with_label(public, label, content, ours)


@official
def test_encrypt_with_label_vector(suite: CipherSuite) -> None:
    vector = basics(suite, "encrypt_with_label")
    public, context = value(vector, "pub"), value(vector, "context")
    private, label = secret(vector, "priv"), vector["label"]
    plaintext = secret(vector, "plaintext")
    assert suite.hpke.kem.public_key(private) == public
    theirs = value(vector, "kem_output"), value(vector, "ciphertext")
    ours = suite.encrypt_with_label(
        public, label, context, plaintext.reveal(), Random(1).randbytes
    )
    for sealed in (theirs, ours):
        assert suite.decrypt_with_label(private, label, context, *sealed) == plaintext


@every_suite
def test_the_label_of_a_reference_stands_as_it_is(suite: CipherSuite) -> None:
    encoded = b"\x1aMLS 1.0 Proposal Reference\x08proposal"
    reference = suite.ref_hash("MLS 1.0 Proposal Reference", b"proposal")
    assert reference == suite.hash(encoded)


@given(ANY_SUITE, st.binary(min_size=32, max_size=64), st.text(), st.integers(1, 99))
def test_derive_secret_is_expand_with_label_without_context(
    suite: CipherSuite, key: bytes, label: str, length: int
) -> None:
    derived = suite.derive_secret(Secret(key), label)
    size = suite.kdf.size
    assert derived == suite.expand_with_label(Secret(key), label, b"", size)
    assert len(suite.expand_with_label(Secret(key), label, b"", length)) == length


def test_only_the_hybrid_suite_can_lack_ml_kem() -> None:
    assert not any(map(lacks_ml_kem, CIPHER_SUITES))
    with no_ml_kem():
        assert list(filter(lacks_ml_kem, CIPHER_SUITES)) == [HYBRID_SUITE]


@every_suite
@pytest.mark.parametrize("length", [255 * 64 + 1, 0xFFFF, 0x10000])
def test_too_long_outputs_are_refused(suite: CipherSuite, length: int) -> None:
    with pytest.raises(OutputTooLongError) as caught:
        suite.expand_with_label(Secret(bytes(32)), "label", b"", length)
    assert caught.value.length == length
    with pytest.raises(OutputTooLongError):
        suite.derive_tree_secret(Secret(bytes(32)), "label", 0, length)


@every_suite
def test_hash_extract_and_mac_are_those_of_the_kdf(suite: CipherSuite) -> None:
    assert suite.hash(b"data") == suite.kdf.hash(b"data")
    extracted = suite.extract(Secret(b"salt"), Secret(b"ikm"))
    assert extracted == Secret(suite.kdf.extract(b"salt", b"ikm"))
    assert suite.mac(Secret(b"key"), b"data") == suite.kdf.mac(b"key", b"data")


@given(ANY_SUITE, st.binary(), st.binary())
def test_a_tag_verifies(suite: CipherSuite, key: bytes, data: bytes) -> None:
    suite.verify_mac(Secret(key), data, suite.mac(Secret(key), data))


@every_suite
def test_wrong_tags_are_refused(suite: CipherSuite) -> None:
    key = Secret(b"key")
    tag = suite.mac(key, b"data")
    flipped = bytes([tag[0] ^ 1]) + tag[1:]
    for wrong in (b"", tag[:-1], tag + b"\0", flipped, suite.mac(key, b"other")):
        with pytest.raises(MacError):
            suite.verify_mac(key, b"data", wrong)
    with pytest.raises(MacError):
        suite.verify_mac(Secret(b"another"), b"data", tag)


@every_suite
def test_a_label_is_part_of_what_is_signed(suite: CipherSuite) -> None:
    signer = suite.generate_signature_key_pair(Random(1).randbytes)
    signature = suite.sign_with_label(signer.private, "FramedContentTBS", b"content")
    content = encode_opaque(b"MLS 1.0 FramedContentTBS") + encode_opaque(b"content")
    suite.signature.verify(signer.public, content, signature)
    for label, other in [
        ("LeafNodeTBS", b"content"),
        ("FramedContentTBS", b"other content"),
        # The boundary between both is part of it, too.
        ("FramedContentTBSc", b"ontent"),
    ]:
        with pytest.raises(SignatureError):
            suite.verify_with_label(signer.public, label, other, signature)


@given(ANY_SUITE, st.integers(), st.text(), st.binary(), st.binary())
def test_encryption_with_label_round_trip(
    suite: CipherSuite, seed: int, label: str, context: bytes, plaintext: bytes
) -> None:
    rng = Random(seed).randbytes
    owner = suite.generate_kem_key_pair(rng)
    sealed = suite.encrypt_with_label(owner.public, label, context, plaintext, rng)
    opened = suite.decrypt_with_label(owner.private, label, context, *sealed)
    assert opened == Secret(plaintext)


@every_suite
def test_several_are_encrypted_to_each_with_its_own_key(suite: CipherSuite) -> None:
    rng = Random(1).randbytes
    owners = [suite.generate_kem_key_pair(rng) for _ in range(3)]
    texts = [b"one", b"two", b"three"]
    messages = zip((owner.public for owner in owners), texts, strict=True)
    sealed = suite.encrypt_each_with_label("Welcome", b"context", messages, rng)
    for owner, parts, text in zip(owners, sealed, texts, strict=True):
        opened = suite.decrypt_with_label(owner.private, "Welcome", b"context", *parts)
        assert opened == Secret(text)


@every_suite
def test_label_and_context_are_part_of_what_is_encrypted(suite: CipherSuite) -> None:
    rng = Random(1).randbytes
    owner = suite.generate_kem_key_pair(rng)
    sealed = suite.encrypt_with_label(owner.public, "Welcome", b"context", b"text", rng)
    for label, context in [("UpdatePathNode", b"context"), ("Welcome", b"other")]:
        with pytest.raises(DecryptionError):
            suite.decrypt_with_label(owner.private, label, context, *sealed)
    kem_output, ciphertext = sealed
    with pytest.raises(DecryptionError):
        suite.decrypt_with_label(
            owner.private, "Welcome", b"context", kem_output, ciphertext[:-1]
        )
    with pytest.raises(InvalidKeyError):
        suite.decrypt_with_label(
            owner.private, "Welcome", b"context", kem_output[:-1], ciphertext
        )


@every_suite
def test_keys_come_from_the_rng_that_is_given(suite: CipherSuite) -> None:
    first, second = Random(1).randbytes, Random(1).randbytes
    assert len(suite.random(first)) == suite.kdf.size
    suite.random(second)
    assert suite.generate_kem_key_pair(first) == suite.generate_kem_key_pair(second)
    ours = suite.generate_signature_key_pair(first)
    assert ours == suite.generate_signature_key_pair(second)
    assert suite.random(first) == suite.random(second)


@every_suite
def test_a_path_secret_stands_for_a_key_pair(suite: CipherSuite) -> None:
    node_secret = suite.random(Random(1).randbytes)
    pair = suite.kem_derive_key_pair(node_secret)
    assert pair == suite.hpke.kem.derive_key_pair(node_secret)
    suite.validate_kem_public_key(pair.public)


@every_suite
def test_bad_encryption_keys_are_refused(suite: CipherSuite) -> None:
    public = suite.generate_kem_key_pair(Random(1).randbytes).public
    suite.validate_kem_public_key(public)
    for bad in (b"", bytes(len(public)), public[:-1], public + b"\0"):
        with pytest.raises(InvalidKeyError):
            suite.validate_kem_public_key(bad)
