from hashlib import sha256
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.client import limits
from tertulia.client.names import distinct_names


def account(number: int) -> bytes:
    return sha256(bytes((number,))).digest()


def are_alike(*names: str) -> bool:
    """Tell whether all of these names, each of another account, get a tag."""
    tags = distinct_names({account(i): name for i, name in enumerate(names)})
    given_to = {bool(tag) for tag in tags.values()}
    assert len(given_to) == 1
    return given_to == {True}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ana", "Ana"),
        ("Ana", "ana"),
        ("Ana", " A na"),
        ("ana", "\u0430n\u0430"),  # Cyrillic
        ("ANA", "\u0391\u039d\u0391"),  # Greek capitals
        ("ANA", "\uff21\uff2e\uff21"),  # full width
        ("Bob", "\u0412ob"),
        ("nick", "\u039dick"),
        ("victor", "\u03bdictor"),
        ("\u039d\u03af\u03ba\u03bf\u03c2", "\u03bd\u03af\u03ba\u03bf\u03c2"),
        ("paul", "pauI"),
        ("paul", "pau1"),
        ("Otto", "0tto"),
        ("Norma", "Noma".replace("m", "rm")),
        ("Norna", "Noma"),
        ("José", "Jose"),
        ("Jose\u0301", "José"),
        ("Ana", "An\u200ba"),
        ("Ana", "A\u202ena"),
        ("\U0001d538na", "Ana"),  # mathematical
        ("", "\u200b"),
    ],
)
def test_names_that_look_alike_get_tags(one: str, other: str) -> None:
    assert are_alike(one, other)
    assert are_alike(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Ana", "Eva"), ("Ana", "Anna"), ("Иван", "Ivan"), ("Luis", "Luisa"), ("", "A")],
)
def test_other_names_do_not(one: str, other: str) -> None:
    assert not are_alike(one, other)


def test_a_tag_is_the_start_of_the_account_id() -> None:
    tags = distinct_names({account(1): "Ana", account(2): "ana", account(3): "Eva"})
    assert tags == {
        account(1): account(1).hex()[: limits.TAG_DIGITS],
        account(2): account(2).hex()[: limits.TAG_DIGITS],
        account(3): "",
    }
    assert distinct_names({}) == {}
    assert distinct_names({account(1): "Ana"}) == {account(1): ""}


def test_a_tag_is_as_long_as_it_must_be() -> None:
    one = b"\xab\xcd\xef" + bytes(29)
    other = b"\xab\xcd\xe0" + bytes(29)
    third = b"\x12" + bytes(31)
    tags = distinct_names({one: "Ana", other: "Ana", third: "Ana"})
    assert tags == {one: "abcdef", other: "abcde0", third: "1200"}
    # An id that another one starts with is told from it by its whole length.
    short = distinct_names({b"\xab\xcd": "Ana", b"\xab\xcd\xef": "Ana"})
    assert short == {b"\xab\xcd": "abcd", b"\xab\xcd\xef": "abcde"}


def test_likeness_may_run_through_several_names() -> None:
    # The second may be taken for either; the others not for each other.
    names = {account(1): "\u03bd\u03b1", account(2): "\u039d\u03b1", account(3): "na"}
    tags = distinct_names(names)
    assert all(tags.values())


@given(
    st.dictionaries(
        st.binary(min_size=32, max_size=32),
        st.sampled_from(["Ana", "ana", "\u0410na", "Eva", ""]),
        max_size=8,
    )
)
def test_who_looks_alike_is_told_apart(names: dict[bytes, str]) -> None:
    tags = distinct_names(names)
    assert tags.keys() == names.keys()
    for one, other in combinations(names, 2):
        if names[one] == names[other]:
            assert tags[one] != tags[other]
    for account_id, tag in tags.items():
        assert account_id.hex().startswith(tag)


@given(
    st.dictionaries(
        st.binary(max_size=4).map(lambda start: start.ljust(4, b"\x11")),
        st.sampled_from(["Ana", "\u039da", "\u03bda", "na", "Eva"]),
        max_size=12,
    )
)
def test_a_tag_is_no_longer_than_its_likes_demand(names: dict[bytes, str]) -> None:
    tags = distinct_names(names)
    for account_id, name in names.items():
        mine = account_id.hex()
        rivals = [
            other.hex()
            for other in names
            if other != account_id and are_alike(name, names[other])
        ]
        sizes = range(limits.TAG_DIGITS, len(mine) + 1)
        enough = (
            size
            for size in sizes
            if size == len(mine) or all(mine[:size] != each[:size] for each in rivals)
        )
        assert tags[account_id] == (mine[: next(enough)] if rivals else "")


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_names_can_be_compared(one: str, other: str) -> None:
    tags = distinct_names({account(1): one, account(2): other})
    assert bool(tags[account(1)]) == bool(tags[account(2)])
    assert one != other or all(tags.values())
