"""Every negative vector is refused by its rule, and its valid twin is not."""

import pytest

from tertulia.errors import TertuliaError
from tertulia.mls import Rule
from tests.mls.negative.receivers import Vector, group_after, vectors, verdict

VECTORS = list(vectors())
OTHER_VERDICTS = {"out-of-step", "unknown-psk"}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda case: f"{case.file}/{case.name}")
def test_is_refused_by_its_rule_and_leaves_the_receiver_able(vector: Vector) -> None:
    receiver = vector.start()
    with pytest.raises(TertuliaError) as refusal:
        receiver.receive("invalid")
    assert verdict(refusal.value) == vector.case["expected"], str(refusal.value)
    # The same receiver, and one that never saw the invalid bytes, go on alike.
    after = group_after(receiver.receive("valid"))
    untouched = group_after(vector.outcome_of("valid"))
    if after is None or untouched is None:
        assert after is untouched
    else:
        assert after.context == untouched.context
        assert after.epoch_authenticator == untouched.epoch_authenticator


def test_names_are_unique_in_their_file() -> None:
    names = [(vector.file, vector.name) for vector in VECTORS]
    assert len(names) == len(set(names))


def test_what_is_expected_is_a_rule_or_one_of_the_other_verdicts() -> None:
    known = {rule.rule_id for rule in Rule} | OTHER_VERDICTS
    assert {vector.case["expected"] for vector in VECTORS} <= known
