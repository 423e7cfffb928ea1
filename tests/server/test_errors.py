import pytest

from tertulia.errors import TertuliaError
from tertulia.server import errors


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (errors.CannotListenError("h", 1, "taken"), "cannot listen on h port 1: taken"),
        (errors.FolderError("p", "why"), "p: why"),
        (errors.BadCertificateError("c", "k", "why"), "c with k: why"),
        (errors.NotRunningError("p"), "no relay is running on p"),
        (errors.NoRelayError("p"), "there is no relay in p"),
        (errors.CommandRefusedError("why"), "why"),
    ],
)
def test_errors_speak_in_sentences(error: TertuliaError, sentence: str) -> None:
    assert str(error) == sentence


def test_key_errors_say_what_to_do() -> None:
    assert "chmod 600" in str(errors.ExposedKeyError("p"))
    assert "backup" in str(errors.MissingIdentityError("p"))
