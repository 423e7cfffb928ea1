from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.client.advice_tree import epoch_key, known_tree, seal_tree
from tertulia.client.group_advice import (
    AdviceKey,
    GivenAdvice,
    OpenedAdvice,
    Position,
    SealedAdvice,
    _group_info_key,
    is_current,
    member_wrap_key,
    open_advice,
    open_wrap,
    relay_invites,
    seal_advice,
    wrap_id,
)
from tertulia.client.invites import InviteTerms, invite_secrets, new_invite
from tertulia.client.judgement import RULES
from tertulia.client.padding import pad, padded_size
from tertulia.client.sealing import seal
from tertulia.client.value_errors import SealError
from tertulia.codec import CodecError
from tertulia.crypto import Secret
from tertulia.mls import (
    Aids,
    ExternalJoin,
    Group,
    ReceivedCommit,
    join_externally,
    make_group_info,
    receive,
)
from tertulia.wire import frames, limits
from tests.client.society import (
    ROOM,
    annotate,
    attempt,
    by_invite,
    identity_of,
    person,
    policy_in,
    room_of,
    seeded,
)

ANA = person("Ana").account_public
SECRET, INVITE = new_invite(ANA, InviteTerms(expires=9, uses=3), seeded("one"))
OTHER_SECRET, OTHER = new_invite(ANA, InviteTerms(), seeded("two"))
# A batch of personal invites shares one wrap key.
TWIN = replace(OTHER, wrap_key=INVITE.wrap_key)
AT = Position(7, bytes(32))

HOUSE = room_of("Ana", "Luis", invites=(INVITE, TWIN))
GROUP = HOUSE["Ana"]
POLICY = policy_in(HOUSE)


def sealed_by(group: Group = GROUP, seed: str = "advice") -> SealedAdvice:
    return seal_advice(group, POLICY, AT, seeded(seed))


ADVICE = sealed_by()
KEY = open_wrap(member_wrap_key(POLICY.secret), ROOM, ADVICE.member_wrap)
KNOWN = known_tree(epoch_key(GROUP), GROUP.tree)
TREE = seal_tree(KNOWN, ROOM, seeded("tree"))


def opened(
    group_info: bytes = ADVICE.group_info, tree: bytes = TREE, key: AdviceKey = KEY
) -> OpenedAdvice:
    return open_advice(key, ROOM, GivenAdvice(group_info, tree, ()))


def test_members_and_invited_open_the_same() -> None:
    assert KEY.epoch == GROUP.context.epoch
    assert KEY.tag_hash == sha256(GROUP.epoch.confirmation_tag).digest()
    (wrap,) = ADVICE.wraps
    wrap_key = invite_secrets(SECRET).wrap_key
    assert wrap.wrap == wrap_id(wrap_key)
    assert open_wrap(wrap_key, ROOM, wrap.wrapped) == KEY


def test_the_advice_is_group_info_tree_and_place() -> None:
    advice = opened()
    assert advice.position == AT
    assert advice.known.tree == GROUP.tree
    assert advice.known.name == ADVICE.name == KNOWN.name
    info = advice.group_info.take_for_checking()
    assert info.group_context == GROUP.context
    assert info.confirmation_tag == GROUP.epoch.confirmation_tag


def test_it_is_enough_to_come_in() -> None:
    advice = opened()
    authorize = by_invite(SECRET)
    plan = ExternalJoin(
        identity_of(person("Eva")),
        Aids({}, advice.known.tree),
        authorize=lambda kem_output, leaf: annotate(authorize(kem_output, leaf)),
    )
    joined = join_externally(advice.group_info, plan, RULES, seeded("Eva"))
    for group in HOUSE.values():
        received = receive(group, joined.message, RULES)
        assert isinstance(received, ReceivedCommit)
        authenticator = received.group.epoch_authenticator
        assert authenticator == joined.group.epoch_authenticator


def test_the_relay_gets_what_its_frames_take() -> None:
    assert len(ADVICE.member_wrap) <= limits.WRAPPED_KEY
    assert ADVICE.invites == relay_invites((INVITE, TWIN))
    wrap = wrap_id(INVITE.wrap_key)
    assert ADVICE.invites == (
        frames.Invite(INVITE.invite, INVITE.public_key, wrap, 9, 3),
        frames.Invite(OTHER.invite, OTHER.public_key, wrap, None, None),
    )
    assert len(wrap) == 16
    assert wrap != wrap_id(OTHER.wrap_key)


def test_blobs_are_padded() -> None:
    sizes = {len(ADVICE.group_info) - 28, len(TREE) - 28}
    assert {padded_size(size) for size in sizes} == sizes


def test_each_epoch_has_a_key_and_a_name_of_its_own() -> None:
    again = sealed_by(seed="another time")
    assert again.name == ADVICE.name
    assert opened(again.group_info).position == AT
    after = attempt(HOUSE, "Luis")["Ana"]
    other = sealed_by(after)
    assert other.name != ADVICE.name
    with pytest.raises(SealError):
        opened(other.group_info)


def test_it_is_current_in_its_epoch_alone() -> None:
    assert is_current(KEY, GROUP)
    assert is_current(KEY, HOUSE["Luis"])
    after = attempt(HOUSE, "Luis")
    assert not is_current(KEY, after["Ana"])
    # The same epoch of a history that went another way.
    assert not is_current(replace(KEY, epoch=2), after["Ana"])


def test_a_wrap_is_for_one_key_in_one_room() -> None:
    wrapped = ADVICE.member_wrap
    for key, room in (
        (INVITE.wrap_key, ROOM),
        (POLICY.secret, ROOM),
        (member_wrap_key(POLICY.secret), bytes(16)),
    ):
        with pytest.raises(SealError):
            open_wrap(key, room, wrapped)


def test_what_is_wrapped_must_be_an_advice_key() -> None:
    key = Secret(bytes(32))
    for plaintext in (b"", KEY.encode()[:-1], b"\2" + KEY.encode()[1:]):
        with pytest.raises(SealError, match="malformed"):
            open_wrap(key, ROOM, seal(key, "wrap", ROOM, plaintext, seeded("w")))


def altered(blob: bytes, place: int) -> bytes:
    data = bytearray(blob)
    data[place] ^= 1
    return bytes(data)


@pytest.mark.parametrize("place", [0, 100, -1])
def test_what_was_changed_does_not_open(place: int) -> None:
    with pytest.raises(SealError):
        opened(group_info=altered(ADVICE.group_info, place))
    with pytest.raises(SealError):
        opened(tree=altered(TREE, place))


def test_what_was_swapped_or_is_missing_does_not_open() -> None:
    for group_info, tree in (
        (TREE, ADVICE.group_info),
        (ADVICE.group_info, ADVICE.group_info),
        (b"", TREE),
        (ADVICE.group_info, b""),
    ):
        with pytest.raises(SealError):
            opened(group_info, tree)


def test_a_group_info_of_another_epoch_than_its_key_is_refused() -> None:
    for other in (
        replace(KEY, epoch=KEY.epoch + 1),
        replace(KEY, tag_hash=bytes(32)),
    ):
        with pytest.raises(SealError, match="another epoch"):
            opened(key=other)


def resealed(group_info: bytes, tree: bytes) -> tuple[bytes, bytes]:
    """Return what is sealed under the keys of the advice and holds something else."""
    key = _group_info_key(KEY.key)
    return (
        seal(key, "group info", ROOM, pad(group_info), seeded("g")),
        seal(KNOWN.key, "tree", ROOM, pad(tree), seeded("t")),
    )


def test_what_opens_must_be_what_it_should_be() -> None:
    without_place = make_group_info(GROUP, tree=False)
    info = opened().group_info.take_for_checking()
    opened(*resealed(info.encode(), GROUP.tree.encode()))
    for group_info, tree in (
        (without_place.encode(), GROUP.tree.encode()),
        (info.encode()[:-1], GROUP.tree.encode()),
        (b"", GROUP.tree.encode()),
        (info.encode(), b""),
        (info.encode(), b"\0"),
    ):
        with pytest.raises(SealError):
            opened(*resealed(group_info, tree))


@given(
    st.binary(min_size=32, max_size=32),
    st.integers(0, 2**64 - 1),
    st.binary(min_size=32, max_size=32),
)
def test_structs_are_read_as_written(key: bytes, number: int, digest: bytes) -> None:
    advice_key = AdviceKey(Secret(key), number, digest)
    assert AdviceKey.decode(advice_key.encode()) == advice_key
    position = Position(number, digest)
    assert Position.decode(position.encode()) == position


@given(st.binary(max_size=90))
def test_any_bytes_are_a_struct_or_refused(data: bytes) -> None:
    for struct in (AdviceKey, Position):
        try:
            value = struct.decode(data)
        except CodecError:
            continue
        assert value.encode() == data
