"""Keys are UUIDs of version 7 and rise with time."""

from random import Random
from uuid import RFC_4122, UUID

import pytest

from tertulia.wire import new_message_key


@pytest.mark.parametrize("random", [bytes, lambda size: b"\xff" * size])
def test_a_key_is_a_uuid_of_version_7(random: object) -> None:
    key = UUID(bytes=new_message_key(1_645_557_742_000, random))  # type: ignore[arg-type]
    assert (key.version, key.variant) == (7, RFC_4122)
    assert key.int >> 80 == 1_645_557_742_000  # the example of RFC 9562, appendix A.6


def test_keys_rise_with_time_and_differ_within_it() -> None:
    rng = Random(1).randbytes
    keys = [new_message_key(now, rng) for now in range(1_000)]
    assert keys == sorted(keys)
    assert len({new_message_key(7, rng) for _ in range(1_000)}) == 1_000


def test_a_clock_that_is_beyond_all_reason_is_no_error() -> None:
    assert len(new_message_key(1 << 60, bytes)) == 16
