from tertulia.mls import Unverified


def test_only_a_check_takes_the_value_out() -> None:
    assert Unverified(b"signed by whom?").take_for_checking() == b"signed by whom?"
    assert not hasattr(Unverified(b""), "value")


def test_equal_values_are_equally_unverified() -> None:
    assert Unverified(1) == Unverified(1)
    assert Unverified(1) != Unverified(2)
    assert Unverified(1) != 1
    assert len({Unverified(1), Unverified(1), Unverified(2)}) == 2


def test_what_is_unverified_shows_its_type_and_nothing_of_its_content() -> None:
    assert repr(Unverified("said by nobody")) == "Unverified(str)"
