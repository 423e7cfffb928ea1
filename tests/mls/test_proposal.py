import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.codec import CodecError
from tertulia.mls import (
    Add,
    Extension,
    ExternalInit,
    ExternalPSK,
    GroupContextExtensions,
    PreSharedKey,
    PreSharedKeyID,
    Proposal,
    ReInit,
    Remove,
    Update,
)
from tertulia.mls.proposal import PROPOSAL
from tests.mls.world import key_package

PACKAGE = key_package("Ana").key_package
EXTENSIONS = (Extension(0x5A5A, b"grease"),)
PROPOSALS: list[Proposal] = [
    Add(PACKAGE),
    Update(PACKAGE.leaf_node),
    Remove(7),
    PreSharedKey(PreSharedKeyID(ExternalPSK(b"name"), b"nonce")),
    ReInit(b"id", 1, 2, EXTENSIONS),
    ExternalInit(b"kem output"),
    GroupContextExtensions(EXTENSIONS),
]


@pytest.mark.parametrize("number", range(1, 8))
def test_each_type_has_its_number_of_section_17_4(number: int) -> None:
    proposal = PROPOSALS[number - 1]
    encoded = PROPOSAL.encode(proposal)
    assert encoded[:2] == bytes((0, number))
    assert PROPOSAL.decode(encoded) == proposal


@pytest.mark.parametrize("number", [0, 8, 0x0A0A, 0xFFFF])
def test_a_proposal_of_unknown_type_cannot_be_read(number: int) -> None:
    with pytest.raises(CodecError, match="unknown variant"):
        PROPOSAL.decode(number.to_bytes(2) + bytes(8))


@given(st.integers(1, 7), st.binary(max_size=60))
def test_any_bytes_are_a_proposal_or_a_codec_error(number: int, data: bytes) -> None:
    encoded = bytes((0, number)) + data
    try:
        proposal = PROPOSAL.decode(encoded)
    except CodecError:
        return
    assert PROPOSAL.encode(proposal) == encoded
