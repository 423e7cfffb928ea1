from tertulia.server.clock import system_clock


def test_the_clock_counts_milliseconds_of_our_time() -> None:
    first = system_clock()
    assert 1_700_000_000_000 < first <= system_clock() < 10_000_000_000_000
