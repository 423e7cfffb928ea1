import pytest

from tertulia.cli.admin import readable_size, table
from tertulia.cli.main import main


def test_rows_are_shown_in_columns_as_people_read_them() -> None:
    assert table([]) == []
    lines = table(
        [
            {"room": "ab", "bytes": 2048, "created": 0, "owner": True},
            {"room": "abcdef", "bytes": 1, "created": None, "owner": False},
        ]
    )
    assert lines == [
        "room    bytes    created           owner",
        "ab      2.0 KiB  1970-01-01 00:00  yes",
        "abcdef  1 B      -                 no",
    ]


@pytest.mark.parametrize(
    ("size", "words"), [(0, "0 B"), (1023, "1023 B"), (64 * 1024**3, "64.0 GiB")]
)
def test_sizes_are_readable(size: int, words: str) -> None:
    assert readable_size(size) == words


def test_a_wrong_time_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["admin", "invite", "--for", "soon"]) == 2
    assert "--for" in capsys.readouterr().err


def test_admin_alone_shows_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["admin"]) == 2
    assert "backup" in capsys.readouterr().out
