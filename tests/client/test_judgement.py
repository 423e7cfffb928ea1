"""The rules as a whole: leaves, kinds of proposals, annotations, who is there."""

from dataclasses import replace

import pytest

from tertulia.client import limits
from tertulia.client.annotation import NoClaim
from tertulia.client.identity import POLICY, PROFILE, profile_extension
from tertulia.client.invites import InviteTerms, new_invite
from tertulia.client.judgement import RULES, has_place
from tertulia.client.value_errors import UpdateNeededError
from tertulia.crypto import CLASSICAL_SUITE, Secret
from tertulia.mls import (
    BasicCredential,
    Capabilities,
    CredentialType,
    Extension,
    ExternalPSK,
    Identity,
    InvalidError,
    LeafNode,
    PreSharedKey,
    PrivateMessage,
    PublicMessage,
    ReceivedProposal,
    ReInit,
    Rule,
    X509Credential,
    commit,
    create_key_package,
    new_psk_id,
    propose,
    propose_update,
    receive,
)
from tests.client.society import (
    ALWAYS,
    ANYTHING,
    ROOM,
    Manner,
    Room,
    add,
    annotate,
    attempt,
    by_invite,
    change_of,
    changed,
    enter,
    further_device,
    identity_of,
    made_by,
    person,
    refused,
    remove,
    renewed,
    room_of,
    seeded,
)

ANA = person("Ana")
SOUND = annotate(NoClaim())


def leaf_of(identity: Identity) -> LeafNode:
    return create_key_package(identity, ALWAYS, seeded("leaf")).key_package.leaf_node


# Leaves


def test_a_certified_device_is_a_member_with_or_without_a_name() -> None:
    RULES.check_member(leaf_of(identity_of(ANA)))
    RULES.check_member(leaf_of(replace(identity_of(ANA), leaf_extensions=())))


def test_a_certificate_belongs_to_one_device_key() -> None:
    stolen = replace(
        identity_of(person("Mallory")), credential=identity_of(ANA).credential
    )
    with refused("signature", Rule.CREDENTIAL):
        RULES.check_member(leaf_of(stolen))


@pytest.mark.parametrize(
    "credential",
    [
        BasicCredential(b"Ana"),
        BasicCredential(identity_of(ANA).credential.encode()[1:]),
        X509Credential((b"certificate",)),
    ],
)
def test_a_leaf_without_a_certificate_is_no_member(
    credential: BasicCredential | X509Credential,
) -> None:
    every = Capabilities(
        extensions=(POLICY, PROFILE), credentials=tuple(CredentialType)
    )
    identity = replace(identity_of(ANA), credential=credential, capabilities=every)
    with refused(rule=Rule.CREDENTIAL):
        RULES.check_member(leaf_of(identity))


@pytest.mark.parametrize("listed", [(POLICY,), (PROFILE,), ()])
def test_a_member_knows_rooms(listed: tuple[int, ...]) -> None:
    identity = replace(
        identity_of(ANA),
        capabilities=Capabilities(extensions=listed),
        leaf_extensions=(),
    )
    with refused("knows no rooms", Rule.CREDENTIAL):
        RULES.check_member(leaf_of(identity))


@pytest.mark.parametrize(
    ("data", "sound"),
    [
        (b"\x01\x03Ana", True),
        (b"\x01\x00", True),
        (b"\x02 whatever comes", True),
        (b"\x01\x03Ana ", False),
        (b"\x01\x01\xff", False),
        (b"\x01\x41\x01" + bytes(257), False),
        (b"", False),
    ],
)
def test_a_name_is_bounded_text_unless_it_is_of_a_newer_kind(
    data: bytes,
    sound: bool,  # noqa: FBT001
) -> None:
    identity = replace(identity_of(ANA), leaf_extensions=(Extension(PROFILE, data),))
    if sound:
        RULES.check_member(leaf_of(identity))
    else:
        with refused(rule=Rule.CREDENTIAL):
            RULES.check_member(leaf_of(identity))


# Commits


def test_a_member_heals_and_takes_another_name() -> None:
    room = room_of("Ana", "Luis")
    room = attempt(room, "Luis")
    renamed = replace(
        identity_of(person("Luis")), leaf_extensions=(profile_extension("Lucho"),)
    )
    room = attempt(room, "Luis", manner=Manner(identity=renamed))
    assert room["Ana"].leaf_of(1).extensions == (profile_extension("Lucho"),)


@pytest.mark.parametrize("data", [b"", SOUND[:-1], SOUND + b"\0", b"\x02" + SOUND[1:]])
def test_a_commit_without_a_sound_annotation_is_refused(data: bytes) -> None:
    room = room_of("Ana", "Luis")
    attempt(room, "Luis", manner=Manner(data=SOUND))
    with refused("no annotation"):
        attempt(room, "Luis", manner=Manner(data=data))


def test_a_group_without_a_policy_is_no_room() -> None:
    change = change_of(room_of("Ana"), "Ana")
    RULES.check_change(change)
    bare = replace(change.context_before, extensions=())
    with refused("no room policy"):
        RULES.check_change(replace(change, context_before=bare))
    bare = replace(change.context_after, extensions=())
    with refused("no room policy"):
        RULES.check_change(replace(change, context_after=bare))


def test_rules_of_a_newer_version_get_no_verdict() -> None:
    newer = Extension(POLICY, b"\0\2 something else")
    change = change_of(room_of("Ana"), "Ana")
    future = replace(change.context_before, extensions=(newer,))
    with pytest.raises(UpdateNeededError) as caught:
        RULES.check_change(replace(change, context_before=future))
    assert caught.value.version == 2
    assert not isinstance(caught.value, InvalidError)


def test_a_room_takes_no_key_of_another_source() -> None:
    room = room_of("Ana", "Luis")
    psk = ExternalPSK(b"paper")
    proposal = PreSharedKey(new_psk_id(room["Ana"].suite, psk, seeded("psk")))
    plan = replace(Manner().plan([proposal]), psks={psk: Secret(b"written on paper")})
    made = commit(room["Ana"], plan, ANYTHING, seeded("commit"))
    with refused("no PreSharedKey"):
        RULES.check_change(made.change)
    with refused("no PreSharedKey"):
        receive(room["Luis"], made.message, RULES)


def test_a_room_does_not_end() -> None:
    room = room_of("Ana", "Luis")
    with refused("no ReInit"):
        attempt(room, "Ana", ReInit(ROOM, 1, 1, room["Ana"].context.extensions))


def test_what_others_proposed_is_not_committed() -> None:
    room = room_of("Ana", "Luis", "Eva")
    offer = add(person("Iker"))
    attempt(room, "Ana", offer)
    luis, message = propose(room["Luis"], offer, seeded("propose"))
    reference, heard = _hear({**room, "Luis": luis}, "Luis", message)
    with refused("the Add is not the committer's own"):
        attempt(heard, "Ana", manner=Manner(references=(reference,)))
    # Nor what the committer itself proposed in a message of its own.
    with refused("the Add is not the committer's own"):
        attempt(heard, "Luis", manner=Manner(references=(reference,)))


def test_nobody_else_updates_a_leaf() -> None:
    room = room_of("Ana", "Luis", "Eva")
    luis, message = propose_update(room["Luis"], seeded("update"))
    reference, heard = _hear({**room, "Luis": luis}, "Luis", message)
    with refused("no Update"):
        attempt(heard, "Ana", manner=Manner(references=(reference,)))


def _hear(
    room: Room, speaker: str, message: PublicMessage | PrivateMessage
) -> tuple[bytes, Room]:
    heard = {speaker: room[speaker]}
    reference = b""
    for name, group in room.items():
        if name != speaker:
            received = receive(group, message, RULES)
            assert isinstance(received, ReceivedProposal)
            reference = received.sent.reference or b""
            heard[name] = received.group
    return reference, heard


def test_who_is_outside_comes_in_by_a_proof_or_not_at_all() -> None:
    secret, invite = new_invite(ANA.account_public, InviteTerms(), seeded("link"))
    room = room_of("Ana", "Luis", invites=(invite,))
    entered = enter(room, person("Eva"), by_invite(secret))
    assert set(entered) == {"Ana", "Luis", "Eva"}
    with refused("without invite or own leaf"):
        enter(room, person("Eva"), lambda _kem_output, _leaf: NoClaim())


# Who is there afterwards


def test_a_device_has_one_leaf() -> None:
    room = room_of("Ana", "Luis")
    twin = replace(further_device("Luis"), device=person("Luis").device)
    attempt(room, "Ana", add(further_device("Luis")))
    with refused("a device has two leaves"):
        attempt(room, "Ana", add(twin))


def test_a_revoked_device_does_not_come_back_but_others_of_its_account_do() -> None:
    room = room_of("Ana", "Luis", revoked=(person("Eva").device,))
    attempt(room, "Ana", add(further_device("Eva")))
    with refused("a device is revoked"):
        attempt(room, "Ana", add(person("Eva")))


def test_a_banned_account_comes_back_with_no_device() -> None:
    room = room_of("Ana", "Luis", banned=(person("Eva").account_public,))
    attempt(room, "Ana", add(person("Iker")))
    for device in (person("Eva"), further_device("Eva")):
        with refused("an account is banned"):
            attempt(room, "Ana", add(device))


def test_who_is_banned_or_revoked_must_go_at_once() -> None:
    room = room_of("Ana", "Luis", "Eva")
    eva = person("Eva")
    for fields, detail in (
        ({"banned": (eva.account_public,)}, "an account is banned"),
        ({"revoked": (eva.device,)}, "a device is revoked"),
    ):
        attempt(room, "Ana", remove(room, "Eva"), renewed(room, **fields))
        with refused(detail):
            attempt(room, "Ana", changed(room, **fields))


@pytest.fixture
def of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let hybrid rooms be of three devices at most."""
    monkeypatch.setattr(limits, "HYBRID_DEVICES", 3)


@pytest.mark.usefixtures("of_three")
def test_a_hybrid_room_has_no_more_devices_than_its_commits_can_serve() -> None:
    secret, invite = new_invite(ANA.account_public, InviteTerms(), seeded("link"))
    room = room_of("Ana", "Luis", invites=(invite,))
    assert has_place(room["Ana"].context, room["Ana"].tree)
    entered = enter(room, person("Eva"), by_invite(secret))
    assert not has_place(entered["Ana"].context, entered["Ana"].tree)
    with refused("more devices than the suite allows"):
        enter(entered, person("Iker"), by_invite(secret, epoch=2))
    with refused("more devices than the suite allows"):
        attempt(entered, "Ana", add(person("Iker")))
    # Whoever leaves makes place at once.
    going = remove(entered, "Luis"), renewed(entered, invites=())
    after = attempt(entered, "Ana", *going, add(person("Iker")))
    assert sum(1 for _ in after["Ana"].tree.members()) == 3
    attempt(after, "Ana")


@pytest.mark.usefixtures("of_three")
def test_rooms_of_suite_1_have_no_such_bound() -> None:
    group = room_of("Ana", "Luis", "Eva", "Iker")["Ana"]
    context = replace(group.context, cipher_suite=CLASSICAL_SUITE)
    assert has_place(context, group.tree)


def test_a_leaf_that_cannot_be_read_is_nobody() -> None:
    change = change_of(room_of("Ana"), "Ana")
    assert change.new_leaf is not None
    odd = replace(change.new_leaf, credential=BasicCredential(b""))
    draft = change.tree_after.edit()
    draft.set_node(0, odd)
    with refused(rule=Rule.CREDENTIAL):
        RULES.check_change(replace(change, tree_after=draft.finish()))


def test_the_same_arguments_always_get_the_same_verdict() -> None:
    room = room_of("Ana", "Luis")
    sound = made_by(room, "Luis").change
    for _ in range(3):
        RULES.check_change(sound)
        with pytest.raises(InvalidError):
            RULES.check_change(replace(sound, authenticated_data=b""))
