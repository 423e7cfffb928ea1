from dataclasses import replace
from typing import Any
from weakref import ref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.client import limits, room_policy
from tertulia.client.identity import POLICY
from tertulia.client.room_policy import (
    ListedInvite,
    Permissions,
    Role,
    RoomPolicy,
    check_room_name,
    check_topic,
    policy_of,
)
from tertulia.client.value_errors import (
    BadNameError,
    PolicyTooLargeError,
    UpdateNeededError,
)
from tertulia.codec import CodecError
from tertulia.crypto import Secret
from tertulia.mls import Extension, GroupContext
from tertulia.wire import MAX_INTEGER
from tertulia.wire import limits as wire_limits
from tests.client.society import policy_by, refused, room_of

ID = st.binary(min_size=16, max_size=16)
KEY = st.binary(min_size=32, max_size=32)
SECRET = KEY.map(Secret)
ROLE = st.sampled_from(Role)
TIME = st.none() | st.integers(0, MAX_INTEGER)
INVITES = st.builds(
    ListedInvite,
    ID,
    KEY,
    SECRET,
    ROLE,
    KEY,
    TIME,
    st.none() | st.integers(1, wire_limits.INVITE_USES),
)


def _few(strategy: st.SearchStrategy[Any], key: Any = None) -> Any:
    return st.lists(strategy, max_size=3, unique_by=key).map(tuple)


POLICIES = st.builds(
    RoomPolicy,
    name=st.text(max_size=20),
    topic=st.text(max_size=20),
    owner=KEY,
    secret=SECRET,
    admins=_few(KEY, bytes),
    permissions=st.builds(Permissions, ROLE, ROLE, ROLE),
    retention=TIME,
    revoked=_few(ID, bytes),
    banned=_few(KEY, bytes),
    invites=_few(INVITES, lambda each: each.invite),
)
POLICY_OF_ANA = policy_by("Ana")
INVITE = ListedInvite(bytes(16), bytes(32), Secret(bytes(32)), Role.MEMBER, bytes(32))


def context_with(*extensions: Extension) -> GroupContext:
    return replace(room_of("Ana")["Ana"].context, extensions=extensions)


def said(data: bytes) -> RoomPolicy:
    return policy_of(context_with(Extension(POLICY, data)))


@given(POLICIES)
def test_a_policy_is_read_as_written(policy: RoomPolicy) -> None:
    assert policy_of(context_with(policy.extension())) == policy


@given(
    st.binary(max_size=200)
    | st.binary(max_size=200).map((b"\0\1" + POLICY_OF_ANA.encode()[2:40]).__add__)
)
def test_any_bytes_are_a_policy_or_refused(data: bytes) -> None:
    try:
        policy = RoomPolicy.decode(data)
    except CodecError:
        return
    assert policy.encode() == data


def test_secrets_do_not_show() -> None:
    policy = replace(
        POLICY_OF_ANA, invites=(replace(INVITE, wrap_key=Secret(b"w" * 32)),)
    )
    assert "wwww" not in repr(policy)
    assert repr(policy.secret.reveal()) not in repr(policy)


# Roles and invites


def test_who_is_what() -> None:
    owner, admin, member = b"o" * 32, b"a" * 32, b"m" * 32
    policy = replace(POLICY_OF_ANA, owner=owner, admins=(admin, owner))
    assert policy.role_of(owner) is Role.OWNER
    assert policy.role_of(admin) is Role.ADMIN
    assert policy.role_of(member) is Role.MEMBER
    assert Role.MEMBER < Role.ADMIN < Role.OWNER


def test_an_invite_is_found_by_its_id() -> None:
    other = replace(INVITE, invite=b"i" * 16)
    policy = replace(POLICY_OF_ANA, invites=(INVITE, other))
    assert policy.invite(b"i" * 16) == other
    assert policy.invite(b"j" * 16) is None


def test_an_invite_for_one_is_not_reusable() -> None:
    assert not replace(INVITE, uses=1).is_reusable
    assert replace(INVITE, uses=2).is_reusable
    assert INVITE.is_reusable


# Reading what others wrote


def test_a_group_without_a_policy_is_refused() -> None:
    with refused("no room policy"):
        policy_of(context_with())
    with refused("no room policy"):
        policy_of(context_with(Extension(POLICY + 1, POLICY_OF_ANA.encode())))


def test_a_policy_is_read_once_and_kept_no_longer_than_its_context() -> None:
    context = context_with(POLICY_OF_ANA.extension())
    policy = policy_of(context)
    assert policy_of(context) is policy
    assert context in room_policy._read
    alive = ref(context)
    del context
    assert alive() is None
    assert policy_of(context_with(policy.extension())) is not policy


@pytest.mark.parametrize("version", [0, 2, 65_535])
def test_another_version_needs_an_update(version: int) -> None:
    with pytest.raises(UpdateNeededError) as caught:
        said(version.to_bytes(2) + POLICY_OF_ANA.encode()[2:])
    assert caught.value.version == version


def test_damage_is_refused() -> None:
    sound = POLICY_OF_ANA.encode()
    assert said(sound) == POLICY_OF_ANA
    for data in (b"", sound[:1], sound[:-1], sound + b"\0"):
        with refused("no room policy"):
            said(data)


@pytest.mark.parametrize(
    "fields",
    [
        {"admins": (bytes(32), bytes(32))},
        {"banned": (bytes(32), bytes(32))},
        {"revoked": (bytes(16), bytes(16))},
        {"invites": (INVITE, replace(INVITE, uses=7))},
    ],
)
def test_nothing_is_listed_twice(fields: dict[str, Any]) -> None:
    once = {name: values[:1] for name, values in fields.items()}
    said(replace(POLICY_OF_ANA, **once).encode())
    with refused("one twice"):
        said(replace(POLICY_OF_ANA, **fields).encode())


def many_invites(count: int) -> tuple[ListedInvite, ...]:
    return tuple(replace(INVITE, invite=number.to_bytes(16)) for number in range(count))


def test_there_are_no_more_invites_than_the_relay_keeps() -> None:
    full = replace(POLICY_OF_ANA, invites=many_invites(wire_limits.INVITES_PER_ROOM))
    assert said(full.extension().extension_data) == full
    more = replace(full, invites=many_invites(wire_limits.INVITES_PER_ROOM + 1))
    with pytest.raises(PolicyTooLargeError):
        more.extension()
    with refused("257 invites"):
        said(more.encode())


def test_a_policy_is_of_bounded_size() -> None:
    size = len(POLICY_OF_ANA.encode())
    keys = tuple(number.to_bytes(32) for number in range(1900))
    large = replace(POLICY_OF_ANA, admins=keys, banned=keys[:90])
    assert size < limits.POLICY < len(large.encode())
    with pytest.raises(PolicyTooLargeError):
        large.extension()
    with refused("no room policy"):
        said(large.encode())
    with pytest.raises(PolicyTooLargeError):
        replace(POLICY_OF_ANA, banned=2 * keys).extension()


@pytest.mark.parametrize(
    "invite",
    [
        replace(INVITE, uses=0),
        replace(INVITE, uses=wire_limits.INVITE_USES + 1),
        replace(INVITE, expires=MAX_INTEGER + 1),
        replace(INVITE, invite=bytes(15)),
        replace(INVITE, wrap_key=Secret(bytes(31))),
        replace(INVITE, public_key=bytes(33)),
    ],
)
def test_an_invite_that_the_relay_would_refuse_is_not_written(
    invite: ListedInvite,
) -> None:
    with pytest.raises(CodecError):
        replace(POLICY_OF_ANA, invites=(invite,)).encode()


def test_an_invite_that_the_relay_would_refuse_is_not_read() -> None:
    sound = replace(POLICY_OF_ANA, invites=(replace(INVITE, uses=1),)).encode()
    assert sound.endswith(b"\1\0\0\0\1")
    for uses in (0, 10_001):
        with refused("no room policy"):
            said(sound[:-4] + uses.to_bytes(4))


# What people choose


def test_a_room_is_called_what_people_like() -> None:
    assert check_room_name(" Peña 🎉 ") == "Peña 🎉"
    assert check_room_name("ñ" * 128) == "ñ" * 128
    for name, reason in (
        ("", "empty"),
        (" ", "empty"),
        ("ñ" * 129, "too_long"),
        ("a\nb", "unprintable"),
        ("a\ud800", "unprintable"),
    ):
        with pytest.raises(BadNameError) as caught:
            check_room_name(name)
        assert caught.value.reason == reason


def test_a_topic_may_have_lines_or_be_missing() -> None:
    assert check_topic("") == ""
    assert check_topic(" Mondays\nand Fridays ") == "Mondays\nand Fridays"
    assert check_topic("a" * 4096) == "a" * 4096
    for topic, reason in (
        ("a" * 4097, "too_long"),
        ("a\tb", "unprintable"),
        ("a\x1b[0m", "unprintable"),
        ("\udc80", "unprintable"),
    ):
        with pytest.raises(BadNameError) as caught:
            check_topic(topic)
        assert caught.value.reason == reason
