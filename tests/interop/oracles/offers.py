"""What each oracle offers, as a table, and where each is wrong, as a list.

Nothing here is taken from documentation: `test_oracles.py` carries out every row of the
table against both engines (`probes.py` says how) and shows every fault of the list.
Sections are those of RFC 9420.
"""

from dataclasses import dataclass
from enum import Enum

from tests.interop.oracles.availability import MLS_RS, TS_MLS


class Status(Enum):
    """What became of an operation."""

    SUPPORTED = "supported"
    MADE_UP = "made up"  # by the wrapper, from parts that the engine offers
    NOT_OFFERED = "not offered"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Offer:
    """One engine's answer; `refusal` is how a wrong one shows, in somebody's words."""

    status: Status
    observed: str = ""
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the table."""

    name: str
    mls_rs: Offer
    ts_mls: Offer

    def offer_of(self, engine: str) -> Offer:
        """The answer of the engine of this name."""
        return {MLS_RS: self.mls_rs, TS_MLS: self.ts_mls}[engine]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something an engine does against RFC 9420, or that a test must steer around."""

    code: str
    engine: str
    section: str
    observed: str


YES = Offer(Status.SUPPORTED)
NO = Offer(Status.NOT_OFFERED)

MISSING_PATH = "missing required path"
UNMERGED_LEAVES = "non-blank intermediate node must list leaf node"
PANIC = "External and NewMember proposal senders are not supported"
NO_OVERLAP = "No overlap between provided private keys and update path"

OPERATIONS = (
    Operation("create a group", YES, YES),
    Operation("create a group with extensions", NO, YES),
    Operation("list extension types in the leaf's capabilities", NO, YES),
    Operation("join by Welcome, tree inside", YES, YES),
    Operation("join by Welcome, tree apart", YES, YES),
    Operation(
        "join where ancestors differ in unmerged leaves",
        YES,
        Offer(
            Status.WRONG,
            "wants the unmerged_leaves of all non-blank ancestors to be equal (7.9.2)",
            UNMERGED_LEAVES,
        ),
    ),
    Operation("external join, tree inside", NO, YES),
    Operation("external join, tree apart", NO, YES),
    Operation("external join, resync", NO, YES),
    Operation("external join with a PSK", NO, NO),
    Operation("propose the own Add from outside", NO, YES),
    Operation("commit Adds", Offer(Status.SUPPORTED, "without path"), YES),
    Operation(
        "commit Removes", Offer(Status.MADE_UP, "leaf looked up by identity"), YES
    ),
    Operation("commit an Add and a Remove", NO, YES),
    Operation("commit nothing but a path", YES, YES),
    Operation("commit an external PSK", NO, YES),
    Operation("commit a resumption PSK", NO, YES),
    Operation(
        "commit GroupContextExtensions",
        NO,
        Offer(Status.WRONG, "commits without path (12.4)", MISSING_PATH),
    ),
    Operation("commit ReInit", NO, YES),
    Operation("commit cached proposals", YES, YES),
    Operation("propose Add", YES, YES),
    Operation(
        "propose Remove", Offer(Status.MADE_UP, "leaf looked up by identity"), YES
    ),
    Operation(
        "propose Update", NO, Offer(Status.MADE_UP, "leaf signed, key put in by hand")
    ),
    Operation("propose an external PSK", NO, YES),
    Operation("propose GroupContextExtensions", NO, YES),
    Operation("propose ReInit", NO, YES),
    Operation(
        "send handshakes as PublicMessage", Offer(Status.SUPPORTED, "default"), YES
    ),
    Operation(
        "send handshakes as PrivateMessage", NO, Offer(Status.SUPPORTED, "default")
    ),
    Operation("receive handshakes as PublicMessage", YES, YES),
    Operation("receive handshakes as PrivateMessage", YES, YES),
    Operation("send authenticated data with a handshake", NO, YES),
    Operation("send authenticated data with a message", NO, YES),
    Operation("tell the authenticated data of a message", NO, YES),
    Operation("process an external commit", YES, YES),
    Operation(
        "process an external proposal",
        Offer(Status.WRONG, "panics; the group is dead from then on", PANIC),
        YES,
    ),
    Operation("process ReInit", YES, YES),
    Operation("be removed", YES, YES),
    Operation(
        "be removed where the leaf is taken again at once",
        YES,
        Offer(Status.WRONG, "does not notice that it was removed", NO_OVERLAP),
    ),
    Operation("read messages out of order", YES, YES),
    Operation("read a message of an earlier epoch", YES, YES),
    Operation("drop an own commit for another's", YES, YES),
    Operation("clear a pending commit", NO, YES),
    Operation("exporter", YES, YES),
    Operation("epoch", NO, YES),
    Operation("epoch authenticator", NO, YES),
    Operation("member list", Offer(Status.MADE_UP, "read from the tree"), YES),
    Operation("ratchet tree", YES, YES),
    Operation("GroupInfo", NO, YES),
    Operation("store and load", YES, YES),
    Operation("branch", NO, YES),
    Operation("go on after ReInit", NO, YES),
)

FAULTS = (
    Fault(
        "ts-mls-extensions-without-path",
        TS_MLS,
        "12.4",
        "a commit of GroupContextExtensions alone has no path, and none is asked for",
    ),
    Fault(
        "ts-mls-extensions-with-path",
        TS_MLS,
        "12.4.2",
        "with GroupContextExtensions a path is encrypted under the old extensions;"
        " nobody can open it",
    ),
    Fault(
        "ts-mls-extensions-not-cleared",
        TS_MLS,
        "12.1.7",
        "an empty list of GroupContextExtensions leaves the old ones in place",
    ),
    Fault(
        "ts-mls-extensions-unsupported",
        TS_MLS,
        "12.1.7",
        "GroupContextExtensions are taken although a member does not support them",
    ),
    Fault(
        "ts-mls-key-reuse",
        TS_MLS,
        "9.1",
        "a private commit uses up no generation until it is applied: after a cleared"
        " one the next handshake has the same key",
    ),
    Fault(
        "ts-mls-own-update",
        TS_MLS,
        "12.2",
        "commits every cached proposal unsorted: having proposed an Update, or seen its"
        " own Remove, a member cannot commit",
    ),
    Fault(
        "ts-mls-empty-left-half",
        TS_MLS,
        "4.1.2",
        "where the left half of the tree is empty, the commit secret is derived as if"
        " the root were on the filtered direct path",
    ),
    Fault(
        "ts-mls-lost-sender",
        TS_MLS,
        "12.1.2",
        "a state that is loaded has forgotten that leaf 0 is the sender of an Update;"
        " the commit of it is refused, and with a second Update the process ends",
    ),
    Fault(
        "ts-mls-external-pub",
        TS_MLS,
        "12.4.3.2",
        "the external_pub extension of its GroupInfos is the bare key, without the"
        " length that an ExternalPub begins with; nor does it read a right one",
    ),
    Fault(
        "ts-mls-trailing-bytes", TS_MLS, "6", "bytes after an MLSMessage are ignored"
    ),
    Fault(
        "mls-rs-trailing-bytes", MLS_RS, "6", "bytes after an MLSMessage are ignored"
    ),
    Fault(
        "mls-rs-late-message",
        MLS_RS,
        "15.3",
        "a message of an earlier epoch cannot be read if its sender is no longer a"
        " member: it is looked up in the tree of today",
    ),
    Fault(
        "mls-rs-dead-group",
        MLS_RS,
        "12.1.8",
        "after an external proposal every call on the group panics",
    ),
)


def table() -> str:
    """The operations and faults, for people."""
    rows = [("operation", MLS_RS, TS_MLS)]
    rows += [(row.name, _cell(row.mls_rs), _cell(row.ts_mls)) for row in OPERATIONS]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    lines = [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c}" for a, b, c in rows]
    faults = [f"{fault.engine} ({fault.section}): {fault.observed}" for fault in FAULTS]
    return "\n".join([*lines, "", *faults])


def _cell(offer: Offer) -> str:
    observed = f" ({offer.observed})" if offer.observed else ""
    return offer.status.value + observed
