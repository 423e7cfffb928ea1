"""Proofs of invites: nothing can be found out by trying."""

import pytest
from msgspec.structs import replace

from tertulia.relay import Settings
from tertulia.wire import AccountPolicy, ErrorCode, frames, limits
from tests.relay.script import START, Client, Invitation, Person, Script, ended

INVITE = Settings(accounts=AccountPolicy.INVITE)


def connected(script: Script, name: str = "alice") -> Client:
    return script.connect(Person(name)).hello()


def test_unknown_expired_used_up_and_unproven_are_one_answer() -> None:
    script = Script(INVITE)
    expired, used_up, valid = (Invitation(each) for each in ("e", "u", "v"))
    script.server_invite(expired, expires=START)
    script.server_invite(used_up, uses=1, used=1)
    script.server_invite(valid)
    for link in (Invitation("unknown"), expired, used_up):
        client = connected(script)
        answer = client.authenticate(client.invite_proof(link))
        assert ended(answer, ErrorCode.INVITE_INVALID)
    client = connected(script)
    unproven = replace(client.invite_proof(valid), signature=bytes(64))
    assert ended(client.authenticate(unproven), ErrorCode.INVITE_INVALID)


def test_a_proof_serves_one_connection_device_and_room() -> None:
    script = Script(INVITE)
    link = Invitation("link")
    script.server_invite(link)
    recorded = connected(script).invite_proof(link)
    assert ended(connected(script).authenticate(recorded), ErrorCode.INVITE_INVALID)
    client = connected(script)
    of_another = connected(script, "bob").invite_proof(link)
    assert ended(client.authenticate(of_another), ErrorCode.INVITE_INVALID)
    client = connected(script)
    for_a_room = replace(client.invite_proof(link, bytes(16)), room=None)
    assert ended(client.authenticate(for_a_room), ErrorCode.INVITE_INVALID)


@pytest.mark.parametrize("uses", [None, 1])
def test_a_right_proof_is_taken(uses: int | None) -> None:
    script = Script(INVITE)
    link = Invitation("link")
    script.server_invite(link, uses=uses, expires=START + 1)
    client = connected(script)
    (answer,) = client.authenticate(client.invite_proof(link))
    assert isinstance(answer, frames.Authenticated)


def test_guessing_is_limited_per_address() -> None:
    script = Script(INVITE)
    for _ in range(limits.PROOFS.burst):
        client = connected(script)
        client.authenticate(client.invite_proof(Invitation("guess")))
    client = connected(script)
    answer = client.authenticate(client.invite_proof(Invitation("guess")))
    assert ended(answer, ErrorCode.RATE_LIMITED, retry_after=6001)
