"""Every message cut at every point, and altered in every byte, is refused."""

import json
from dataclasses import replace

import pytest

from tertulia.codec import CodecError
from tertulia.errors import TertuliaError
from tertulia.mls import (
    InvalidError,
    Rule,
    decode_message,
)
from tertulia.mls.group import Group, PendingProposal
from tertulia.mls.limits import MAX_PENDING_PROPOSALS
from tests.mls.negative.receivers import FOLDER, Vector


def _vector(file: str, name: str) -> Vector:
    document = json.loads((FOLDER / f"{file}.json").read_text())
    (case,) = [case for case in document["cases"] if case["name"] == name]
    return Vector(file, case, document["states"])


MESSAGES = (
    "public-message",
    "private-message",
    "private-commit",
    "welcome",
    "group-info",
    "key-package",
)


@pytest.mark.parametrize("kind", MESSAGES)
def test_a_message_cut_anywhere_does_not_decode(kind: str) -> None:
    whole = bytes.fromhex(_vector("encodings", f"{kind}-cut-by-a-byte").case["valid"])
    decode_message(whole)
    for size in range(len(whole)):
        with pytest.raises(CodecError):
            decode_message(whole[:size])


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("framing", "signature-empty-in-suite-1"),
        ("private-messages", "ciphertext-empty-in-suite-1"),
        ("external-commits", "external-signature-empty-in-suite-1"),
    ],
)
def test_a_message_altered_anywhere_is_refused(file: str, name: str) -> None:
    vector = _vector(file, name)
    receiver = vector.start()
    valid = bytes.fromhex(vector.case["valid"])
    for position in range(len(valid)):
        altered = bytearray(valid)
        altered[position] ^= 0x10
        changed = replace(vector, case={**vector.case, "invalid": altered.hex()})
        with pytest.raises(TertuliaError):
            replace(receiver, vector=changed).receive("invalid")
    receiver.receive("valid")


def test_a_welcome_altered_anywhere_is_refused() -> None:
    vector = _vector("welcomes", "welcome-for-nobody-in-suite-1")
    valid = bytes.fromhex(vector.case["valid"])
    receiver = vector.start()
    for position in range(0, len(valid), 7):
        altered = bytearray(valid)
        altered[position] ^= 0x10
        changed = replace(vector, case={**vector.case, "invalid": altered.hex()})
        with pytest.raises(TertuliaError):
            replace(receiver, vector=changed).receive("invalid")


def test_proposals_beyond_the_limit_of_an_epoch_are_refused() -> None:
    vector = _vector("framing", "proposal-by-blank-leaf")
    receiver = vector.start()
    first = receiver.receive("valid")
    group = getattr(first, "group", None)
    assert isinstance(group, Group)
    ((_, pending),) = group.traffic.proposals.items()
    full = _with_proposals(group, pending, MAX_PENDING_PROPOSALS)
    with pytest.raises(InvalidError) as refusal:
        replace(receiver, group=full).receive("valid")
    assert refusal.value.rule is Rule.PROPOSAL_LIMIT
    room_for_one = _with_proposals(group, pending, MAX_PENDING_PROPOSALS - 1)
    replace(receiver, group=room_for_one).receive("valid")


def _with_proposals(group: Group, pending: PendingProposal, count: int) -> Group:
    proposals = {number.to_bytes(32): pending for number in range(count)}
    return replace(group, traffic=replace(group.traffic, proposals=proposals))
