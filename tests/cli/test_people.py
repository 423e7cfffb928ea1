import pytest

from tertulia.cli.people import member_row
from tertulia.client import MemberView
from tests.cli.fake_agent import ANA, BLAS


@pytest.mark.parametrize(
    ("member", "row"),
    [
        (MemberView(ANA, 1, True, True, ""), "Ana, you, owner"),  # noqa: FBT003
        (MemberView(BLAS, 2, False, True, "ab12"), "Blas #ab12, admin, 2 devices"),  # noqa: FBT003
        (MemberView(BLAS, 1, False, False, ""), "Blas"),  # noqa: FBT003
    ],
)
def test_a_member_in_a_list(member: MemberView, row: str) -> None:
    assert member_row(member) == row
