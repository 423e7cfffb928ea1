from tertulia.crypto import system_rng


def test_gives_the_size_asked_for() -> None:
    assert [len(system_rng(size)) for size in (0, 1, 32, 1000)] == [0, 1, 32, 1000]


def test_does_not_repeat_itself() -> None:
    assert len({system_rng(16) for _ in range(100)}) == 100
