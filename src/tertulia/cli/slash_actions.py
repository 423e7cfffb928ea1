"""What the slash commands do in a line-mode conversation."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, assert_never

from tertulia.cli.client_words import reason_words
from tertulia.cli.conversation import Conversation
from tertulia.cli.errors import (
    BadValueError,
    MissingArgumentError,
    UnexpectedAnswerError,
)
from tertulia.cli.invites import (
    choose_invite,
    invite_row,
    make_invite,
    standing_or_new,
)
from tertulia.cli.lines import (
    beginning,
    room_line,
    shown_name,
    shown_room,
)
from tertulia.cli.options import duration, number
from tertulia.cli.people import member_row
from tertulia.cli.room_choice import choose_member, choose_room
from tertulia.cli.slash_commands import Action, Invocation, help_lines
from tertulia.cli.tasks import within
from tertulia.client import (
    AnyAnswer,
    AnyCommand,
    CancelMessage,
    ChangeName,
    ChangeRoom,
    Connection,
    CreateRoom,
    JoinRoom,
    LeaveRoom,
    RelayView,
    RemoveMember,
    RevokeInvite,
    RoomJoined,
    RoomMade,
    neutralise,
)
from tertulia.l10n import _

PATIENCE: Final = 30.0  # seconds for what the relay has to take


async def carry_out(conversation: Conversation, invocation: Invocation) -> None:
    """Do what was typed; raise TertuliaError."""
    action = invocation.command.action
    if action is not Action.LEAVE:
        conversation.leave_asked = False
    await ACTIONS[action](conversation, invocation.argument)


async def _ask(conversation: Conversation, command: AnyCommand) -> AnyAnswer:
    return await within(PATIENCE, conversation.agent.ask(command))


async def _help(conversation: Conversation, _argument: str) -> None:
    conversation.say("\n".join([_("What you type is said, but for:"), *help_lines()]))


async def _rooms(conversation: Conversation, _argument: str) -> None:
    rooms = await conversation.agent.rooms()
    lines = [room_line(room, conversation.unread[room.room]) for room in rooms]
    conversation.say("\n".join([_("Your rooms:"), *lines]))


async def _room(conversation: Conversation, argument: str) -> None:
    room = choose_room(await conversation.agent.rooms(), argument)
    await conversation.enter(room.room)


async def _join(conversation: Conversation, argument: str) -> None:
    match await _ask(conversation, JoinRoom(argument)):
        case RoomJoined(room):
            await conversation.enter(room)
        case answer:
            raise UnexpectedAnswerError(answer)


async def _create(conversation: Conversation, argument: str) -> None:
    relay = (await conversation.room_view()).relay
    command = CreateRoom(argument)
    match await within(PATIENCE, conversation.agent.ask(command, relay=relay)):
        case RoomMade(room, link):
            await conversation.enter(room)
            _show_link(conversation, link)
        case answer:
            raise UnexpectedAnswerError(answer)


# Invites


async def _invite(conversation: Conversation, argument: str) -> None:
    match argument.split():
        case ["list"]:
            await _list_invites(conversation)
        case ["revoke", wanted]:
            await _revoke(conversation, wanted)
        case ["revoke", *_rest]:
            raise MissingArgumentError("/invite revoke ID")
        case []:
            link = await within(
                PATIENCE, standing_or_new(conversation.agent, conversation.room)
            )
            _show_link(conversation, link)
        case words:
            await _make_invite(conversation, words)


async def _make_invite(conversation: Conversation, words: list[str]) -> None:
    lasts = uses = None
    for word in words:
        if word.isdecimal():
            uses = _read(number, word, _("a number of uses"))
        else:
            lasts = _read(duration, word, _("a time, like 7d or 12h"))
    made = await within(
        PATIENCE, make_invite(conversation.agent, conversation.room, lasts, uses)
    )
    _show_link(conversation, made.link)


def _read(read: Callable[[str], int], text: str, wanted: str) -> int:
    try:
        return read(text)
    except ValueError:
        raise BadValueError(text, wanted) from None


def _show_link(conversation: Conversation, link: str) -> None:
    from tertulia.cli.qr import qr_rows

    conversation.say(_("Others enter with this link:"))
    conversation.screen.show_whole(link)
    conversation.screen.show_code(qr_rows(link))


async def _list_invites(conversation: Conversation) -> None:
    invites = await conversation.agent.invites(conversation.room)
    lines = [invite_row(invite) for invite in invites]
    conversation.say("\n".join([_("Invites of this room:"), *lines]))


async def _revoke(conversation: Conversation, wanted: str) -> None:
    invite = choose_invite(await conversation.agent.invites(conversation.room), wanted)
    await _ask(conversation, RevokeInvite(conversation.room, invite.invite))
    conversation.say(_("That link leads nowhere now."))


# People


async def _members(conversation: Conversation, _argument: str) -> None:
    members = await conversation.agent.members(conversation.room)
    lines = [member_row(member) for member in members]
    conversation.say("\n".join([_("In this room:"), *lines]))


async def _remove(conversation: Conversation, argument: str) -> None:
    members = await conversation.agent.members(conversation.room)
    account = choose_member(members, argument).person.account
    await _ask(conversation, RemoveMember(conversation.room, account))


async def _nick(conversation: Conversation, argument: str) -> None:
    await _ask(conversation, ChangeName(argument))
    conversation.say(_("You are called {name} now.").format(name=shown_name(argument)))


# The room


async def _name(conversation: Conversation, argument: str) -> None:
    await _ask(conversation, ChangeRoom(conversation.room, name=argument))


async def _topic(conversation: Conversation, argument: str) -> None:
    if argument:
        await _ask(conversation, ChangeRoom(conversation.room, topic=argument))
        return
    topic = (await conversation.room_view()).topic
    conversation.say(
        _("The topic: {topic}").format(topic=neutralise(topic))
        if topic
        else _("There is no topic; /topic TOPIC sets one.")
    )


async def _status(conversation: Conversation, _argument: str) -> None:
    room = await conversation.room_view()
    lines = [room_line(room)]
    lines += [
        relay_row(relay)
        for relay in await conversation.agent.relays()
        if relay.relay == room.relay
    ]
    if room.sign_awaited is not None:
        lines.append(
            _("Waiting for a sign from {name}.").format(
                name=shown_name(room.sign_awaited)
            )
        )
    if room.hybrid is not None:
        lines.append(_keys_row(hybrid=room.hybrid))
    me = conversation.agent.profile
    name = shown_name(me.name, me.tag)
    conversation.say("\n".join([_("You are {name}.").format(name=name), *lines]))


def _keys_row(*, hybrid: bool) -> str:
    if hybrid:
        return _("The keys of this room are made to hold against quantum computers.")
    return _("A later quantum computer could read what is recorded of this room today.")


def relay_row(relay: RelayView) -> str:
    """Return how it stands with a relay."""
    address = relay.addresses[0] if relay.addresses else relay.relay.hex()[:8]
    match relay.connection:
        case Connection.ONLINE:
            state = _("connected")
        case Connection.CONNECTING:
            state = _("connecting")
        case Connection.OFFLINE:
            state = _("not reached, tried again by itself")
        case Connection.STOPPED:
            state = reason_words(relay.reason)
        case connection:
            assert_never(connection)
    return f"{neutralise(address)}  {state}"


async def _cancel(conversation: Conversation, _argument: str) -> None:
    if not conversation.unsent:
        conversation.say(_("All that you said here was sent."))
        return
    message, text = next(reversed(conversation.unsent.items()))
    await _ask(conversation, CancelMessage(conversation.room, message))
    conversation.take_back(message)
    conversation.say(_("Taken back: “{text}”.").format(text=beginning(text)))


async def _leave(conversation: Conversation, _argument: str) -> None:
    room = await conversation.room_view()
    if not conversation.leave_asked:
        conversation.leave_asked = True
        conversation.say(
            _(
                "This leaves {room} for good; only a new link leads back. Type /leave "
                "again to do it."
            ).format(room=shown_room(room.name))
        )
        return
    conversation.leave_asked = False
    await _ask(conversation, LeaveRoom(conversation.room))
    conversation.say(_("You have left {room}.").format(room=shown_room(room.name)))


ACTIONS: Final[Mapping[Action, Callable[[Conversation, str], Awaitable[None]]]] = {
    Action.HELP: _help,
    Action.ROOMS: _rooms,
    Action.ROOM: _room,
    Action.JOIN: _join,
    Action.CREATE: _create,
    Action.INVITE: _invite,
    Action.MEMBERS: _members,
    Action.REMOVE: _remove,
    Action.NAME: _name,
    Action.TOPIC: _topic,
    Action.NICK: _nick,
    Action.STATUS: _status,
    Action.CANCEL: _cancel,
    Action.LEAVE: _leave,
}
