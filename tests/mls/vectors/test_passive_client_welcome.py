"""RFC 9420 vectors: joining by Welcome, with and without tree and pre-shared keys."""

from tests.mls.vectors.cases import Case, every_case
from tests.mls.vectors.passive_client import check_private_keys, follow
from tests.mls.vectors.tally import Tally

pytestmark = every_case("passive-client-welcome")


def test_private_keys_fit_the_key_package(case: Case, tally: Tally) -> None:
    check_private_keys(case, tally)


def test_the_client_agrees_with_the_group_in_every_epoch(
    case: Case, tally: Tally
) -> None:
    follow(case, tally)
