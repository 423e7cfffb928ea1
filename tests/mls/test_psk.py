from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.codec import CodecError
from tertulia.crypto import Secret
from tertulia.mls import (
    ExternalPSK,
    PreSharedKeyID,
    ResumptionPSK,
    ResumptionPSKUsage,
    UnknownPskError,
    new_psk_id,
)
from tertulia.mls.psk import PSK, derive_psk_secret
from tests.mls.world import SUITE, seeded

PAPER = ExternalPSK(b"paper")
RESUMED = ResumptionPSK(ResumptionPSKUsage.APPLICATION, b"group", 7)
KEYS: Mapping[PSK, Secret] = {PAPER: Secret(b"from paper"), RESUMED: Secret(b"resumed")}


def ids(*psks: PSK) -> list[PreSharedKeyID]:
    rng = seeded("nonces")
    return [new_psk_id(SUITE, psk, rng) for psk in psks]


def test_the_encodings_of_section_8_4() -> None:
    assert PreSharedKeyID(PAPER, b"no").encode() == b"\1\5paper\2no"
    assert PreSharedKeyID(RESUMED, b"no").encode() == (
        b"\2\1\5group" + bytes(7) + b"\7\2no"
    )


@given(st.binary(max_size=30))
def test_any_bytes_are_an_id_or_a_codec_error(data: bytes) -> None:
    try:
        psk_id = PreSharedKeyID.decode(data)
    except CodecError:
        return
    assert psk_id.encode() == data


def test_each_use_has_a_nonce_of_its_own_of_the_size_of_the_kdf() -> None:
    one, other = ids(PAPER, PAPER)
    assert one.psk == other.psk == PAPER
    assert one.psk_nonce != other.psk_nonce
    assert len(one.psk_nonce) == SUITE.kdf.size


def test_without_keys_the_secret_is_zero() -> None:
    assert derive_psk_secret(SUITE, [], {}) == Secret(bytes(SUITE.kdf.size))


def test_the_chain_of_section_8_4_for_one_key() -> None:
    (psk_id,) = ids(PAPER)
    zero = Secret(bytes(32))
    label = psk_id.encode() + b"\0\0\0\1"
    extracted = SUITE.extract(zero, KEYS[PAPER])
    psk_input = SUITE.expand_with_label(extracted, "derived psk", label, 32)
    assert derive_psk_secret(SUITE, [psk_id], KEYS) == SUITE.extract(psk_input, zero)


def test_keys_order_and_nonces_all_count() -> None:
    paper, resumed, paper_again = ids(PAPER, RESUMED, PAPER)
    secrets = [
        derive_psk_secret(SUITE, named, KEYS).reveal()
        for named in (
            [paper],
            [paper_again],
            [resumed],
            [paper, resumed],
            [resumed, paper],
        )
    ]
    assert len(set(secrets)) == len(secrets)
    other_keys = {**KEYS, PAPER: Secret(b"other paper")}
    assert derive_psk_secret(SUITE, [paper], other_keys).reveal() not in secrets


def test_a_key_that_was_not_given_is_named() -> None:
    paper, resumed = ids(PAPER, RESUMED)
    with pytest.raises(UnknownPskError) as caught:
        derive_psk_secret(SUITE, [paper, resumed], {PAPER: KEYS[PAPER]})
    assert caught.value.psk_id == RESUMED
