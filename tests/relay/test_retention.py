"""What is no longer kept."""

from msgspec.structs import replace

from tertulia.relay import (
    Blob,
    Progress,
    RetentionRules,
    entry_age,
    first_needed,
    is_past,
)

RULES = RetentionRules(
    now=1_000_000, entry_age=50, handshake_idle=100, upload_age=10, blob_age=20
)


def test_the_shorter_age_counts() -> None:
    assert entry_age(RULES, None) == 50
    assert entry_age(RULES, 40) == 40
    assert entry_age(RULES, 60) == 50
    assert entry_age(replace(RULES, entry_age=None), None) is None


def test_handshakes_after_the_slowest_device_are_needed() -> None:
    heard = RULES.now
    behind, current = Progress(None, 3, heard), Progress(None, 9, heard)
    silent, asleep = Progress(None, 1, heard - 101), Progress(None, 1, heard - 100)
    leaving, gone = Progress(5, 2, heard), Progress(5, 5, heard)
    assert first_needed(RULES, 9, []) == 9
    assert first_needed(RULES, 9, [current]) == 9
    assert first_needed(RULES, 9, [behind, current]) == 4
    assert first_needed(RULES, 9, [behind, silent]) == 4
    assert first_needed(RULES, 9, [behind, asleep]) == 2
    assert first_needed(RULES, 9, [behind, leaving]) == 3
    assert first_needed(RULES, 9, [behind, gone]) == 4


def test_blobs_go_when_old_unfinished_or_replaced() -> None:
    blob = Blob(bytes(16), bytes(16), bytes(32), 1, bytes(32), RULES.now - 15)
    whole = replace(blob, is_complete=True)
    assert is_past(blob, None, RULES)
    assert not is_past(whole, None, RULES)
    assert is_past(replace(whole, created=RULES.now - 21), None, RULES)
    assert not is_past(whole, RULES.now - 600_000, RULES)
    assert is_past(whole, RULES.now - 600_001, RULES)
