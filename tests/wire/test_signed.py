"""What is signed outside MLS: labels differ, bytes are as the pages say."""

from random import Random

import pytest

from tertulia.crypto import ED25519, CryptoError
from tertulia.wire import (
    DeviceBinding,
    DeviceList,
    DeviceProof,
    Head,
    InviteClaim,
    RelayProof,
    Signable,
)

KEY = ED25519.generate(Random(1).randbytes)
IDENTITY, NONCE, ID = bytes([1]) * 32, bytes([2]) * 32, bytes([3]) * 16
EXAMPLES: list[Signable] = [
    RelayProof((1,), 1, NONCE, NONCE, b"", ID),
    DeviceProof(1, IDENTITY, b"", NONCE, NONCE, ID, 1),
    InviteClaim(IDENTITY, NONCE, NONCE, b"", ID, ID),
    Head(ID, ID, 1, NONCE),
    DeviceBinding(IDENTITY, ID, 1, IDENTITY),
    DeviceList(IDENTITY, 1, (), ()),
]


def test_a_head_is_signed_byte_by_byte_as_documented() -> None:
    head = Head(b"r" * 16, b"i" * 16, 258, b"h" * 32)
    assert head.signed_bytes() == (
        b"\x0fTertulia 1 head"
        + (b"\x10" + b"r" * 16)
        + (b"\x10" + b"i" * 16)
        + bytes([0, 0, 0, 0, 0, 0, 1, 2])
        + (b"\x20" + b"h" * 32)
    )


@pytest.mark.parametrize("value", EXAMPLES, ids=lambda value: value.label)
def test_a_signature_serves_one_value_and_one_purpose(value: Signable) -> None:
    signature = value.sign(KEY.private)
    value.verify(KEY.public, signature)
    assert type(value).decode(value.encode()) == value
    for other in EXAMPLES:
        if other is not value:
            with pytest.raises(CryptoError):
                other.verify(KEY.public, signature)


def test_labels_all_differ() -> None:
    assert len({value.label for value in EXAMPLES}) == len(EXAMPLES)
