import pytest

from tertulia.cli.errors import AmbiguousNameError, NothingNamedError
from tertulia.cli.room_choice import choose_member, choose_room
from tertulia.client import MemberView, RoomStatus
from tests.cli.fake_agent import person, room_view

ROOMS = [
    room_view("Garden", bytes.fromhex("aa01" * 8)),
    room_view("garden party", bytes.fromhex("aa02" * 8)),
    room_view("Kitchen", bytes.fromhex("bb03" * 8)),
]


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("Garden", 0),
        ("GARDEN", 0),
        ("garden p", 1),
        ("kit", 2),
        ("bb03", 2),
        ("BB03BB", 2),
        ("aa02" * 8, 1),
    ],
)
def test_a_room_is_found(text: str, index: int) -> None:
    assert choose_room(ROOMS, text) is ROOMS[index]


@pytest.mark.parametrize("text", ["g", "Gard", ""])
def test_what_could_be_several_is_said_with_ids(text: str) -> None:
    with pytest.raises(AmbiguousNameError) as raised:
        choose_room(ROOMS, text)
    assert "Garden (aa01aa01)" in raised.value.listed


@pytest.mark.parametrize("text", ["cellar", "b", "bb0", "ffff"])
def test_what_is_not_there_is_said(text: str) -> None:
    with pytest.raises(NothingNamedError):
        choose_room(ROOMS, text)


def test_a_room_one_is_in_counts_more_than_one_that_was_left() -> None:
    left = room_view("Garden", b"\xcc" * 16, status=RoomStatus.LEFT)
    assert choose_room([left, *ROOMS], "Garden") is ROOMS[0]
    assert choose_room([left], "Garden") is left


def member(name: str, account: bytes) -> MemberView:
    who = person(name)
    return MemberView(type(who)(account, name), 1, False, False, "")  # noqa: FBT003


ANAS = [member("Ana", b"\xaa" * 32), member("Ana", b"\xab" * 32)]
PEOPLE = [*ANAS, member("Blas", b"\xbb" * 32)]


@pytest.mark.parametrize("text", ["Blas", "@Blas", "bl", "bbbb", "#bbbb", "Blas #bbbb"])
def test_a_member_is_found(text: str) -> None:
    assert choose_member(PEOPLE, text) is PEOPLE[2]


def test_one_of_several_is_named_by_the_tag() -> None:
    with pytest.raises(AmbiguousNameError) as raised:
        choose_member(PEOPLE, "Ana")
    assert raised.value.candidates == ("Ana #aaaaaaaa", "Ana #abababab")
    assert choose_member(PEOPLE, "Ana #abab") is ANAS[1]
