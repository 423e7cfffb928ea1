"""The handshake: who gets in, and that every way to cheat is the same answer."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from tertulia.crypto import ED25519
from tertulia.relay import Settings
from tertulia.wire import (
    AccountPolicy,
    ErrorCode,
    RelayProof,
    frames,
    limits,
)
from tests.relay.script import (
    HUNG_UP,
    Client,
    Invitation,
    Person,
    Script,
    ended,
    run,
)

INVITE = Settings(accounts=AccountPolicy.INVITE)
CERTIFICATE = bytes(range(32))


def test_the_relay_proves_its_identity_over_both_nonces() -> None:
    script = Script(Settings(certificate=CERTIFICATE))
    client = script.connect(Person("alice"))
    (challenge,) = client.send(frames.Hello((7, 1), client.client_nonce))
    assert isinstance(challenge, frames.Challenge)
    assert (challenge.version, challenge.certificate) == (1, CERTIFICATE)
    RelayProof(
        (7, 1),
        1,
        client.client_nonce,
        challenge.nonce,
        CERTIFICATE,
        script.engine.incarnation,
    ).verify(script.identity.public, challenge.signature)


def test_two_connections_get_different_nonces() -> None:
    script = Script()
    clients = [script.connect(Person("alice")).hello() for _ in range(2)]
    nonces = {client.challenge.nonce for client in clients if client.challenge}
    assert len(nonces) == 2


def test_no_version_in_common_ends_the_connection() -> None:
    client = Script().connect(Person("alice"))
    answer = client.send(frames.Hello((2, 3), bytes(32)))
    assert ended(answer, ErrorCode.UNSUPPORTED_VERSION)


def test_a_device_authenticates_and_learns_what_is_kept_for_it() -> None:
    script = Script()
    alice = Person("alice")
    client = script.connect(alice).hello()
    assert client.authenticate() == [
        frames.Authenticated(
            alice.account_id,
            alice.device,
            is_owner=False,
            one_time_key_packages=0,
            has_last_resort=False,
            device_list_version=0,
            welcomes=0,
        )
    ]
    client.ask(frames.PublishKeyPackages, (b"one", b"two"), b"last")
    client.ask(frames.PublishDeviceList, alice.device_list(4, alice))
    (again,) = script.connect(alice).hello().authenticate()
    assert isinstance(again, frames.Authenticated)
    assert (again.one_time_key_packages, again.has_last_resort) == (2, True)
    assert again.device_list_version == 4


Tampering = Callable[[Client, frames.Authenticate], frames.Authenticate]
OTHER = Person("mallory")

TAMPERINGS: dict[str, Tampering] = {
    "another device's key": lambda _client, frame: replace(
        frame, device_key=OTHER.device_key.public
    ),
    "another device's credential": lambda _client, frame: replace(
        frame, credential=OTHER.credential()
    ),
    "no credential": lambda _client, frame: replace(frame, credential=b"?"),
    "a changed counter": lambda _client, frame: replace(
        frame, counter=frame.counter + 1
    ),
    "a changed certificate": lambda _client, frame: replace(frame, certificate=b""),
    "a signature by another": lambda client, frame: replace(
        frame, signature=client.proof().sign(OTHER.device_key.private)
    ),
    "a key that gives no security": lambda _client, frame: replace(
        frame, device_key=bytes(32)
    ),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_every_false_proof_is_the_same_answer(name: str) -> None:
    script = Script(Settings(accounts=AccountPolicy.OPEN, certificate=CERTIFICATE))
    client = script.connect(Person("alice")).hello()
    frame = client.authentication(certificate=CERTIFICATE)
    answer = client.send(TAMPERINGS[name](client, frame))
    assert ended(answer, ErrorCode.AUTHENTICATION_FAILED)
    assert run(script.engine.accounts()) == []


def test_a_proof_for_another_certificate_is_refused() -> None:
    """A man in the middle who ends TLS has a certificate of his own."""
    script = Script(Settings(accounts=AccountPolicy.OPEN, certificate=CERTIFICATE))
    client = script.connect(Person("alice")).hello()
    answer = client.authenticate(certificate=bytes(32))
    assert ended(answer, ErrorCode.AUTHENTICATION_FAILED)


def test_a_browser_cannot_see_the_certificate_and_may_leave_it_out() -> None:
    script = Script(Settings(accounts=AccountPolicy.OPEN, certificate=CERTIFICATE))
    client = script.connect(Person("alice")).hello()
    (answer,) = client.authenticate(certificate=b"")
    assert isinstance(answer, frames.Authenticated)


def test_a_recorded_proof_is_worth_nothing_on_another_connection() -> None:
    script = Script()
    alice = Person("alice")
    recorded = script.connect(alice).hello().authentication()
    replay = script.connect(alice).hello()
    assert ended(replay.send(recorded), ErrorCode.AUTHENTICATION_FAILED)


def test_a_proof_for_one_relay_is_worth_nothing_at_another() -> None:
    alice = Person("alice")
    client = Script(seed=1).connect(alice).hello()
    frame = client.authentication()
    other = Script(seed=1)
    other.identity = ED25519.generate(other.random.randbytes)
    other.restart()
    relayed = other.connect(alice)
    relayed.client_nonce = client.client_nonce
    relayed.hello()
    assert ended(relayed.send(frame), ErrorCode.AUTHENTICATION_FAILED)


def test_only_one_try_per_connection() -> None:
    script = Script()
    client = script.connect(Person("alice")).hello()
    frame = client.authentication()
    client.send(replace(frame, counter=frame.counter + 1))
    assert client.send(frame) == []


def test_failed_proofs_are_limited_per_address() -> None:
    script = Script()
    for _ in range(limits.PROOFS.burst):
        client = script.connect(Person("alice"), "192.0.2.9").hello()
        client.send(replace(client.authentication(), signature=bytes(64)))
    throttled = script.connect(Person("bob"), "192.0.2.9").hello()
    assert ended(throttled.authenticate(), ErrorCode.RATE_LIMITED, retry_after=6001)
    elsewhere = script.connect(Person("bob"), "192.0.2.10").hello()
    (answer,) = elsewhere.authenticate()
    assert isinstance(answer, frames.Authenticated)


def test_a_device_id_belongs_to_the_first_account_that_used_it() -> None:
    script = Script()
    script.enter("alice")
    thief = Person("mallory")
    thief.device = Person("alice").device
    answer = script.connect(thief).hello().authenticate()
    assert ended(answer, ErrorCode.AUTHENTICATION_FAILED)


def test_a_counter_that_does_not_rise_is_a_clone() -> None:
    script = Script()
    alice = Person("alice")
    alice.counter = 4
    script.enter(alice)
    alice.counter = 4
    answer = script.connect(alice).hello().authenticate()
    assert ended(answer, ErrorCode.CLONED, counter=5)


def test_a_newer_connection_supersedes_the_older() -> None:
    script = Script()
    alice = Person("alice")
    older = script.enter(alice)
    newer = script.enter(alice)
    assert older.look() == [frames.Goodbye(ErrorCode.SUPERSEDED), HUNG_UP]
    assert older.ask(frames.ListRooms) == []
    assert newer.ask(frames.ListRooms) == [frames.Rooms(1, ())]


def test_a_revoked_device_stays_out() -> None:
    script = Script()
    phone = Person("phone")
    laptop = Person("laptop", phone.account)
    script.enter(laptop)
    script.enter(phone).ask(frames.PublishDeviceList, phone.device_list(1, phone))
    answer = script.connect(laptop).hello().authenticate()
    assert ended(answer, ErrorCode.REVOKED)


def test_a_further_device_of_an_account_needs_no_invite() -> None:
    script = Script()
    phone = Person("phone")
    script.enter(phone)
    script.restart(INVITE)
    script.enter(Person("laptop", phone.account))


# Who may create an account


def test_an_account_comes_by_a_server_invite_only_once() -> None:
    script = Script(INVITE)
    owner = Invitation("owner")
    script.server_invite(owner, uses=1, makes_owner=True)
    client = script.connect(Person("alice")).hello()
    (answer,) = client.authenticate(client.invite_proof(owner))
    assert isinstance(answer, frames.Authenticated)
    assert answer.is_owner
    second = script.connect(Person("bob")).hello()
    answer_of_second = second.authenticate(second.invite_proof(owner))
    assert ended(answer_of_second, ErrorCode.INVITE_INVALID)


def test_an_account_comes_by_a_room_invite() -> None:
    script = Script()
    alice = script.enter("alice")
    room = script.room("room", alice)
    link = Invitation("link")
    alice.commit(room, 0, "c", frames.Bundle(group=alice.advice(room, link.terms())))
    script.restart(INVITE)
    client = script.connect(Person("bob")).hello()
    (answer,) = client.authenticate(client.invite_proof(link, room))
    assert isinstance(answer, frames.Authenticated)
    assert not answer.is_owner


def test_without_an_invite_there_is_no_account() -> None:
    client = Script(INVITE).connect(Person("alice")).hello()
    assert ended(client.authenticate(), ErrorCode.INVITE_REQUIRED)


def test_a_closed_relay_takes_only_whom_its_operator_invites() -> None:
    script = Script(Settings(accounts=AccountPolicy.CLOSED))
    client = script.connect(Person("alice")).hello()
    assert ended(client.authenticate(), ErrorCode.ACCOUNTS_CLOSED)
    link = Invitation("link")
    by_room = script.connect(Person("bob")).hello()
    answer = by_room.authenticate(by_room.invite_proof(link, bytes(16)))
    assert ended(answer, ErrorCode.ACCOUNTS_CLOSED)
    script.server_invite(link)
    by_operator = script.connect(Person("carol")).hello()
    (opened,) = by_operator.authenticate(by_operator.invite_proof(link))
    assert isinstance(opened, frames.Authenticated)


def test_new_accounts_are_limited_per_address() -> None:
    script = Script()
    for number in range(limits.NEW_ACCOUNTS.burst):
        script.enter(f"person {number}")
    client = script.connect(Person("one more")).hello()
    assert ended(client.authenticate(), ErrorCode.RATE_LIMITED, retry_after=6001)


def test_who_hangs_up_during_the_handshake_is_forgotten() -> None:
    script = Script()
    client = script.connect(Person("alice")).hello()
    frame = client.authentication()
    client.close()
    assert client.send(frame) == []
    assert script.relay.counts().devices == 0
