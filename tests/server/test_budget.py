from tertulia.server.budget import LEAST, Budget

MIB = 1024 * 1024


def test_few_slow_readers_get_what_one_may_have() -> None:
    budget = Budget(4 * MIB, 64 * MIB)
    for _ in range(16):
        budget.enter()
        assert budget.share == 4 * MIB


def test_many_share_the_budget() -> None:
    budget = Budget(4 * MIB, 64 * MIB)
    for slow in range(1, 1_001):
        budget.enter()
        assert slow * budget.share <= 64 * MIB
    for _ in range(990):
        budget.leave()
    assert budget.share == 4 * MIB


def test_nobody_gets_less_than_the_system_holds_anyway() -> None:
    budget = Budget(4 * MIB, 64 * MIB)
    for _ in range(10_000):
        budget.enter()
    assert budget.share == LEAST
    assert Budget(1_000, 0).share == 1_000
