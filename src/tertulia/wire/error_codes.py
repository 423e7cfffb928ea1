"""The stable codes with which a relay says no, and what each of them asks for.

Programs act on the code and the facts; faces turn both into words. A code never
changes its meaning. New ones may come: an unknown code is a plain no.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from typing_extensions import override


class ErrorCode(StrEnum):
    """Why a request was refused or a connection ended."""

    MALFORMED = "malformed"
    UNKNOWN_FRAME = "unknown_frame"
    UNEXPECTED = "unexpected"
    UNSUPPORTED_VERSION = "unsupported_version"
    TOO_LARGE = "too_large"
    HANDSHAKE_TIMEOUT = "handshake_timeout"
    AUTHENTICATION_FAILED = "authentication_failed"
    INVITE_REQUIRED = "invite_required"
    INVITE_INVALID = "invite_invalid"
    ACCOUNTS_CLOSED = "accounts_closed"
    BANNED = "banned"
    REVOKED = "revoked"
    CLONED = "cloned"
    SUPERSEDED = "superseded"
    NOT_FOUND = "not_found"
    NOT_ALLOWED = "not_allowed"
    EXISTS = "exists"
    OUTDATED = "outdated"
    BEHIND = "behind"
    FORKED = "forked"
    GONE = "gone"
    WAIT_TURN = "wait_turn"
    RATE_LIMITED = "rate_limited"
    ROOM_FULL = "room_full"
    ACCOUNT_FULL = "account_full"
    RELAY_FULL = "relay_full"
    TOO_MANY = "too_many"
    BLOB_MISMATCH = "blob_mismatch"
    BLOB_INCOMPLETE = "blob_incomplete"
    TICKET_INVALID = "ticket_invalid"
    TREE_NEEDED = "tree_needed"
    CATCH_UP = "catch_up"
    GOING_AWAY = "going_away"
    UNAVAILABLE = "unavailable"
    UNKNOWN = "unknown"

    @override
    @classmethod
    def _missing_(cls, value: object) -> "ErrorCode":
        return cls.UNKNOWN


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """What a code means, which facts come with it and how a client reacts."""

    meaning: str
    reaction: str
    facts: tuple[str, ...] = ()


_REPORT: Final = "report it: one of both programs has a fault"
_LATER: Final = "try again after that time"

ERRORS: Final[dict[ErrorCode, ErrorRow]] = {
    ErrorCode.MALFORMED: ErrorRow(
        "the bytes are not a frame; the relay hangs up", _REPORT
    ),
    ErrorCode.UNKNOWN_FRAME: ErrorRow(
        "this relay does not know that kind of frame", "do without, or update the relay"
    ),
    ErrorCode.UNEXPECTED: ErrorRow(
        "the frame does not belong in this phase of the connection", _REPORT
    ),
    ErrorCode.UNSUPPORTED_VERSION: ErrorRow(
        "no protocol version in common; the relay hangs up", "update the older side"
    ),
    ErrorCode.TOO_LARGE: ErrorRow(
        "a part of the request is too large", "send less", ("limit", "actual")
    ),
    ErrorCode.HANDSHAKE_TIMEOUT: ErrorRow(
        "the connection did not authenticate in time", "connect again"
    ),
    ErrorCode.AUTHENTICATION_FAILED: ErrorRow(
        "a signature, credential or certificate hash does not fit; which one is not said",
        "check for a man in the middle, then report it",
    ),
    ErrorCode.INVITE_REQUIRED: ErrorRow(
        "the account is new, and accounts are created by invite", "ask for an invite"
    ),
    ErrorCode.INVITE_INVALID: ErrorRow(
        "the invite is unknown, expired, used up or not proven; which is not said",
        "ask for another invite",
    ),
    ErrorCode.ACCOUNTS_CLOSED: ErrorRow(
        "this relay takes no new accounts", "ask its operator"
    ),
    ErrorCode.BANNED: ErrorRow(
        "the operator shut this account out", "ask the operator"
    ),
    ErrorCode.REVOKED: ErrorRow(
        "the account's device list no longer has this device",
        "link the device again, under a new device id",
    ),
    ErrorCode.CLONED: ErrorRow(
        "the relay has seen a higher or equal counter: this vault is a copy or was rolled back",
        "enrol under a new device id before encrypting anything",
        ("counter",),
    ),
    ErrorCode.SUPERSEDED: ErrorRow(
        "the same device has connected anew; the relay hangs up",
        "leave it to the newer",
    ),
    ErrorCode.NOT_FOUND: ErrorRow(
        "there is no such thing, or it is not for this device; which is not said",
        "forget it, or join again",
    ),
    ErrorCode.NOT_ALLOWED: ErrorRow("only others may do this", "ask the operator"),
    ErrorCode.EXISTS: ErrorRow("the identifier is taken", "choose another at random"),
    ErrorCode.OUTDATED: ErrorRow(
        "the relay has a newer version of this", "fetch that one first", ("actual",)
    ),
    ErrorCode.BEHIND: ErrorRow(
        "the relay knows less than the client: it was restored from a backup",
        "feed back what it lost (`refeed`), then go on",
        ("place",),
    ),
    ErrorCode.FORKED: ErrorRow(
        "another entry stands at the place the client names",
        "compare signed heads of one incarnation: a contradiction is proof; else rejoin",
        ("place",),
    ),
    ErrorCode.GONE: ErrorRow(
        "handshakes this device would need are no longer kept", "rejoin", ("place",)
    ),
    ErrorCode.WAIT_TURN: ErrorRow(
        "the next handshake is reserved for a device that was often late",
        _LATER,
        ("retry_after",),
    ),
    ErrorCode.RATE_LIMITED: ErrorRow(
        "too much in too short a time", _LATER, ("retry_after",)
    ),
    ErrorCode.ROOM_FULL: ErrorRow(
        "the room stores as much as it may",
        "shorten its retention",
        ("limit", "actual"),
    ),
    ErrorCode.ACCOUNT_FULL: ErrorRow(
        "the account stores as much as it may", "delete files", ("limit", "actual")
    ),
    ErrorCode.RELAY_FULL: ErrorRow(
        "the relay stores as much as it may, or its disk is full",
        "tell the operator; nothing acknowledged is lost",
    ),
    ErrorCode.TOO_MANY: ErrorRow(
        "more of these than there may be", "remove some first", ("limit",)
    ),
    ErrorCode.BLOB_MISMATCH: ErrorRow(
        "a blob's offset, size or hash is not what was announced",
        "ask for the offset and resume, or begin anew",
        ("place",),
    ),
    ErrorCode.BLOB_INCOMPLETE: ErrorRow(
        "the blob is not wholly uploaded", "finish the upload first", ("place",)
    ),
    ErrorCode.TICKET_INVALID: ErrorRow(
        "the ticket is expired or not for this", "ask for another ticket"
    ),
    ErrorCode.TREE_NEEDED: ErrorRow(
        "the patch does not follow from the tree the relay has, or there are many already",
        "upload the whole tree",
    ),
    ErrorCode.CATCH_UP: ErrorRow(
        "the client reads too slowly; the relay hangs up",
        "connect again and fetch pages from the last entry",
    ),
    ErrorCode.GOING_AWAY: ErrorRow(
        "the relay shuts down or restarts",
        "connect again after that time",
        ("retry_after",),
    ),
    ErrorCode.UNAVAILABLE: ErrorRow(
        "the relay cannot store at the moment; nothing was acknowledged",
        "send the same again, under the same key, after that time",
        ("retry_after",),
    ),
    ErrorCode.UNKNOWN: ErrorRow(
        "stands for every code that came later than the reader", "take it as a plain no"
    ),
}
