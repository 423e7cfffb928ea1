from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.client.annotation import (
    Annotation,
    Claim,
    InviteClaim,
    JoinAuthorization,
    LeavingClaims,
    LeavingStatement,
    LeftLeaf,
    NoClaim,
    RejoinAuthorization,
    RejoinClaim,
    leaving_statement,
)
from tertulia.codec import CodecError, encode_opaque
from tertulia.crypto import SignatureError
from tertulia.mls import X509Credential
from tests.client.society import ROOM, person, room_of

ID = st.binary(min_size=16, max_size=16)
HASH = st.binary(min_size=32, max_size=32)
SIGNATURE = st.binary(min_size=64, max_size=64)
UINT32 = st.integers(min_value=0, max_value=2**32 - 1)
CLAIMS = st.one_of(
    st.just(NoClaim()),
    st.builds(InviteClaim, ID, SIGNATURE),
    st.builds(RejoinClaim, st.integers(0, 1), SIGNATURE),
    st.builds(
        LeavingClaims,
        st.lists(st.builds(LeftLeaf, UINT32, SIGNATURE), max_size=3).map(tuple),
    ),
)
ANNOTATIONS = st.builds(
    Annotation, ID, st.integers(min_value=0, max_value=2**64 - 1), HASH, CLAIMS
)


@given(ANNOTATIONS)
def test_an_annotation_is_read_as_written(annotation: Annotation) -> None:
    assert Annotation.decode(annotation.encode()) == annotation


@given(st.binary(max_size=150) | st.binary(max_size=100).map(b"\1\x10".__add__))
def test_any_bytes_are_an_annotation_or_refused(data: bytes) -> None:
    try:
        annotation = Annotation.decode(data)
    except CodecError:
        return
    assert annotation.encode() == data


@given(ANNOTATIONS, st.data())
def test_a_changed_annotation_is_another_or_none(
    annotation: Annotation, data: st.DataObject
) -> None:
    encoded = bytearray(annotation.encode())
    index = data.draw(st.integers(0, len(encoded) - 1))
    encoded[index] ^= data.draw(st.integers(1, 255))
    try:
        assert Annotation.decode(bytes(encoded)) != annotation
    except CodecError:
        return


def test_it_is_laid_out_as_documented() -> None:
    encoded = Annotation(bytes(16), 7, bytes(32)).encode()
    assert encoded == (
        b"\1" + b"\x10" + bytes(16) + bytes(7) + b"\7" + b"\x20" + bytes(32) + b"\0"
    )


@pytest.mark.parametrize(
    "annotation",
    [
        Annotation(bytes(15), 0, bytes(32)),
        Annotation(bytes(16), 0, bytes(31)),
        Annotation(bytes(16), -1, bytes(32)),
        Annotation(bytes(16), 0, bytes(32), InviteClaim(bytes(17), bytes(64))),
        Annotation(bytes(16), 0, bytes(32), RejoinClaim(2, bytes(64))),
        Annotation(bytes(16), 0, bytes(32), RejoinClaim(0, bytes(63))),
    ],
)
def test_what_does_not_fit_is_not_written(annotation: Annotation) -> None:
    with pytest.raises(CodecError):
        annotation.encode()


@pytest.mark.parametrize("number", [4, 255])
def test_a_claim_of_an_unknown_kind_is_refused(number: int) -> None:
    sound = Annotation(bytes(16), 0, bytes(32)).encode()
    with pytest.raises(CodecError, match="unknown variant"):
        Annotation.decode(sound[:-1] + bytes((number,)))


# What is signed

ANA = person("Ana")
LEAF = room_of("Ana")["Ana"].leaf
SIGNABLES: list[JoinAuthorization | RejoinAuthorization | LeavingStatement] = [
    JoinAuthorization(ROOM, 1, b"kem", b"leaf"),
    RejoinAuthorization(ROOM, 1, b"kem", b"leaf", 2),
    leaving_statement(ROOM, 2, LEAF),
]


def test_each_purpose_has_a_label_of_its_own() -> None:
    labels = [each.label for each in SIGNABLES]
    assert labels == ["Tertulia 1 join", "Tertulia 1 rejoin", "Tertulia 1 leave"]
    for each in SIGNABLES:
        assert each.signed_bytes().startswith(encode_opaque(each.label.encode()))


CHANGES: list[tuple[int, dict[str, Any]]] = [
    (0, {"group_id": bytes(16)}),
    (0, {"epoch": 2}),
    (0, {"kem_output": b"kem2"}),
    (0, {"leaf": b"leave"}),
    (1, {"group_id": bytes(16)}),
    (1, {"epoch": 2}),
    (1, {"kem_output": b""}),
    (1, {"leaf": b""}),
    (1, {"replaced": 3}),
    (2, {"group_id": bytes(16)}),
    (2, {"leaf": 3}),
    (2, {"device": bytes(16)}),
    (2, {"leaf_hash": bytes(32)}),
]


@pytest.mark.parametrize(("number", "fields"), CHANGES)
def test_a_signature_covers_every_field(number: int, fields: dict[str, Any]) -> None:
    signable = SIGNABLES[number]
    signature = signable.sign(ANA.device_key)
    signable.verify(ANA.device_public, signature)
    with pytest.raises(SignatureError):
        replace(signable, **fields).verify(ANA.device_public, signature)


def test_a_statement_names_group_place_device_and_leaf() -> None:
    leaf_hash = sha256(LEAF.encode()).digest()
    said = leaving_statement(ROOM, 2, LEAF)
    assert said == LeavingStatement(ROOM, 2, ANA.device, leaf_hash)
    with pytest.raises(CodecError):
        leaving_statement(ROOM, 2, replace(LEAF, credential=X509Credential(())))


def test_a_claim_is_nothing_unless_it_is_made() -> None:
    claim: Claim = Annotation(bytes(16), 0, bytes(32)).claim
    assert claim == NoClaim()
