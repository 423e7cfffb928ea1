import tracemalloc

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.client import limits
from tertulia.client.content import (
    Content,
    Greeting,
    Leaving,
    Text,
    UnknownContent,
    check_text,
    decode_content,
    encode_content,
)
from tertulia.client.value_errors import (
    BadContentError,
    BrokenTextError,
    EmptyTextError,
    TextTooLongError,
)

CONTENTS = st.one_of(
    st.builds(Text, st.text(min_size=1, max_size=50)),
    st.just(Greeting()),
    st.builds(Leaving, st.binary(min_size=64, max_size=64)),
)


@given(CONTENTS)
def test_content_is_read_as_written(content: Content) -> None:
    assert decode_content(encode_content(content)) == content


def test_content_is_an_array_that_starts_with_its_kind() -> None:
    assert encode_content(Text("hola")) == b"\x92\xa4text\xa4hola"
    assert encode_content(Greeting()) == b"\x91\xa8greeting"


def test_fields_that_are_yet_to_come_are_ignored() -> None:
    later = msgspec.msgpack.encode(["text", "hola", {"who": "knows"}, 7])
    assert decode_content(later) == Text("hola")


def test_a_kind_that_is_yet_to_come_is_told_from_nonsense() -> None:
    later = msgspec.msgpack.encode(["reaction", bytes(32), "👍"])
    assert decode_content(later) == UnknownContent("reaction")
    assert decode_content(msgspec.msgpack.encode(["poll"])) == UnknownContent("poll")


@pytest.mark.parametrize("value", [[], {}, "", None])
def test_of_content_of_an_unknown_kind_nothing_but_the_kind_is_made(
    value: object,
) -> None:
    later = msgspec.msgpack.encode(["poll", *[value] * 1_000_000])
    tracemalloc.start()
    content = decode_content(later)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert content == UnknownContent("poll")
    assert peak < 100_000


@pytest.mark.parametrize(
    "value",
    [
        [],
        ["text"],
        ["text", 7],
        ["text", ""],
        ["text", "a" * (limits.MESSAGE_TEXT + 1)],
        ["text", "ñ" * (limits.MESSAGE_TEXT // 2 + 1)],
        ["leaving", bytes(63)],
        ["leaving", bytes(65)],
        [7, "hola"],
        {"text": "hola"},
        "text",
        None,
    ],
)
def test_what_is_no_content(value: object) -> None:
    with pytest.raises(BadContentError):
        decode_content(msgspec.msgpack.encode(value))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x92\xa4text\xa4hol",
        b"\x92\xa4text\xa1\xff",
        b"\x92\xa1\xff\xa1a",
        b"\x91" * 5000,
        b"\x92\xa4text\xa4hola trailing",
        b"\x91\xa8greeting" + b"\x91",
    ],
)
def test_damaged_bytes_are_no_content(data: bytes) -> None:
    with pytest.raises(BadContentError):
        decode_content(data)


@given(st.binary(max_size=60) | st.binary(max_size=20).map(b"\x92\xa4text".__add__))
def test_any_bytes_are_content_or_refused(data: bytes) -> None:
    try:
        content = decode_content(data)
    except BadContentError:
        return
    assert isinstance(content, Text | Greeting | Leaving | UnknownContent)


@pytest.mark.parametrize("text", ["a", " a\n", "👩‍🚀", "a" * limits.MESSAGE_TEXT])
def test_a_text_within_its_limit_is_sent_as_it_is(text: str) -> None:
    assert check_text(text) == text
    assert decode_content(encode_content(Text(text))) == Text(text)


def test_a_text_that_cannot_be_sent_is_said_to_be() -> None:
    for text in ("", " \n\t"):
        with pytest.raises(EmptyTextError):
            check_text(text)
    with pytest.raises(TextTooLongError) as caught:
        check_text("ñ" * 40_000)
    assert (caught.value.size, caught.value.limit) == (80_000, limits.MESSAGE_TEXT)
    with pytest.raises(BrokenTextError):
        check_text("half \ud83d")
