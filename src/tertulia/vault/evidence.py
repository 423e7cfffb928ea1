"""Proofs against relays and members, in SQL."""

from typing import Final

import apsw

from tertulia.client import EvidenceRow

# Who breaks a rule once may do so all day. The first proofs stay: one is enough, and a
# flood of later ones cannot push them out.
KEPT_PROOFS: Final = 100


def put_evidence(database: apsw.Connection, row: EvidenceRow) -> None:
    """Keep a proof, unless there are enough of this room and code."""
    database.execute(
        "INSERT INTO evidence (room, time, code, data) SELECT ?1, ?2, ?3, ?4"
        " WHERE (SELECT count(*) FROM evidence WHERE room = ?1 AND code = ?3) < ?5",
        (row.room, row.time, row.code, row.data, KEPT_PROOFS),
    )


def evidence(database: apsw.Connection) -> list[EvidenceRow]:
    """Return all proofs, in order of arrival."""
    found = database.execute(
        "SELECT room, time, code, data FROM evidence ORDER BY number"
    )
    return [EvidenceRow(*row) for row in found]
