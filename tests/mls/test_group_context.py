from hypothesis import given
from hypothesis import strategies as st

from tertulia.codec import CodecError
from tertulia.mls import Extension, GroupContext


def test_the_fields_of_section_8_1_in_their_order() -> None:
    context = GroupContext(1, 2, b"id", 3, b"tree", b"hash", (Extension(4, b"x"),))
    assert context.encode() == (b"\0\1\0\2\2id" + bytes(7) + b"\3\4tree\4hash\4\0\4\1x")
    assert GroupContext.decode(context.encode()) == context


@given(st.binary(max_size=40))
def test_any_bytes_are_a_context_or_a_codec_error(data: bytes) -> None:
    try:
        context = GroupContext.decode(data)
    except CodecError:
        return
    assert context.encode() == data
