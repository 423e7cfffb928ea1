"""The external commit by which a device enters: only into the room that is meant."""

from dataclasses import replace

import pytest

from tertulia import mls
from tertulia.client import limits
from tertulia.client.advice_tree import epoch_key, known_tree, seal_tree
from tertulia.client.annotation import Annotation, InviteClaim, RejoinClaim
from tertulia.client.commands import ChangeRoom, CreateInvite, JoinRoom, LeaveRoom
from tertulia.client.effects import NetworkChanged
from tertulia.client.errors import FullRoomError, InviteRefusedError
from tertulia.client.external_entry import enter_again, enter_by_link
from tertulia.client.group_advice import (
    Position,
    SealedAdvice,
    _group_info_key,
    seal_advice,
)
from tertulia.client.handshake_blob import is_sealed, open_commit
from tertulia.client.identity import POSITION
from tertulia.client.links import parse_room_link
from tertulia.client.padding import pad
from tertulia.client.room import Room, RoomState
from tertulia.client.room_policy import policy_of
from tertulia.client.sealing import seal
from tertulia.client.turn import Turn
from tertulia.client.value_errors import NoAccountKeyError, SealError
from tertulia.client.views import RoomStatus
from tertulia.client.work import Entering, Fetched
from tertulia.crypto import (
    CLASSICAL_SUITE,
    HYBRID_SUITE,
    Secret,
    UnsupportedSuiteError,
    cipher_suite,
)
from tertulia.wire import frames
from tests.client.script import (
    alter,
    group_of,
    room_of,
    run_until,
    status,
)
from tests.client.world import ADDRESS, Device, World


class Door:
    """A room, its link, what the relay hands out of it, and somebody outside."""

    def __init__(self, *, large: bool = False) -> None:
        self.world = World()
        self.room, (self.ana, self.luis) = self.world.circle("Ana", "Luis", large=large)
        made = self.ana.get(CreateInvite(self.room))
        self.ana.say(self.room, "hola")
        self.link = parse_room_link(made.link)
        self.eva = self.world.person("Eva")
        state = room_of(self.ana, self.room).state
        self.position = Position(state.place, state.hash or b"")
        self.group = group_of(self.ana, self.room)

    def tree(self, group: mls.Group | None = None) -> bytes:
        chosen = group or self.group
        known = known_tree(epoch_key(chosen), chosen.tree)
        return seal_tree(known, self.room, self.world.rng)

    def sealed(self, group: mls.Group | None = None) -> SealedAdvice:
        chosen = group or self.group
        return seal_advice(
            chosen, policy_of(chosen.context), self.position, self.world.rng
        )

    def fetched(self, wrapped: bytes) -> Fetched:
        return Fetched(3, wrapped, self.position, b"t" * 16, b"", ())

    def enter(
        self,
        sealed: SealedAdvice | None = None,
        who: Device | None = None,
        tree: bytes | None = None,
    ) -> Entering:
        """Let somebody enter by the link."""
        advice = sealed or self.sealed()
        wrap = advice.wraps[-1].wrapped if advice.wraps else b""
        device = who or self.eva
        link = self.link.url(ADDRESS)
        room = Room(self.room, RoomState(RoomStatus.JOINING, link=link))
        turn = Turn(device.session, self.world.now)
        work = replace(self.fetched(wrap), group_info=advice.group_info)
        return enter_by_link(turn, room, work, self.tree() if tree is None else tree)

    def come_back(
        self, sealed: SealedAdvice | None = None, tree: bytes | None = None
    ) -> Entering:
        """Let Luis come back."""
        advice = sealed or self.sealed()
        turn = Turn(self.luis.session, self.world.now)
        work = self.fetched(advice.member_wrap)
        work = replace(work, group_info=advice.group_info)
        lost = room_of(self.luis, self.room)
        return enter_again(turn, lost, work, self.tree() if tree is None else tree)

    def message(self, entering: Entering) -> mls.PublicMessage:
        """Open the sealed entry as a member does."""
        assert is_sealed(entering.blob)
        secret = policy_of(self.group.context).secret
        message = mls.decode_message(open_commit(secret, self.room, entering.blob))
        assert isinstance(message, mls.PublicMessage)
        return message

    def annotation(self, entering: Entering) -> Annotation:
        return Annotation.decode(self.message(entering).content.authenticated_data)

    def with_context(self, **fields: object) -> mls.Group:
        context = replace(self.group.context, **fields)  # type: ignore[arg-type]
        return replace(self.group, epoch=replace(self.group.epoch, context=context))


def test_a_joiner_s_entry_is_sealed_and_signed_with_the_link_s_key() -> None:
    door = Door()
    entering = door.enter()
    said = door.annotation(entering)
    (_, invite) = policy_of(door.group.context).invites
    assert isinstance(said.claim, InviteClaim)
    assert said.claim.invite == invite.invite
    assert (said.key, said.place, said.hash) == (
        entering.key,
        door.position.place,
        door.position.hash,
    )
    assert (entering.handshake, entering.position) == (3, door.position)
    assert entering.former == b""
    assert entering.group.context.epoch == door.group.context.epoch + 1


def test_a_room_older_than_the_link_is_refused() -> None:
    door = Door()
    door.link = replace(door.link, epoch=door.link.epoch + 9)
    with pytest.raises(InviteRefusedError, match="older than the link"):
        door.enter()
    door = Door()
    door.link = replace(door.link, place=door.position.place + 1)
    with pytest.raises(InviteRefusedError, match="older than the link"):
        door.enter()


def test_another_history_than_the_link_s_is_refused() -> None:
    door = Door()
    door.link = replace(door.link, place=door.position.place, hash=b"x" * 32)
    with pytest.raises(InviteRefusedError, match="another history"):
        door.enter()


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("suite", [CLASSICAL_SUITE, HYBRID_SUITE, 3])
def test_another_suite_than_the_link_s_is_refused(
    large: bool,  # noqa: FBT001
    suite: int,
) -> None:
    door = Door(large=large)
    if suite == door.link.suite == door.group.context.cipher_suite:
        assert door.enter().group.suite is door.group.suite
        return
    door.link = replace(door.link, suite=suite)
    with pytest.raises(InviteRefusedError, match="another cipher suite"):
        door.enter()


def test_no_group_of_a_weaker_suite_is_put_in_the_place_of_a_hybrid_one() -> None:
    """Not even by somebody who knows the link, and so could make its wraps."""
    door = Door()
    weaker = door.with_context(cipher_suite=CLASSICAL_SUITE)
    weaker = replace(
        weaker, epoch=replace(weaker.epoch, suite=cipher_suite(CLASSICAL_SUITE))
    )
    with pytest.raises(InviteRefusedError, match="another cipher suite"):
        door.enter(door.sealed(weaker), tree=door.tree(weaker))


def test_a_full_hybrid_room_takes_nobody_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HYBRID_DEVICES", 2)
    door, large = Door(), Door(large=True)
    with pytest.raises(FullRoomError) as caught:
        door.enter()
    assert caught.value.most == 2
    # Who replaces its own leaf takes no further place.
    door.come_back()
    large.enter()


def test_the_last_place_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HYBRID_DEVICES", 3)
    assert sum(1 for _ in Door().enter().group.tree.members()) == 3


def test_a_suite_that_this_program_does_not_know_is_refused() -> None:
    door = Door()
    door.link = replace(door.link, suite=0x9999)
    with pytest.raises(UnsupportedSuiteError):
        door.enter(door.sealed(door.with_context(cipher_suite=0x9999)))


def test_another_room_is_refused_even_under_the_room_s_own_keys() -> None:
    door = Door()
    other = replace(door.group.context, group_id=b"o" * 16)
    group = replace(door.group, epoch=replace(door.group.epoch, context=other))
    sealed = door.sealed(group)
    # The wraps name the room they are for.
    with pytest.raises(SealError):
        door.enter(sealed)
    with pytest.raises(InviteRefusedError, match="keys of the room changed"):
        door.come_back(sealed)


def mixed(door: Door) -> SealedAdvice:
    """Return advice that is sealed for this room and whose GroupInfo is of another."""
    wrong = door.with_context(group_id=b"o" * 16)
    mark = mls.Extension(POSITION, door.position.encode())
    group_info = pad(mls.make_group_info(wrong, (mark,), tree=False).encode())
    key = _group_info_key(epoch_key(door.group))
    sealed = seal(key, "group info", door.room, group_info, door.world.rng)
    return replace(door.sealed(), group_info=sealed)


def test_a_group_info_of_another_room_is_refused() -> None:
    door = Door()
    with pytest.raises(InviteRefusedError, match="another room"):
        door.enter(mixed(door))
    with pytest.raises(InviteRefusedError, match="another room"):
        door.come_back(mixed(door))


def test_garbage_does_not_open() -> None:
    door = Door()
    garbage = replace(door.sealed(), group_info=b"garbage")
    for enter in (door.enter, door.come_back):
        with pytest.raises(SealError):
            enter(garbage)
        with pytest.raises(SealError):
            enter(tree=b"garbage")


def test_another_tree_than_the_group_info_s_is_refused() -> None:
    door = Door()
    leaves = [
        node for node in door.group.tree.nodes if not isinstance(node, mls.ParentNode)
    ]
    other = mls.RatchetTree([leaves[0], None, leaves[1]])
    known = known_tree(epoch_key(door.group), other)
    blob = seal_tree(known, door.room, door.world.rng)
    for enter in (door.enter, door.come_back):
        with pytest.raises(mls.InvalidError) as caught:
            enter(tree=blob)
        assert caught.value.rule is mls.Rule.TREE_HASH


def test_a_group_info_that_nobody_in_the_room_signed_is_refused() -> None:
    door = Door()
    epoch = replace(door.group.epoch, signature_key=door.eva.session.profile.device_key)
    with pytest.raises(mls.InvalidError):
        door.enter(door.sealed(replace(door.group, epoch=epoch)))


# Coming back


def test_a_device_proves_that_the_leaf_is_its_own() -> None:
    door = Door()
    entering = door.come_back()
    said = door.annotation(entering).claim
    assert isinstance(said, RejoinClaim)
    assert said.by_account == 0
    assert entering.former == b""
    members = [index for index, _ in entering.group.tree.members()]
    assert len(members) == 2


def test_a_joiner_whose_leaf_is_there_already_replaces_it() -> None:
    door = Door()
    said = door.annotation(door.enter(who=door.luis)).claim
    assert isinstance(said, RejoinClaim)


def test_an_epoch_of_before_is_refused() -> None:
    door = Door()
    old = door.sealed()
    door.ana.get(ChangeRoom(door.room, "Otra"))
    with pytest.raises(InviteRefusedError, match="back in time"):
        door.come_back(old)


def test_who_is_no_longer_in_the_tree_does_not_come_back() -> None:
    door = Door()
    before = room_of(door.luis, door.room)
    door.luis.get(LeaveRoom(door.room))
    door.world.wait(20_000)
    door.group = group_of(door.ana, door.room)
    policy = policy_of(door.group.context)
    group = before.group
    assert group is not None
    # Even if it had today's room secret.
    context = replace(group.context, extensions=(policy.extension(),))
    group = replace(group, epoch=replace(group.epoch, context=context))
    alter(door.luis, replace(before, group=group))
    with pytest.raises(InviteRefusedError, match="no longer in the room"):
        door.come_back()


def test_who_has_no_keys_any_more_does_not_come_back() -> None:
    door = Door()
    alter(door.luis, replace(room_of(door.luis, door.room), group=None))
    with pytest.raises(InviteRefusedError, match="keys of the room are lost"):
        door.come_back()


def test_the_room_secret_of_before_opens_nothing() -> None:
    door = Door()
    group = group_of(door.luis, door.room)
    policy = replace(policy_of(group.context), secret=Secret(b"o" * 32))
    context = replace(group.context, extensions=(policy.extension(),))
    kept = replace(group, epoch=replace(group.epoch, context=context))
    alter(door.luis, replace(room_of(door.luis, door.room), group=kept))
    with pytest.raises(InviteRefusedError, match="keys of the room changed"):
        door.come_back()


def renewed(door: Door, *, has_account_key: bool = True) -> bytes:
    """Make Luis's program another device of its account; return the one it was."""
    former = door.luis.device
    other = door.world.person("Other").session.profile
    profile = replace(
        door.luis.session.profile,
        device=other.device,
        device_public=other.device_public,
        device_key=other.device_key,
    )
    if not has_account_key:
        profile = replace(profile, account_key=None)
    door.luis.session = replace(door.luis.session, profile=profile)
    return former


def test_another_device_of_the_account_replaces_the_one_it_was() -> None:
    door = Door()
    former = renewed(door)
    entering = door.come_back()
    said = door.annotation(entering).claim
    assert isinstance(said, RejoinClaim)
    assert said.by_account == 1
    assert entering.former == former


def test_without_the_account_s_key_it_cannot() -> None:
    door = Door()
    renewed(door, has_account_key=False)
    with pytest.raises((InviteRefusedError, NoAccountKeyError)):
        door.come_back()


def test_all_others_see_who_came_back_in_whose_place() -> None:
    world = World()
    room, (ana, luis, eva) = world.circle("Ana", "Luis", "Eva")
    alter(luis, room_of(luis, room).with_state(status=RoomStatus.LOST))
    luis.inbox.append(NetworkChanged())
    join = run_until(luis, frames.Join)
    luis.outbound.append(join)
    world.settle()
    assert status(luis, room) is RoomStatus.MEMBER
    for each in (ana, eva):
        assert len(list(group_of(each, room).tree.members())) == 3
        assert each.codes() == []
    juan = world.person("Juan")
    (link,) = room_of(ana, room).links.values()
    juan.get(JoinRoom(link))
    assert luis.codes() == []
