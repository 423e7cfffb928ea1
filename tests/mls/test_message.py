import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.codec import CodecError
from tertulia.mls import (
    PUBLIC,
    CommitPlan,
    GroupInfo,
    InvalidError,
    KeyPackage,
    Message,
    PrivateMessage,
    PublicMessage,
    Rule,
    Unverified,
    Welcome,
    decode_message,
    encode_message,
    make_group_info,
)
from tests.mls.world import adds, alone, group_of, key_package, make, refused

Body = PublicMessage | PrivateMessage | Welcome | GroupInfo | KeyPackage


def bodies() -> list[Body]:
    """Return one of each, in the order of their numbers."""
    group = group_of("Ana", "Luis")[0]
    public = make(group, CommitPlan(framing=PUBLIC)).message
    private = make(group).message
    welcome = make(group, adds(key_package("Eva"))).welcome
    assert welcome is not None
    package = key_package("Juan").key_package
    return [public, private, welcome, make_group_info(group), package]


@pytest.mark.parametrize("number", range(1, 6))
def test_each_wire_format_is_read_as_it_was_written(number: int) -> None:
    body = bodies()[number - 1]
    encoded = encode_message(body)
    assert encoded[:4] == bytes((0, 1, 0, number))
    message = decode_message(encoded)
    if isinstance(body, GroupInfo | KeyPackage):
        assert message == Unverified(body)
    else:
        assert message == body


@pytest.mark.parametrize("version", [0, 2, 0xFFFF])
def test_another_version_is_refused(version: int) -> None:
    encoded = encode_message(alone_package())
    with refused(Rule.VERSION):
        decode_message(version.to_bytes(2) + encoded[2:])


def alone_package() -> KeyPackage:
    return key_package("Ana").key_package


@pytest.mark.parametrize("number", [0, 6, 0x0A0A])
def test_an_unknown_wire_format_is_refused(number: int) -> None:
    with pytest.raises(CodecError, match=f"{number} is no WireFormat"):
        decode_message(b"\0\1" + number.to_bytes(2))


@pytest.mark.parametrize("number", range(1, 6))
def test_nothing_may_follow_a_message_or_be_missing(number: int) -> None:
    encoded = encode_message(bodies()[number - 1])
    with pytest.raises(CodecError):
        decode_message(encoded + b"\0")
    for size in (0, 1, 3, 5, len(encoded) // 2, len(encoded) - 1):
        with pytest.raises(CodecError):
            decode_message(encoded[:size])


@given(st.integers(1, 5), st.binary(max_size=80))
def test_any_bytes_are_a_message_or_refused(number: int, data: bytes) -> None:
    for candidate in (data, bytes((0, 1, 0, number)) + data):
        try:
            message = decode_message(candidate)
        except (CodecError, InvalidError):
            continue
        assert encode_message(inside(message)) == candidate


def inside(message: Message) -> Body:
    return message.take_for_checking() if isinstance(message, Unverified) else message


def test_what_a_group_of_one_says_of_itself_can_be_read() -> None:
    info = make_group_info(alone("Ana"))
    assert decode_message(encode_message(info)) == Unverified(info)
