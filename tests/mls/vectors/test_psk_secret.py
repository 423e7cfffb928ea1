"""RFC 9420 vectors: chaining of pre-shared keys."""

import pytest

from tertulia.mls.errors import UnknownPskError
from tertulia.mls.psk import ExternalPSK, PreSharedKeyID, derive_psk_secret
from tests.mls.vectors.cases import Case, every_case, octets, secret
from tests.mls.vectors.tally import Tally

pytestmark = every_case("psk_secret")


@pytest.fixture
def psk_ids(case: Case) -> list[PreSharedKeyID]:
    return [
        PreSharedKeyID(ExternalPSK(octets(psk, "psk_id")), octets(psk, "psk_nonce"))
        for psk in case.vector["psks"]
    ]


def test_psk_secret(case: Case, psk_ids: list[PreSharedKeyID], tally: Tally) -> None:
    psks = {
        psk_id.psk: secret(psk, "psk")
        for psk_id, psk in zip(psk_ids, case.vector["psks"], strict=True)
    }
    ours = derive_psk_secret(case.suite, psk_ids, psks)
    tally.equal(ours, secret(case.vector, "psk_secret"))


def test_a_missing_psk_is_asked_for(
    case: Case, psk_ids: list[PreSharedKeyID], tally: Tally
) -> None:
    psks = {
        psk_id.psk: secret(psk, "psk")
        for psk_id, psk in zip(psk_ids, case.vector["psks"], strict=True)
    }
    for missing in psk_ids:
        rest = {psk: value for psk, value in psks.items() if psk != missing.psk}
        with tally.refuses(UnknownPskError):
            derive_psk_secret(case.suite, psk_ids, rest)
