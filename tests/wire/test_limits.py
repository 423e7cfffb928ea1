"""The table of limits."""

from tertulia.wire import limits


def test_every_limit_has_a_name_a_unit_and_a_reason() -> None:
    names = [row.name for row in limits.TABLE]
    assert len(names) == len(set(names)) > 30
    for row in limits.TABLE:
        assert row.value > 0
        assert row.unit
        assert row.reason
    for rate in limits.RATES:
        assert rate.burst > 0
        assert rate.per_minute > 0
        assert rate.reason
