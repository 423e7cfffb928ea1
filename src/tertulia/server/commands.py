"""What an operator may ask of a relay, and the answers: values that travel as JSON."""

from typing import TypeAlias

import msgspec


class Command(
    msgspec.Struct, frozen=True, tag_field="command", forbid_unknown_fields=True
):
    """Something an operator asks."""


class ListAccounts(Command, frozen=True, tag="accounts"):
    """Which accounts there are."""


class ListRooms(Command, frozen=True, tag="rooms"):
    """Which rooms there are, and what they store."""


class RemoveRoom(Command, frozen=True, tag="remove_room"):
    """Remove a room and all it stores."""

    room: str


class ShowStorage(Command, frozen=True, tag="storage"):
    """What is stored in all, and how much may be."""


class ListBans(Command, frozen=True, tag="bans"):
    """Who is shut out."""


class PutBan(Command, frozen=True, tag="ban"):
    """Shut out an account (its id) or an address; for milliseconds, or for good."""

    subject: str
    duration: int | None = None


class LiftBan(Command, frozen=True, tag="lift_ban"):
    """Let them in again."""

    subject: str


class ListInvites(Command, frozen=True, tag="invites"):
    """Which server invites there are."""


class CreateInvite(Command, frozen=True, tag="create_invite"):
    """Make a link with which accounts can be created."""

    uses: int | None = 1
    duration: int | None = None
    makes_owner: bool = False


class RemoveInvite(Command, frozen=True, tag="remove_invite"):
    """Make an invite worthless."""

    invite: str


class Backup(Command, frozen=True, tag="backup"):
    """Copy everything into a new folder, while the relay runs."""

    folder: str


AnyCommand: TypeAlias = (
    ListAccounts
    | ListRooms
    | RemoveRoom
    | ShowStorage
    | ListBans
    | PutBan
    | LiftBan
    | ListInvites
    | CreateInvite
    | RemoveInvite
    | Backup
)


class Answer(msgspec.Struct, frozen=True):
    """Rows to show, or why the command was refused."""

    rows: list[dict[str, str | int | bool | None]] = []
    refused: str | None = None


encode_json = msgspec.json.encode
decode_command = msgspec.json.Decoder(AnyCommand).decode
decode_answer = msgspec.json.Decoder(Answer).decode
