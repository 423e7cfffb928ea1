import pytest

from tertulia.client import EvidenceRow, PutEvidence
from tertulia.vault import Vault, evidence
from tests.vault.samples import OTHER, ROOM


def test_proofs_come_back_in_order_of_arrival(vault: Vault) -> None:
    rows = [
        EvidenceRow(ROOM, 20, "void", b"1"),
        EvidenceRow(OTHER, 10, "fork", b"2"),
        EvidenceRow(ROOM, 20, "void", b"1"),
    ]
    vault.save([PutEvidence(row) for row in rows])
    assert vault.evidence() == rows


def test_a_flood_pushes_no_proof_out(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "KEPT_PROOFS", 2)
    flood = [EvidenceRow(ROOM, time, "void", b"") for time in range(5)]
    others = [EvidenceRow(ROOM, 9, "fork", b""), EvidenceRow(OTHER, 9, "void", b"")]
    vault.save([PutEvidence(row) for row in flood + others])
    assert vault.evidence() == flood[:2] + others
