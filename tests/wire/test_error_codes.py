"""The table of codes."""

from tertulia.wire import ERRORS, ErrorCode, frames


def test_every_code_is_explained_with_facts_that_exist() -> None:
    assert set(ERRORS) == set(ErrorCode)
    for row in ERRORS.values():
        assert row.meaning
        assert row.reaction
        assert set(row.facts) <= set(frames.Facts.__struct_fields__)


def test_an_unknown_code_is_read_as_such() -> None:
    assert ErrorCode("tomorrow") is ErrorCode.UNKNOWN
