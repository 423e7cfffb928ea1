"""What is signed outside MLS: labels differ, bytes are as the pages say."""

from random import Random

import pytest

from tertulia.crypto import ED25519, CryptoError
from tertulia.wire import (
    DeviceBinding,
    DeviceList,
    DeviceProof,
    HeadRoot,
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
    HeadRoot(NONCE),
    DeviceBinding(IDENTITY, ID, 1, IDENTITY),
    DeviceList(IDENTITY, 1, (), ()),
]


def test_a_root_is_signed_byte_by_byte_as_documented() -> None:
    assert HeadRoot(b"r" * 32).signed_bytes() == (
        b"\x10Tertulia 1 heads" + b"\x20" + b"r" * 32
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
