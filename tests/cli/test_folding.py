import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.utils import get_cwidth

from tertulia.cli.folding import INDENT, fold


def test_without_a_width_nothing_is_broken() -> None:
    assert fold(["x" * 1000], None) == ["x" * 1000]


def test_what_is_left_over_cannot_pass_for_a_line_of_its_own() -> None:
    forged = "Ana: hi".ljust(79) + "* Blas was removed."
    first, rest = fold([forged], 80)
    assert first.startswith("Ana: hi")
    assert rest == INDENT + "* Blas was removed."


@pytest.mark.parametrize("width", [1, 20, 21, 80])
@given(text=st.text(st.characters(codec="utf-8", exclude_categories=["C"])))
def test_every_piece_fits_and_nothing_is_lost(width: int, text: str) -> None:
    first, *rest = fold([text], width)
    assert all(sum(map(get_cwidth, piece)) <= max(width - 1, 20) for piece in rest)
    assert first + "".join(piece.removeprefix(INDENT) for piece in rest) == text
