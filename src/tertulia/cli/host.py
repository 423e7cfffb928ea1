"""`tertulia host`: a relay, a room on it, and the conversation in it, by one command."""

import argparse
import asyncio
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tertulia.cli import tasks
from tertulia.cli.opening import Opening
from tertulia.cli.options import add_options, read_options
from tertulia.cli.profile import add_name_option, add_profile_option, name_for, opened
from tertulia.cli.relay_options import CONFIG_VARIABLE, read_config, relay_options
from tertulia.cli.screen import Ending
from tertulia.cli.terminal import (
    add_conversation_options,
    add_large_option,
    converse,
)
from tertulia.l10n import _

if TYPE_CHECKING:
    from tertulia.agent import Agent
    from tertulia.cli.hosting import HostedRelay, Wish
    from tertulia.client import RoomView

ROOM_NAME: Final = "Tertulia"
PATIENCE: Final = 60.0  # seconds for the relay beside us to do what we ask


@dataclass(frozen=True, slots=True)
class WantedRoom:
    """Which room to host, and what it is to be if there is none of that name."""

    name: str | None
    large: bool = False


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `host` to `commands`."""
    words = _("start a room that others enter with a link: relay and conversation")
    parser = commands.add_parser("host", help=words, description=words)
    parser.add_argument(
        "--room",
        metavar=_("NAME"),
        help=_("name of the room; the last one if not given"),
    )
    add_large_option(parser)
    add_name_option(parser)
    shared = [row for row in relay_options() if row.name in {"listen", "data"}]
    add_options(parser, shared)
    add_profile_option(parser)
    add_conversation_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Host until Ctrl-C or SIGTERM; raise TertuliaError."""
    os.umask(0o077)
    wish = read_wish(arguments)
    name = name_for(arguments)
    stops = (signal.SIGINT, signal.SIGTERM)
    return tasks.run(_host(arguments, wish, name), stops=stops, stopped=0)


def read_wish(arguments: argparse.Namespace) -> "Wish":
    """Return where the relay is to be; raise UsageError."""
    from tertulia.cli.hosting import Wish

    relay = argparse.Namespace(listen=arguments.listen, data=arguments.data)
    file = os.environ.get(CONFIG_VARIABLE)
    values = read_options(
        relay_options(), relay, os.environ, Path(file) if file else None
    )
    config, _level = read_config(relay, os.environ)
    _host, port = values.get("listen", ("", -1))
    return Wish(config, config.listen.host, None if port < 0 else port)


async def _host(arguments: argparse.Namespace, wish: "Wish", name: str | None) -> int:
    from tertulia.cli.hosting import hosted_relay

    async with hosted_relay(wish) as relay, opened(arguments, name) as agent:
        await tasks.until_first_ends(
            relay.until_ended(), _be_there(arguments, wish, relay, agent)
        )
    return 0


async def _be_there(
    arguments: argparse.Namespace, wish: "Wish", relay: "HostedRelay", agent: "Agent"
) -> None:
    await tasks.within(PATIENCE, _introduce(agent, relay, wish))
    wanted = WantedRoom(arguments.room, large=arguments.large)
    room, link = await tasks.within(
        PATIENCE, _find_room(agent, relay, wish.config.data, wanted)
    )

    async def announce() -> None:
        _announce(relay, room, link, as_json=arguments.json)
        notice = _notice(wanted, room)
        if notice is not None and not arguments.json:
            print("* " + notice, flush=True)

    ending = await converse(arguments, agent, room.room, Opening(announce))
    if ending is Ending.INTERRUPTED:
        return
    if not arguments.json:
        print(_("* The relay runs on; Ctrl-C stops it."), flush=True)
    await asyncio.Event().wait()


async def _introduce(agent: "Agent", relay: "HostedRelay", wish: "Wish") -> None:
    """Have an account at the relay, and know where it is now."""
    from tertulia.cli.hosting import make_owner_invite

    known = {view.relay: view for view in await agent.relays()}
    if relay.fingerprint in known:
        # Links lead to where it is now, which may be another place than last time.
        await agent.add_relay(f"{relay.url}#{relay.fingerprint.hex()}")
        return
    invite = relay.owner_invite
    if invite is None:
        invite = await asyncio.to_thread(make_owner_invite, wish.config)
    await agent.add_relay(invite)


async def _find_room(
    agent: "Agent", relay: "HostedRelay", data: Path, wanted: WantedRoom
) -> tuple["RoomView", str]:
    """Return the room, made if there is none yet, and a link to it."""
    import msgspec

    from tertulia.cli.hosting import Memory

    memory = Memory.read(data)
    room = _known_room(await agent.rooms(), relay, wanted.name, memory.room)
    if room is None:
        room_id, link = await _create(agent, relay, wanted)
    else:
        room_id, link = room.room, await _link_to(agent, room.room)
    # The relay itself says where it is now; the last place known may be another.
    link = f"{relay.url}/i#{link.partition('#')[2]}"
    memory = Memory.read(data)
    msgspec.structs.replace(memory, room=room_id.hex()).write(data)
    view = next(view for view in await agent.rooms() if view.room == room_id)
    return view, link


def _known_room(
    rooms: "list[RoomView]", relay: "HostedRelay", name: str | None, last: str
) -> "RoomView | None":
    from tertulia.client import RoomStatus

    here = [
        room
        for room in rooms
        if room.relay == relay.fingerprint and room.status is RoomStatus.MEMBER
    ]
    for room in here:
        if room.name == name or (name is None and room.room.hex() == last):
            return room
    return None


async def _create(
    agent: "Agent", relay: "HostedRelay", wanted: WantedRoom
) -> tuple[bytes, str]:
    from tertulia.cli.errors import UnexpectedAnswerError
    from tertulia.client import CreateRoom, RoomMade

    command = CreateRoom(wanted.name or ROOM_NAME, large=wanted.large)
    match await agent.ask(command, relay=relay.fingerprint):
        case RoomMade(room, link):
            return room, link
        case answer:
            raise UnexpectedAnswerError(answer)


async def _link_to(agent: "Agent", room: bytes) -> str:
    from tertulia.cli.invites import standing_or_new

    return await standing_or_new(agent, room)


def _notice(wanted: WantedRoom, room: "RoomView") -> str | None:
    """Return what is to be said if the room is not what was wanted."""
    if not (wanted.large and room.hybrid):
        return None
    return _("The room exists already and stays as it is, for 500 devices at most.")


def _announce(
    relay: "HostedRelay", room: "RoomView", link: str, *, as_json: bool
) -> None:
    if as_json:
        from tertulia.cli.json_lines import HostingLine, encode_line
        from tertulia.cli.terminal import write_bytes

        line = HostingLine(
            invite=link,
            url=relay.url,
            room=room.room.hex(),
            name=room.name,
            reachable=relay.is_for_others,
        )
        write_bytes(encode_line(line))
        return
    from tertulia.cli.announcement import announce

    announce(relay.url, room.name, link, is_for_others=relay.is_for_others)
