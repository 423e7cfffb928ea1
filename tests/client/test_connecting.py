"""Reaching the relay: who proves what, in which order, and when to come back."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tertulia.client.commands import AnyCommand, ChangeRoom, CreateRoom, JoinRoom
from tertulia.client.connecting import (
    FINAL,
    backoff,
    connection_of,
    not_all_at_once,
)
from tertulia.client.effects import (
    Asked,
    Connect,
    Disconnect,
    Effect,
    LinkClosed,
    LinkOpened,
    NetworkChanged,
    ProfileChanged,
    RelayMoved,
    Started,
    Ticked,
)
from tertulia.client.errors import RelayRefusedError
from tertulia.client.events import ConnectionChanged
from tertulia.client.rows import PutProfile, PutRelay
from tertulia.client.state import Link, Phase
from tertulia.client.views import Connection
from tertulia.crypto import ED25519, KeyPair
from tertulia.wire import (
    VERSIONS,
    AccountPolicy,
    DeviceCredential,
    DeviceProof,
    ErrorCode,
    InviteClaim,
    RelayProof,
    ServerInviteLink,
    account_id,
    frames,
)
from tests.client.script import (
    answer,
    answers,
    emitted,
    outline,
    room_of,
    saved,
    sent,
)
from tests.client.world import ADDRESS, Device, World

CERTIFICATE = b"c" * 32
OTHER_CERTIFICATE = b"o" * 32
RELAY_NONCE = b"n" * 32
WELCOME = frames.Authenticated(
    bytes(32),
    bytes(16),
    is_owner=False,
    one_time_key_packages=0,
    has_last_resort=False,
    device_list_version=1,
    welcomes=0,
)


def alone() -> Device:
    """Return somebody whose session was not started yet."""
    device = World().person("Ana", connect=False)
    device.inbox.clear()
    return device


def greeting(
    certificate: bytes = CERTIFICATE, *, trusted: bool = False
) -> tuple[Device, frames.Hello]:
    """Return somebody who just said hello."""
    ana = alone()
    ana.feed(Started())
    (hello,) = sent(ana.feed(LinkOpened(certificate, trusted)), frames.Hello)
    return ana, hello


def challenge(
    ana: Device,
    hello: frames.Hello,
    certificate: bytes = CERTIFICATE,
    identity: KeyPair | None = None,
    **fields: Any,
) -> frames.Challenge:
    """Return the relay's answer to a hello, true unless `fields` say otherwise."""
    who = identity or ana.world.identity
    version = fields.get("version", 1)
    proof = RelayProof(
        VERSIONS, version, hello.nonce, RELAY_NONCE, certificate, bytes(16)
    )
    said = frames.Challenge(
        1,
        who.public,
        RELAY_NONCE,
        certificate,
        bytes(16),
        ana.world.now,
        AccountPolicy.OPEN,
        proof.sign(who.private),
    )
    return frames.Challenge(
        **{name: getattr(said, name) for name in said.__struct_fields__} | fields
    )


def opened() -> Device:
    ana, hello = greeting()
    answer(ana, challenge(ana, hello))
    answer(ana, WELCOME)
    return ana


def only_news(effects: Sequence[Effect]) -> ConnectionChanged:
    (news,) = emitted(effects, ConnectionChanged)
    return news


# The handshake


def test_a_session_starts_by_connecting_to_the_addresses_it_knows() -> None:
    ana = alone()
    effects = ana.feed(Started())
    assert effects[0] == Connect((ADDRESS,), trusted=False)
    assert outline(effects) == ["Connect", "Emit ConnectionChanged"]
    assert only_news(effects).connection is Connection.CONNECTING
    assert ana.session.link.phase is Phase.CONNECTING


def test_each_hello_has_a_nonce_of_its_own() -> None:
    ana, first = greeting()
    ana.feed(LinkClosed("lost"))
    ana.feed(NetworkChanged())
    (second,) = sent(ana.feed(LinkOpened(CERTIFICATE, trusted=False)), frames.Hello)
    assert first.versions == second.versions == VERSIONS
    assert first.nonce != second.nonce


def test_a_link_that_nobody_asked_for_is_not_greeted() -> None:
    ana = alone()
    assert ana.feed(LinkOpened(b"", trusted=True)) == []


def test_the_counter_is_on_the_disk_before_it_is_on_the_wire() -> None:
    ana, hello = greeting()
    effects = answer(ana, challenge(ana, hello))
    assert outline(effects) == ["Save", "Transmit Authenticate"]
    (change,) = saved(effects, PutRelay)
    (proof,) = sent(effects, frames.Authenticate)
    assert change.row.counter == proof.counter == 1


def test_each_connection_has_a_higher_counter() -> None:
    ana = opened()
    ana.feed(NetworkChanged())
    (hello,) = sent(ana.feed(LinkOpened(CERTIFICATE, trusted=False)), frames.Hello)
    (proof,) = sent(answer(ana, challenge(ana, hello)), frames.Authenticate)
    assert proof.counter == 2


def test_the_device_proves_its_key_over_everything_both_sides_said() -> None:
    ana, hello = greeting()
    (proof,) = sent(answer(ana, challenge(ana, hello)), frames.Authenticate)
    profile = ana.session.profile
    said = DeviceProof(
        1,
        ana.world.identity.public,
        CERTIFICATE,
        hello.nonce,
        RELAY_NONCE,
        profile.device,
        1,
    )
    said.verify(profile.device_public, proof.signature)
    credential = DeviceCredential.decode(proof.credential)
    credential.verify(proof.device_key)
    assert proof.invite is None
    assert proof.certificate == CERTIFICATE


STRANGER = ED25519.generate(bytes)


@pytest.mark.parametrize(
    "fields",
    [
        {"identity": STRANGER},
        {"signature": bytes(64)},
        {"nonce": b"x" * 32},
        {"incarnation": b"x" * 16},
        {"certificate": OTHER_CERTIFICATE, "signature": bytes(64)},
        {"version": 2},
    ],
    ids=["identity", "signature", "nonce", "incarnation", "certificate", "version"],
)
def test_a_relay_that_proves_something_else_is_left(fields: dict[str, Any]) -> None:
    ana, hello = greeting()
    effects = answer(ana, challenge(ana, hello, **fields))
    assert sent(effects, frames.Authenticate) == []
    assert outline(effects) == ["Disconnect", "Emit ConnectionChanged"]
    assert only_news(effects).reason == "wrong_relay"
    assert ana.session.relay.counter == 0


def test_a_challenge_of_an_earlier_connection_proves_nothing() -> None:
    ana, hello = greeting()
    old = challenge(ana, hello)
    ana.feed(NetworkChanged())
    ana.feed(LinkOpened(CERTIFICATE, trusted=False))
    assert only_news(answer(ana, old)).reason == "wrong_relay"


def test_a_relay_behind_another_certificate_is_left() -> None:
    ana, hello = greeting()
    effects = answer(ana, challenge(ana, hello, OTHER_CERTIFICATE))
    assert only_news(effects).reason == "wrong_certificate"
    assert outline(effects) == ["Disconnect", "Emit ConnectionChanged"]


def test_after_the_wrong_relay_the_next_address_is_tried() -> None:
    ana = alone()
    ana.feed(RelayMoved(("https://one", "https://two")))
    ana.feed(Started())
    ana.feed(LinkOpened(b"", trusted=True))
    hello = frames.Hello(VERSIONS, ana.session.link.nonce)
    effects = answer(ana, challenge(ana, hello, b"", STRANGER))
    assert outline(effects) == ["Save", "Disconnect", "Emit ConnectionChanged"]
    ana.world.now += 60_000
    assert ana.feed(Ticked())[0] == Connect(
        ("https://two", "https://one"), trusted=True
    )


def test_who_ends_tls_for_the_relay_must_be_vouched_for_by_the_system() -> None:
    ana, hello = greeting()
    effects = answer(ana, challenge(ana, hello, b""))
    assert outline(effects) == ["Disconnect", "Connect", "Emit ConnectionChanged"]
    assert effects[1] == Connect((ADDRESS,), trusted=True)
    ana.feed(LinkOpened(CERTIFICATE, trusted=True))
    hello = frames.Hello(VERSIONS, ana.session.link.nonce)
    (proof,) = sent(answer(ana, challenge(ana, hello, b"")), frames.Authenticate)
    assert proof.certificate == CERTIFICATE


def test_without_tls_there_is_no_certificate_to_compare() -> None:
    ana, hello = greeting(b"", trusted=False)
    (proof,) = sent(answer(ana, challenge(ana, hello, b"")), frames.Authenticate)
    assert proof.certificate == b""


def test_a_challenge_counts_only_after_a_hello() -> None:
    ana, hello = greeting()
    said = challenge(ana, hello)
    answer(ana, said)
    assert answer(ana, said) == []


def test_an_invite_is_proved_only_while_the_account_is_new() -> None:
    ana = alone()
    keys = ED25519.generate(ana.world.rng)
    fingerprint = account_id(ana.world.identity.public)
    link = ServerInviteLink(fingerprint, b"i" * 16, keys.private.reveal(), ())
    relay = replace(ana.session.relay, invite=link.url(ADDRESS))
    ana.session = replace(ana.session, relay=relay)
    ana.feed(Started())
    (hello,) = sent(ana.feed(LinkOpened(CERTIFICATE, trusted=False)), frames.Hello)
    (proof,) = sent(answer(ana, challenge(ana, hello)), frames.Authenticate)
    assert proof.invite is not None
    InviteClaim(
        ana.world.identity.public,
        hello.nonce,
        RELAY_NONCE,
        b"",
        b"i" * 16,
        ana.device,
    ).verify(keys.public, proof.invite.signature)
    (change,) = saved(answer(ana, WELCOME), PutRelay)
    assert change.row.invite == ""
    ana.feed(NetworkChanged())
    (hello,) = sent(ana.feed(LinkOpened(CERTIFICATE, trusted=False)), frames.Hello)
    (proof,) = sent(answer(ana, challenge(ana, hello)), frames.Authenticate)
    assert proof.invite is None


def test_when_the_relay_agrees_the_connection_is_open() -> None:
    ana, hello = greeting()
    assert answer(ana, WELCOME) == []
    answer(ana, challenge(ana, hello))
    effects = answer(ana, WELCOME)
    assert outline(effects) == ["Transmit FetchDeviceList", "Emit ConnectionChanged"]
    assert only_news(effects).connection is Connection.ONLINE
    assert connection_of(ana.session.link) is Connection.ONLINE


def test_a_first_device_publishes_its_list() -> None:
    ana, hello = greeting()
    answer(ana, challenge(ana, hello))
    new = frames.Authenticated(
        bytes(32),
        bytes(16),
        is_owner=False,
        one_time_key_packages=0,
        has_last_resort=False,
        device_list_version=0,
        welcomes=0,
    )
    effects = answer(ana, new)
    assert outline(effects) == [
        "Transmit PublishDeviceList",
        "Emit ConnectionChanged",
    ]
    assert answer(ana, frames.Done(1)) == []


def test_a_device_without_the_account_key_publishes_none() -> None:
    ana, hello = greeting()
    answer(ana, challenge(ana, hello))
    profile = replace(ana.session.profile, account_key=None)
    ana.session = replace(ana.session, profile=profile)
    new = frames.Authenticated(
        bytes(32),
        bytes(16),
        is_owner=False,
        one_time_key_packages=0,
        has_last_resort=False,
        device_list_version=0,
        welcomes=0,
    )
    assert outline(answer(ana, new)) == ["Emit ConnectionChanged"]


# Losing it


def test_a_lost_link_is_tried_again_after_a_while_and_not_before() -> None:
    ana = opened()
    effects = ana.feed(LinkClosed("lost"))
    news = only_news(effects)
    assert (news.connection, news.reason) == (Connection.OFFLINE, "lost")
    assert news.retry is not None
    assert 250 <= news.retry - ana.world.now <= 500
    assert ana.session.wake_at == news.retry
    assert ana.feed(Ticked()) == []
    ana.world.now = news.retry
    assert outline(ana.feed(Ticked())) == ["Connect", "Emit ConnectionChanged"]
    assert ana.feed(Ticked()) == []


@pytest.mark.parametrize(
    ("failures", "least", "most"),
    [(1, 250, 500), (2, 500, 1_000), (7, 16_000, 32_000), (8, 30_000, 60_000)]
    + [(each, 30_000, 60_000) for each in (9, 100, 10_000)],
)
def test_the_pause_doubles_within_bounds(failures: int, least: int, most: int) -> None:
    assert backoff(failures, bytes) == least
    longest = backoff(failures, lambda size: b"\xff" * size)
    assert most - 1 <= longest <= most


def test_failures_are_counted_until_the_connection_is_open() -> None:
    ana = alone()
    for failures in (1, 2, 3):
        ana.feed(Started())
        ana.feed(LinkClosed("refused"))
        assert ana.session.link.failures == failures
    ana.feed(Started())
    (hello,) = sent(ana.feed(LinkOpened(CERTIFICATE, trusted=False)), frames.Hello)
    answer(ana, challenge(ana, hello))
    assert ana.session.link.failures == 3
    answer(ana, WELCOME)
    assert ana.session.link.failures == 0
    assert ana.session.link.reason is None


def test_what_was_under_way_is_forgotten_with_the_connection() -> None:
    world = World()
    room, (ana, _) = world.circle("Ana", "Luis")
    world.reachable = False
    assert ana.session.rooms[room].live.current
    world.cut(ana)
    world.settle()
    live = ana.session.rooms[room].live
    assert not live.current
    assert not live.followed
    assert not ana.session.requests
    assert not ana.session.transfers


# A changed network


def test_a_changed_network_is_connected_anew_at_once() -> None:
    ana = opened()
    effects = ana.feed(NetworkChanged())
    assert outline(effects) == ["Disconnect", "Connect", "Emit ConnectionChanged"]


def test_a_changed_network_ends_a_pause() -> None:
    ana = opened()
    ana.feed(LinkClosed("lost"))
    ana.feed(Started())
    ana.feed(LinkClosed("refused"))
    assert outline(ana.feed(NetworkChanged())) == ["Connect", "Emit ConnectionChanged"]
    assert ana.session.link.failures == 0


def test_a_relay_that_moved_is_looked_for_at_its_new_address() -> None:
    ana = opened()
    ana.feed(LinkClosed("lost"))
    effects = ana.feed(RelayMoved(("https://new",)))
    assert outline(effects) == ["Save", "Connect", "Emit ConnectionChanged"]
    assert effects[1] == Connect(("https://new",), trusted=False)
    (change,) = saved(effects, PutRelay)
    assert change.row.addresses == ("https://new",)


def test_a_relay_that_is_reached_stays_reached_when_it_moves() -> None:
    ana = opened()
    assert outline(ana.feed(RelayMoved(("https://new",)))) == ["Save"]


# Goodbyes


@pytest.mark.parametrize("code", sorted(FINAL))
def test_after_some_goodbyes_only_a_person_can_help(code: ErrorCode) -> None:
    ana = opened()
    effects = answer(ana, frames.Goodbye(code))
    assert outline(effects) == ["Disconnect", "Emit ConnectionChanged"]
    news = only_news(effects)
    assert (news.connection, news.reason) == (Connection.STOPPED, code.value)
    assert ana.session.wake_at is None
    assert ana.feed(NetworkChanged()) == []
    assert outline(ana.feed(RelayMoved(("https://new",)))) == ["Save"]
    assert ana.feed(Ticked()) == []
    assert outline(ana.feed(Started())) == ["Connect", "Emit ConnectionChanged"]


def test_who_is_stopped_stays_stopped_when_the_link_is_gone() -> None:
    ana = opened()
    answer(ana, frames.Goodbye(ErrorCode.BANNED))
    assert ana.feed(LinkClosed("hung up")) == []
    assert connection_of(ana.session.link) is Connection.STOPPED
    assert ana.feed(NetworkChanged()) == []


@pytest.mark.parametrize("code", sorted(set(ErrorCode) - FINAL - {ErrorCode.CLONED}))
def test_after_all_other_goodbyes_the_client_comes_back(code: ErrorCode) -> None:
    ana = opened()
    assert answer(ana, frames.Goodbye(code)) == []
    news = only_news(ana.feed(LinkClosed("hung up")))
    assert (news.connection, news.reason) == (Connection.OFFLINE, code.value)
    assert news.retry is not None


def test_a_goodbye_may_say_how_long_to_stay_away() -> None:
    ana = opened()
    facts = frames.Facts(retry_after=90_000)
    effects = answer(ana, frames.Goodbye(ErrorCode.GOING_AWAY, facts))
    assert outline(effects) == ["Disconnect", "Emit ConnectionChanged"]
    retry = only_news(effects).retry
    assert retry is not None
    assert 90_000 <= retry - ana.world.now < 180_000


def test_who_is_told_the_same_pause_does_not_come_at_the_same_time() -> None:
    assert not_all_at_once(2_000, bytes) == 2_000
    assert not_all_at_once(2_000, lambda size: b"\xff" * size) == 3_999
    assert not_all_at_once(0, lambda size: b"\xff" * size) == 0


def test_the_link_that_goes_after_a_goodbye_shortens_no_pause() -> None:
    ana = opened()
    facts = frames.Facts(retry_after=90_000)
    answer(ana, frames.Goodbye(ErrorCode.GOING_AWAY, facts))
    planned = ana.session.link.retry_at
    assert planned is not None
    assert planned >= ana.world.now + 90_000
    assert ana.feed(LinkClosed("hung up")) == []
    assert ana.session.link.retry_at == planned


def test_the_reason_told_is_that_of_the_last_failure() -> None:
    ana = alone()
    ana.feed(Started())
    ana.feed(LinkClosed("refused"))
    ana.feed(Started())
    assert only_news(ana.feed(LinkClosed("no_route"))).reason == "no_route"


def test_who_is_shut_out_enters_no_room() -> None:
    world = World()
    ana = world.person("Ana")
    room, link = world.room(ana)
    luis = opened()
    luis.world.reachable = False
    luis.feed(Asked(1, JoinRoom(link)))
    luis.feed(Asked(2, CreateRoom("mine")))
    effects = answer(luis, frames.Goodbye(ErrorCode.BANNED))
    errors = answers(effects)
    assert [type(error) for error in errors] == [RelayRefusedError] * 2
    assert {error.reason for error in errors} == {"banned"}
    assert room not in luis.session.rooms


def test_who_is_shut_out_changes_nothing_either() -> None:
    world = World()
    room, (ana, _) = world.circle("Ana", "Luis")
    ana.feed(Asked(77, ChangeRoom(room, "Otra")))  # goes out, and may be taken
    ana.feed(Asked(78, ChangeRoom(room, "Otra más")))
    errors = answers(answer(ana, frames.Goodbye(ErrorCode.REVOKED)))
    assert [type(error) for error in errors] == [RelayRefusedError] * 2
    assert room_of(ana, room).live.wishes == ()


def test_who_asks_after_that_is_told_the_same() -> None:
    world = World()
    _, link = world.room(world.person("Ana"))
    luis = opened()
    answer(luis, frames.Goodbye(ErrorCode.BANNED))
    commands: tuple[AnyCommand, ...] = (JoinRoom(link), CreateRoom("mine"))
    for number, command in enumerate(commands):
        (error,) = answers(luis.feed(Asked(number, command)))
        assert isinstance(error, RelayRefusedError)
        assert error.reason == "banned"
    assert luis.session.rooms == {}


def test_a_device_that_cannot_become_another_answers_who_waits() -> None:
    world = World()
    ana = world.person("Ana")
    _, link = world.room(ana)
    luis = opened()
    luis.feed(Asked(1, JoinRoom(link)))
    profile = replace(luis.session.profile, account_key=None)
    luis.session = replace(luis.session, profile=profile)
    (error,) = answers(answer(luis, frames.Goodbye(ErrorCode.CLONED)))
    assert isinstance(error, RelayRefusedError)


def test_a_command_whose_room_is_gone_is_not_answered_twice() -> None:
    ana = opened()
    ana.session = replace(ana.session, entering={b"gone": 7})
    assert answers(answer(ana, frames.Goodbye(ErrorCode.BANNED))) == []


def test_a_stranger_cannot_say_goodbye_for_the_relay() -> None:
    ana, _ = greeting()
    answer(ana, frames.Goodbye(ErrorCode.BANNED))
    assert connection_of(ana.session.link) is not Connection.STOPPED


def test_a_stranger_cannot_make_a_device_another() -> None:
    ana, _ = greeting()
    before = ana.session.profile
    answer(ana, frames.Goodbye(ErrorCode.CLONED))
    assert ana.session.profile == before


# A copied vault


def test_a_device_that_is_known_elsewhere_becomes_another_and_connects() -> None:
    ana = opened()
    before = ana.session.profile
    effects = answer(ana, frames.Goodbye(ErrorCode.CLONED))
    assert outline(effects) == [
        "Save",
        "Disconnect",
        "Connect",
        "Emit Warned",
        "Emit ConnectionChanged",
    ]
    (change,) = saved(effects, PutProfile)
    assert change.row.account_public == before.account_public
    assert change.row.device != before.device
    assert change.row.device_public != before.device_public


def test_without_the_account_key_it_cannot_and_stops() -> None:
    ana = opened()
    profile = replace(ana.session.profile, account_key=None)
    ana.session = replace(ana.session, profile=profile)
    effects = answer(ana, frames.Goodbye(ErrorCode.CLONED))
    assert outline(effects) == ["Disconnect", "Emit ConnectionChanged"]
    news = only_news(effects)
    assert (news.connection, news.reason) == (Connection.STOPPED, "cloned")


def test_what_another_session_made_of_the_profile_is_taken_over() -> None:
    ana = opened()
    renamed = replace(ana.session.profile, name="Ana María")
    assert outline(ana.feed(ProfileChanged(renamed))) == ["Save"]
    other = replace(renamed, device=b"d" * 16)
    effects = ana.feed(ProfileChanged(other))
    assert outline(effects) == [
        "Save",
        "Disconnect",
        "Connect",
        "Emit ConnectionChanged",
    ]
    assert ana.session.profile == other


@pytest.mark.parametrize(
    ("phase", "connection"),
    [
        (Phase.IDLE, Connection.OFFLINE),
        (Phase.CONNECTING, Connection.CONNECTING),
        (Phase.GREETED, Connection.CONNECTING),
        (Phase.PROVING, Connection.CONNECTING),
        (Phase.OPEN, Connection.ONLINE),
        (Phase.STOPPED, Connection.STOPPED),
    ],
)
def test_faces_see_four_states_of_the_connection(
    phase: Phase, connection: Connection
) -> None:
    assert connection_of(Link(phase=phase)) is connection


def test_a_disconnect_is_not_needed_where_there_is_no_link() -> None:
    ana = alone()
    effects = ana.feed(NetworkChanged())
    assert Disconnect() not in effects
