from pathlib import Path

import pytest

from tertulia.server import (
    CreateInvite,
    Endpoint,
    ListInvites,
    Surroundings,
    ask_relay,
)
from tertulia.server.errors import NoRelayError
from tertulia.wire import ServerInviteLink, parse_link
from tests.running_relay import LOOPBACK, config_for, run, running_relay

AROUND = Surroundings(addresses=lambda _host: [])


def test_a_stopped_relay_is_opened_for_one_command(tmp_path: Path) -> None:
    async def story() -> None:
        async with running_relay(config_for(tmp_path)):
            pass

    run(story())
    config = config_for(tmp_path, listen=Endpoint(LOOPBACK, 8000))
    made = ask_relay(config, AROUND, CreateInvite(uses=2))
    link = parse_link(str(made.rows[0]["link"])).link
    assert isinstance(link, ServerInviteLink)
    listed = ask_relay(config, AROUND, ListInvites()).rows
    assert link.invite.hex() in {row["invite"] for row in listed}


def test_where_no_relay_ever_was_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(NoRelayError):
        ask_relay(config_for(tmp_path / "none"), AROUND, ListInvites())
    assert not (tmp_path / "none").exists()
