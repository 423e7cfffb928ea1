from tertulia.cli.qr import BORDER, qr_rows


def test_two_modules_stand_above_each_other() -> None:
    rows = qr_rows("https://192.0.2.1:8000/i#AA")
    sizes = {len(row) for row in rows}
    assert len(sizes) == 1
    assert len(rows) == (sizes.pop() + 1) // 2


def test_the_border_is_light_and_the_corner_pattern_dark() -> None:
    first, second, *_rest = qr_rows("x")
    assert set(first) == {"█"}
    assert second[:BORDER] == "█" * BORDER
    # The finder: seven dark modules above one dark, five light, one dark.
    assert second[BORDER : BORDER + 7] == " ▄▄▄▄▄ "


def test_a_whole_invite_fits_a_terminal_of_eighty_columns() -> None:
    link = "https://192.168.100.100:8000/i#" + "A" * 320
    assert len(qr_rows(link)[0]) <= 80
