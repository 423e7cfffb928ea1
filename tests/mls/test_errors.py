from tertulia.errors import PeerError, UsageError, VaultError
from tertulia.mls.errors import (
    InvalidError,
    MisuseError,
    OutOfStepError,
    StateError,
    UnknownPskError,
)
from tertulia.mls.rules import Rule


def test_an_invalid_input_names_its_rule_and_what_is_wrong() -> None:
    error = InvalidError(Rule.REMOVE_LEAF, "leaf 5 is blank")
    assert isinstance(error, PeerError)
    assert (error.rule, error.detail) == (Rule.REMOVE_LEAF, "leaf 5 is blank")
    assert str(error) == "remove-leaf: leaf 5 is blank"


def test_without_detail_the_rule_speaks_for_itself() -> None:
    error = InvalidError(Rule.PADDING)
    assert str(error) == "padding: not true that padding is zero bytes only"


def test_being_out_of_step_is_not_an_invalid_input() -> None:
    error = OutOfStepError(7, "the key derived is not the published one")
    assert isinstance(error, PeerError)
    assert not isinstance(error, InvalidError)
    assert error.node == 7
    assert str(error) == (
        "my secret of the path at node 7: the key derived is not the published one"
    )


def test_a_missing_key_is_for_the_caller_to_give() -> None:
    error = UnknownPskError(b"name")
    assert isinstance(error, UsageError)
    assert error.psk_id == b"name"
    assert str(error) == "no pre-shared key b'name' was given"


def test_misuse_is_the_callers() -> None:
    error = MisuseError("only members send PrivateMessages")
    assert isinstance(error, UsageError)
    assert str(error) == error.detail == "only members send PrivateMessages"


def test_a_damaged_state_is_a_matter_of_the_store() -> None:
    error = StateError("3 bytes too many")
    assert isinstance(error, VaultError)
    assert error.detail == "3 bytes too many"
    assert str(error) == "the saved group cannot be read: 3 bytes too many"


def test_programs_tell_them_apart_by_code() -> None:
    kinds = (InvalidError, OutOfStepError, UnknownPskError, MisuseError, StateError)
    assert [kind.code for kind in kinds] == [
        "mls-invalid",
        "mls-out-of-step",
        "mls-unknown-psk",
        "mls-misuse",
        "mls-state",
    ]
