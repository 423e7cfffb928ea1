"""Frames to bytes and back; anything else is the documented error."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.errors import PeerError
from tertulia.wire import (
    ErrorCode,
    Kind,
    MalformedFrameError,
    OversizeFrameError,
    UnknownFrameError,
    decode_from_client,
    decode_from_relay,
    encode,
    frames,
    limits,
)

VECTORS = Path(__file__).parents[2] / "vectors" / "wire" / "frames.json"
CASES: list[dict[str, Any]] = json.loads(VECTORS.read_text())["frames"]
SEEDS = [bytes.fromhex(case["hex"]) for case in CASES]
DECODERS = {"client": decode_from_client, "relay": decode_from_relay}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_vectors_decode_and_encode_to_the_same_bytes(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["hex"])
    assert encode(DECODERS[case["from"]](data)) == data


def only_documented_errors(data: bytes) -> None:
    for decode in DECODERS.values():
        try:
            frame = decode(data)
        except PeerError as error:
            assert isinstance(error, MalformedFrameError | UnknownFrameError)  # noqa: PT017
        else:
            assert decode(encode(frame)) == frame


@given(st.binary(max_size=200))
def test_any_bytes_decode_or_raise_the_documented_error(data: bytes) -> None:
    only_documented_errors(data)


@given(st.data())
def test_changed_frames_decode_or_raise_the_documented_error(
    data: st.DataObject,
) -> None:
    frame = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(frame) - 1))
        frame[position] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(frame)))
    only_documented_errors(bytes(frame[:cut] if cut % 2 else frame))


@given(
    st.lists(
        st.recursive(
            st.none() | st.integers(-1, 2**64 - 1) | st.binary() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        )
    ),
    st.sampled_from(CASES),
)
def test_false_fields_are_the_documented_error(
    fields: list[Any], case: dict[str, Any]
) -> None:
    tag = case["name"].split()[0]
    only_documented_errors(msgspec.msgpack.encode([tag, *fields]))


def test_fields_that_came_later_are_ignored() -> None:
    data = msgspec.msgpack.encode(["list_rooms", 7, "news", {"and": "more"}])
    assert decode_from_client(data) == frames.ListRooms(7)


def test_optional_fields_may_be_left_out_from_the_end() -> None:
    data = msgspec.msgpack.encode(["refused", 7, "gone"])
    assert decode_from_relay(data) == frames.Refused(7, ErrorCode.GONE)


def test_a_code_that_came_later_is_a_plain_no() -> None:
    data = msgspec.msgpack.encode(["refused", 7, "moon_phase"])
    assert decode_from_relay(data) == frames.Refused(7, ErrorCode.UNKNOWN)


@pytest.mark.parametrize(
    ("parts", "request_number"),
    [(["dance", 7], 7), (["dance"], 0), (["dance", 0], 0), (["dance", "x"], 0)],
)
def test_an_unknown_kind_names_its_request(
    parts: list[object], request_number: int
) -> None:
    with pytest.raises(UnknownFrameError) as caught:
        decode_from_client(msgspec.msgpack.encode(parts))
    assert caught.value.request == request_number
    assert str(caught.value) == "unknown kind of frame"


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x90", b"\x91\x07", b"\x80"])
def test_what_has_no_tag_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedFrameError):
        decode_from_client(data)


def test_nesting_has_an_end() -> None:
    with pytest.raises(MalformedFrameError):
        decode_from_client(b"\x91" * 100_000)


def test_a_frame_has_a_largest_size() -> None:
    whole = frames.Append(1, bytes(16), bytes(16), 0, bytes(limits.ENTRY_BLOB))
    assert decode_from_client(encode(whole)) == whole
    with pytest.raises(OversizeFrameError) as caught:
        decode_from_client(bytes(limits.FRAME + 1))
    assert (caught.value.size, caught.value.limit) == (limits.FRAME + 1, limits.FRAME)
    blob = bytes(limits.ENTRY_BLOB + 1)
    with pytest.raises(MalformedFrameError):
        decode_from_client(encode(frames.Append(1, bytes(16), bytes(16), 0, blob)))


def test_a_page_of_the_largest_entry_fits_a_frame() -> None:
    entry = frames.Entry(
        2**53 - 1,
        Kind.APPLICATION,
        bytes(16),
        2**53 - 1,
        bytes(16),
        2**53 - 1,
        bytes(limits.ENTRY_BLOB),
        bytes(32),
    )
    head = frames.SignedHead(bytes(16), 2**53 - 1, bytes(32), bytes(64))
    page = frames.Entries(2**32 - 1, bytes(16), bytes(32), (entry,), head, more=True)
    assert len(encode(page)) <= limits.FRAME
