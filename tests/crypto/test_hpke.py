from dataclasses import replace
from hashlib import shake_256
from random import Random
from typing import Any

import pytest
from cryptography.hazmat.primitives import hpke as library
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.mlkem import (
    MLKEM768PrivateKey,
    MLKEM768PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)
from hypothesis import given
from hypothesis import strategies as st

from tertulia.crypto import (
    AES128GCM,
    AES256GCM,
    CHACHA20POLY1305,
    DHKEM_P256,
    DHKEM_P384,
    DHKEM_P521,
    DHKEM_X448,
    DHKEM_X25519,
    HKDF_SHA256,
    HKDF_SHA384,
    HKDF_SHA512,
    HPKE,
    KEM,
    XWING,
    DecryptionError,
    InvalidKeyError,
    KeyPair,
    MessageLimitError,
    OutputTooLongError,
    Rng,
    Secret,
)
from tests.vectors import hpke_vectors

KEMS: list[KEM] = [
    DHKEM_P256,
    DHKEM_P384,
    DHKEM_P521,
    DHKEM_X25519,
    DHKEM_X448,
    XWING,
]
KDFS = [HKDF_SHA256, HKDF_SHA384, HKDF_SHA512]
AEADS = [AES128GCM, AES256GCM, CHACHA20POLY1305]

ALL = [HPKE(kem, kdf, aead) for kem in KEMS for kdf in KDFS for aead in AEADS]
BY_IDS = {(hpke.kem.id, hpke.kdf.id, hpke.aead.id): hpke for hpke in ALL}
ANY_HPKE = st.sampled_from(ALL)
EXPORT_ONLY = 0xFFFF

BASIC = HPKE(DHKEM_X25519, HKDF_SHA256, AES128GCM)
HYBRID = HPKE(XWING, HKDF_SHA384, AES256GCM)


def ids_of(hpke: HPKE) -> str:
    return f"{hpke.kem.id}-{hpke.kdf.id}-{hpke.aead.id}"


def rfc_9180() -> list[tuple[HPKE, dict[str, Any]]]:
    """Return the cases with encryptions, each with our HPKE of its ids."""
    return [
        (BY_IDS[case["kem_id"], case["kdf_id"], case["aead_id"]], case)
        for case in hpke_vectors("rfc9180-base")
        if case["aead_id"] != EXPORT_ONLY
    ]


def value(case: dict[str, Any], name: str) -> bytes:
    return bytes.fromhex(case[name])


def only(randomness: bytes) -> Rng:
    """Return a generator of these bytes; being asked for another size is an error."""

    def rng(size: int) -> bytes:
        assert size == len(randomness)
        return randomness

    return rng


def owner_of(hpke: HPKE, seed: int = 1) -> KeyPair:
    return hpke.kem.generate(Random(seed).randbytes)


def test_rfc_9180_key_schedule() -> None:
    cases = rfc_9180()
    assert len(cases) == 24
    for hpke, case in cases:
        enc, sender = hpke.send_context(
            value(case, "pkRm"), value(case, "info"), only(value(case, "ikmE"))
        )
        receiver = hpke.receive_context(
            Secret(value(case, "skRm")), enc, value(case, "info")
        )
        assert enc == value(case, "enc")
        assert sender.key.reveal() == value(case, "key")
        assert sender.base_nonce == value(case, "base_nonce")
        assert sender.exporter_secret.reveal() == value(case, "exporter_secret")
        assert receiver == sender


def test_rfc_9180_encryptions() -> None:
    for hpke, case in rfc_9180():
        enc, info = value(case, "enc"), value(case, "info")
        receiver = hpke.receive_context(Secret(value(case, "skRm")), enc, info)
        sender = receiver
        assert len(case["encryptions"]) == 4
        for message in case["encryptions"]:
            aad, plaintext = value(message, "aad"), value(message, "pt")
            assert sender.nonce() == value(message, "nonce")
            sender, ciphertext = sender.seal(aad, plaintext)
            assert ciphertext == value(message, "ct")
            receiver, opened = receiver.open(aad, ciphertext)
            assert opened == plaintext


def test_rfc_9180_single_shots() -> None:
    for hpke, case in rfc_9180():
        first = case["encryptions"][0]
        info, aad = value(case, "info"), value(first, "aad")
        enc, ciphertext = hpke.seal(
            value(case, "pkRm"),
            info,
            aad,
            value(first, "pt"),
            only(value(case, "ikmE")),
        )
        assert (enc, ciphertext) == (value(case, "enc"), value(first, "ct"))
        private = Secret(value(case, "skRm"))
        assert hpke.open(private, enc, info, aad, ciphertext) == value(first, "pt")


def test_rfc_9180_exports() -> None:
    for hpke, case in rfc_9180():
        info, private = value(case, "info"), Secret(value(case, "skRm"))
        assert len(case["exports"]) == 3
        for export in case["exports"]:
            context, length = value(export, "exporter_context"), export["L"]
            enc, sent = hpke.send_export(
                value(case, "pkRm"),
                info,
                context,
                length,
                only(value(case, "ikmE")),
            )
            received = hpke.receive_export(private, enc, info, context, length)
            assert enc == value(case, "enc")
            assert sent.reveal() == value(export, "exported_value")
            assert received == sent


def test_the_hybrid_vector_of_the_draft() -> None:
    # Its other one has a KDF of one stage, with which RFC 9420 cannot do.
    (case,) = [
        case
        for case in hpke_vectors("hpke-pq")
        if (case["kem_id"], case["kdf_id"]) == (XWING.id, HKDF_SHA256.id)
    ]
    hpke = BY_IDS[case["kem_id"], case["kdf_id"], case["aead_id"]]
    private, enc, info = (
        Secret(value(case, "skRm")),
        value(case, "enc"),
        value(case, "info"),
    )
    receiver = hpke.receive_context(private, enc, info)
    assert receiver.key.reveal() == value(case, "key")
    assert receiver.base_nonce == value(case, "base_nonce")
    assert receiver.exporter_secret.reveal() == value(case, "exporter_secret")
    first = case["encryptions"][0]
    aad, ciphertext = value(first, "aad"), value(first, "ct")
    assert hpke.open(private, enc, info, aad, ciphertext) == value(first, "pt")
    assert len(case["encryptions"]) == 4
    for message in case["encryptions"]:
        assert receiver.nonce() == value(message, "nonce")
        receiver, opened = receiver.open(value(message, "aad"), value(message, "ct"))
        assert opened == value(message, "pt")
    assert len(case["exports"]) == 5
    for export in case["exports"]:
        exported = hpke.receive_export(
            private, enc, info, value(export, "exporter_context"), export["L"]
        )
        assert exported.reveal() == value(export, "exported_value")


LIBRARY_KEMS = {
    0x10: library.KEM.P256,
    0x11: library.KEM.P384,
    0x12: library.KEM.P521,
    0x20: library.KEM.X25519,
    0x647A: library.KEM.MLKEM768_X25519,
}
LIBRARY_KDFS = {
    1: library.KDF.HKDF_SHA256,
    2: library.KDF.HKDF_SHA384,
    3: library.KDF.HKDF_SHA512,
}
LIBRARY_AEADS = {
    1: library.AEAD.AES_128_GCM,
    2: library.AEAD.AES_256_GCM,
    3: library.AEAD.CHACHA20_POLY1305,
}
CURVES: dict[int, ec.EllipticCurve] = {
    0x10: ec.SECP256R1(),
    0x11: ec.SECP384R1(),
    0x12: ec.SECP521R1(),
}
# The library's own HPKE has all of ours but X448.
SHARED = [hpke for hpke in ALL if hpke.kem.id in LIBRARY_KEMS]


def library_suite(hpke: HPKE) -> library.Suite:
    return library.Suite(
        LIBRARY_KEMS[hpke.kem.id],
        LIBRARY_KDFS[hpke.kdf.id],
        LIBRARY_AEADS[hpke.aead.id],
    )


LibraryPrivate = (
    X25519PrivateKey | ec.EllipticCurvePrivateKey | library.MLKEM768X25519PrivateKey
)
LibraryPublic = (
    X25519PublicKey | ec.EllipticCurvePublicKey | library.MLKEM768X25519PublicKey
)


def library_private(kem: KEM, private: Secret) -> LibraryPrivate:
    if kem is XWING:
        expanded = shake_256(private.reveal()).digest(96)
        return library.MLKEM768X25519PrivateKey(
            MLKEM768PrivateKey.from_seed_bytes(expanded[:64]),
            X25519PrivateKey.from_private_bytes(expanded[64:]),
        )
    if kem.id in CURVES:
        scalar = int.from_bytes(private.reveal(), "big")
        return ec.derive_private_key(scalar, CURVES[kem.id])
    return X25519PrivateKey.from_private_bytes(private.reveal())


def library_public(kem: KEM, public: bytes) -> LibraryPublic:
    if kem is XWING:
        return library.MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(public[:1184]),
            X25519PublicKey.from_public_bytes(public[1184:]),
        )
    if kem.id in CURVES:
        return ec.EllipticCurvePublicKey.from_encoded_point(CURVES[kem.id], public)
    return X25519PublicKey.from_public_bytes(public)


@pytest.mark.parametrize("hpke", SHARED, ids=ids_of)
def test_the_library_opens_what_we_seal(hpke: HPKE) -> None:
    owner = owner_of(hpke)
    enc, ciphertext = hpke.seal(
        owner.public, b"info", b"", b"text", Random(2).randbytes
    )
    private = library_private(hpke.kem, owner.private)
    assert library_suite(hpke).decrypt(enc + ciphertext, private, b"info") == b"text"


@pytest.mark.parametrize("hpke", SHARED, ids=ids_of)
def test_we_open_what_the_library_seals(hpke: HPKE) -> None:
    owner = owner_of(hpke)
    public = library_public(hpke.kem, owner.public)
    sealed = library_suite(hpke).encrypt(b"text", public, b"info")
    size = LIBRARY_KEMS[hpke.kem.id].enc_length()
    enc, ciphertext = sealed[:size], sealed[size:]
    assert hpke.open(owner.private, enc, b"info", b"", ciphertext) == b"text"


@given(ANY_HPKE, st.integers(), st.binary(), st.binary(), st.binary())
def test_opens_what_it_sealed(
    hpke: HPKE, seed: int, info: bytes, aad: bytes, plaintext: bytes
) -> None:
    owner = owner_of(hpke, seed)
    rng = Random(seed + 1).randbytes
    enc, ciphertext = hpke.seal(owner.public, info, aad, plaintext, rng)
    assert hpke.open(owner.private, enc, info, aad, ciphertext) == plaintext


@given(ANY_HPKE, st.lists(st.binary(), max_size=3))
def test_each_opens_its_own_message_of_several(
    hpke: HPKE, plaintexts: list[bytes]
) -> None:
    owners = [owner_of(hpke, seed) for seed in range(len(plaintexts))]
    publics = [owner.public for owner in owners]
    sealed = hpke.seal_each(
        b"info", b"aad", zip(publics, plaintexts, strict=True), Random(9).randbytes
    )
    opened = [
        hpke.open(owner.private, enc, b"info", b"aad", ciphertext)
        for owner, (enc, ciphertext) in zip(owners, sealed, strict=True)
    ]
    assert opened == plaintexts


def test_several_are_sealed_as_one_by_one() -> None:
    messages = [(owner_of(BASIC, seed).public, b"text") for seed in (1, 2)]
    one, other = Random(9).randbytes, Random(9).randbytes
    assert BASIC.seal_each(b"info", b"aad", messages, one) == [
        BASIC.seal(public, b"info", b"aad", text, other) for public, text in messages
    ]


@given(st.sampled_from([BASIC, HYBRID]), st.binary(), st.data())
def test_a_changed_bit_is_noticed(
    hpke: HPKE, plaintext: bytes, data: st.DataObject
) -> None:
    owner = owner_of(hpke)
    rng = Random(2).randbytes
    enc, ciphertext = hpke.seal(owner.public, b"info", b"aad", plaintext, rng)
    altered = bytearray(enc + ciphertext)
    # X25519 does not read the topmost bit of a key, but `enc` is hashed as it is.
    bit = data.draw(st.integers(0, 8 * len(altered) - 1))
    altered[bit // 8] ^= 1 << bit % 8
    with pytest.raises(DecryptionError):
        hpke.open(
            owner.private,
            bytes(altered[: len(enc)]),
            b"info",
            b"aad",
            bytes(altered[len(enc) :]),
        )


@pytest.mark.parametrize("hpke", ALL, ids=ids_of)
def test_another_key_info_or_aad_does_not_open(hpke: HPKE) -> None:
    owner, other = owner_of(hpke), owner_of(hpke, 2)
    rng = Random(3).randbytes
    enc, ciphertext = hpke.seal(owner.public, b"info", b"aad", b"text", rng)
    for private, info, aad in [
        (other.private, b"info", b"aad"),
        (owner.private, b"another", b"aad"),
        (owner.private, b"info", b"another"),
    ]:
        with pytest.raises(DecryptionError):
            hpke.open(private, enc, info, aad, ciphertext)


@pytest.mark.parametrize("hpke", ALL, ids=ids_of)
def test_cut_parts_are_refused(hpke: HPKE) -> None:
    owner = owner_of(hpke)
    enc, ciphertext = hpke.seal(owner.public, b"", b"", b"text", Random(2).randbytes)
    for cut in (ciphertext[:-1], ciphertext[:15], b""):
        with pytest.raises(DecryptionError):
            hpke.open(owner.private, enc, b"", b"", cut)
    for cut in (enc[:-1], b""):
        with pytest.raises(InvalidKeyError):
            hpke.open(owner.private, cut, b"", b"", ciphertext)


def test_a_key_of_low_order_is_not_sealed_to() -> None:
    with pytest.raises(InvalidKeyError, match="order is low"):
        BASIC.seal(bytes(32), b"", b"", b"text", Random(1).randbytes)
    with pytest.raises(InvalidKeyError, match="order is low"):
        BASIC.open(owner_of(BASIC).private, bytes(32), b"", b"", bytes(20))
    with pytest.raises(InvalidKeyError, match="order is low"):
        BASIC.send_export(bytes(32), b"", b"", 32, Random(1).randbytes)
    with pytest.raises(InvalidKeyError, match="order is low"):
        BASIC.receive_export(owner_of(BASIC).private, bytes(32), b"", b"", 32)


def test_a_context_is_replaced_not_edited() -> None:
    _, context = BASIC.send_context(owner_of(BASIC).public, b"", Random(2).randbytes)
    after, first = context.seal(b"", b"text")
    _, second = after.seal(b"", b"text")
    assert (context.sequence, after.sequence) == (0, 1)
    assert first != second
    assert context.seal(b"", b"text") == (after, first)


def test_a_failed_opening_leaves_the_context_as_it_was() -> None:
    owner = owner_of(BASIC)
    enc, sender = BASIC.send_context(owner.public, b"", Random(2).randbytes)
    receiver = BASIC.receive_context(owner.private, enc, b"")
    _, ciphertext = sender.seal(b"", b"text")
    with pytest.raises(DecryptionError):
        receiver.open(b"another", ciphertext)
    assert receiver.open(b"", ciphertext)[1] == b"text"


def test_messages_out_of_order_do_not_open() -> None:
    _, context = BASIC.send_context(owner_of(BASIC).public, b"", Random(2).randbytes)
    after, ciphertext = context.seal(b"", b"text")
    with pytest.raises(DecryptionError):
        after.open(b"", ciphertext)


def test_the_last_nonce_is_not_used() -> None:
    _, context = BASIC.send_context(owner_of(BASIC).public, b"", Random(2).randbytes)
    last = replace(context, sequence=2**96 - 2)
    exhausted, ciphertext = last.seal(b"", b"text")
    assert last.open(b"", ciphertext) == (exhausted, b"text")
    with pytest.raises(MessageLimitError):
        exhausted.seal(b"", b"text")
    with pytest.raises(MessageLimitError):
        exhausted.open(b"", ciphertext)


@pytest.mark.parametrize("hpke", ALL, ids=ids_of)
def test_both_sides_export_the_same_secret(hpke: HPKE) -> None:
    owner = owner_of(hpke)
    rng = Random(2).randbytes
    enc, sent = hpke.send_export(owner.public, b"info", b"context", 40, rng)
    received = hpke.receive_export(owner.private, enc, b"info", b"context", 40)
    assert received == sent
    for info, context in [(b"other", b"context"), (b"info", b"other")]:
        assert hpke.receive_export(owner.private, enc, info, context, 40) != sent


def test_exports_have_the_limit_of_the_kdf() -> None:
    owner = owner_of(BASIC)
    rng = Random(2).randbytes
    limit = 255 * BASIC.kdf.size
    _, secret = BASIC.send_export(owner.public, b"", b"", limit, rng)
    assert len(secret) == limit
    with pytest.raises(OutputTooLongError):
        BASIC.send_export(owner.public, b"", b"", limit + 1, rng)


def test_a_context_shows_no_keys() -> None:
    _, context = BASIC.send_context(owner_of(BASIC).public, b"", Random(2).randbytes)
    shown = repr(context)
    assert repr(context.key.reveal()) not in shown
    assert repr(context.exporter_secret.reveal()) not in shown
    assert shown.count("<Secret ") == 2
