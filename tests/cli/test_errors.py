import inspect

import pytest

from tertulia.cli import errors
from tertulia.cli.words import describe
from tertulia.errors import TertuliaError

EXAMPLES: list[TertuliaError] = [
    errors.MissingOptionError("--name"),
    errors.NoRoomError(),
    errors.NoProfileError("/profile"),
    errors.BadValueError("soon", "a time"),
    errors.NothingNamedError("Cellar"),
    errors.AmbiguousNameError("A", ("Ana", "Anna")),
    errors.UnknownSlashCommandError("nope"),
    errors.MissingArgumentError("/room ROOM"),
    errors.NoAnswerError(30),
    errors.StillQueuedError(30),
    errors.MessageFailedError("room_full"),
    errors.RelayNotStartedError("folder", ("It", "did", "not."), 74),
    errors.RelayEndedError(1, "/data/relay.log"),
    errors.UnexpectedAnswerError(7),
]


def test_there_is_an_example_of_each() -> None:
    classes = {
        kind
        for _name, kind in inspect.getmembers(errors, inspect.isclass)
        if kind.__module__ == errors.__name__ and issubclass(kind, TertuliaError)
    }
    assert {type(example) for example in EXAMPLES} == classes
    assert len({kind.code for kind in classes}) == len(classes)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: error.code)
def test_each_has_a_sentence_for_logs_and_words_for_people(
    error: TertuliaError,
) -> None:
    assert str(error)
    assert "{" not in str(error)
    words = describe(error)
    assert words.happened
    assert words.safe
    assert words.next
    assert "{" not in str(words)


def test_the_relays_own_words_and_exit_code_are_passed_on() -> None:
    words = describe(errors.RelayNotStartedError("x", ("It", "did", "not."), 74))
    assert str(words) == "It\ndid\nnot."
    assert words.exit_code == 74
