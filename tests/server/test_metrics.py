import re

from tertulia.relay import Counts, Usage
from tertulia.server.metrics import Metrics, exposition, resident_memory


def test_every_number_has_its_name_and_type() -> None:
    metrics = Metrics(frames_out=7)
    text = exposition(metrics, Counts(1, 2, 3, 4, 5), Usage(*range(7)))
    assert "tertulia_frames_out_total 7\n" in text
    assert "tertulia_connections 1\n" in text
    assert "tertulia_stored_rooms 2\n" in text
    for line in text.splitlines():
        assert re.fullmatch(r"# (HELP|TYPE) \w+ .+|\w+ [0-9.e+-]+", line)


def test_memory_in_use_is_known() -> None:
    assert resident_memory() > 1_000_000
