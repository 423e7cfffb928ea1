"""RFC 9420 vectors: headers of vectors of variable length, and headers to refuse."""

import pytest

from tertulia.codec import CodecError, Reader, TruncatedError, encode_varint
from tests.mls.vectors.cases import Case, every_case, octets
from tests.mls.vectors.tally import Tally


@every_case("deserialization")
def test_a_header_gives_its_length(case: Case, tally: Tally) -> None:
    header, length = octets(case.vector, "vlbytes_header"), case.vector["length"]
    source = Reader(header)
    tally.equal(source.varint(), length)
    tally.equal(source.remaining, 0)
    tally.equal(encode_varint(length), header)


@every_case("deserialization")
def test_a_cut_header_is_refused(case: Case, tally: Tally) -> None:
    header = octets(case.vector, "vlbytes_header")
    with tally.refuses(TruncatedError):
        Reader(header[:-1]).varint()


@every_case("deserialization")
def test_a_longer_header_for_the_same_length_is_refused(
    case: Case, tally: Tally
) -> None:
    size, length = len(octets(case.vector, "vlbytes_header")), case.vector["length"]
    for prefix, longer in ((0x40, 2), (0x80, 4)):
        if longer > size:
            header = bytearray(length.to_bytes(longer))
            header[0] |= prefix
            with tally.refuses(CodecError):
                Reader(bytes(header)).varint()


@pytest.mark.parametrize("size", [1, 2, 4, 8])
@pytest.mark.parametrize("first", [0xC0, 0xDA, 0xFF])
def test_the_invalid_prefix_is_refused(first: int, size: int) -> None:
    with pytest.raises(CodecError):
        Reader(bytes([first]) + bytes(size - 1)).varint()
