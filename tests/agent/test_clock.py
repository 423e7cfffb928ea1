from datetime import UTC, datetime

from tertulia.agent.clock import system_clock


def test_the_clock_tells_milliseconds_since_1970() -> None:
    before = datetime.now(UTC).timestamp() * 1000
    assert before - 1 <= system_clock() <= datetime.now(UTC).timestamp() * 1000
