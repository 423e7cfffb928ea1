from pathlib import Path

import pytest

from tertulia.wire import frames
from tests.running_relay import config_for, run, running_relay
from tests.wire_client import Person, sign_in


@pytest.mark.parametrize("http", [False, True], ids=["tls", "plain"])
def test_two_people_talk(tmp_path: Path, http: bool) -> None:
    async def story() -> None:
        async with running_relay(config_for(tmp_path, http=http)) as running:
            ana, luis = Person(), Person()
            async with sign_in(running.server, ana, running.owner_invite) as first:
                assert first.authenticated.is_owner
                room = await first.create_room()
                link = await invite_for(first)
                async with sign_in(running.server, luis, link) as second:
                    await first.route(room, luis.device)
                    await second.ask(frames.FollowRoom(1, room, 0))
                    accepted = await first.append(room, b"sealed")
                    assert isinstance(accepted, frames.Accepted)
                    (got,) = await second.wait_for_pushed(frames.Entries)
                    assert [entry.blob for entry in got.entries] == [b"sealed"]
                    assert got.entries[0].place == accepted.place

    run(story())


async def invite_for(first):
    from tertulia.crypto import ED25519, Secret
    from tests.wire_client import Invite

    invite = Invite(first.person.rng(16), first.person.rng(32))
    public = ED25519.public_key(Secret(invite.secret))
    await first.ask(frames.CreateServerInvite(1, invite.invite, public))
    return invite
