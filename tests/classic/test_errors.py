import pytest

from tertulia.classic.errors import (
    CannotListenError,
    PortInUseError,
    ServerGoneError,
    UnreachableError,
)
from tertulia.errors import OfflineError, TertuliaError, UsageError


@pytest.mark.parametrize(
    ("error", "family", "code", "sentence"),
    [
        (PortInUseError("::", 1), UsageError, "port-in-use", "port 1 on :: is in use"),
        (
            CannotListenError("h", 80, "forbidden"),
            UsageError,
            "cannot-listen",
            "cannot listen on h port 80: forbidden",
        ),
        (
            UnreachableError("h", 9, "no-answer"),
            OfflineError,
            "unreachable",
            "cannot reach h port 9: no-answer",
        ),
        (
            ServerGoneError("h", 9),
            OfflineError,
            "server-gone",
            "the server at h port 9 is gone",
        ),
    ],
)
def test_each_error_has_a_family_a_code_and_a_sentence(
    error: TertuliaError, family: type[TertuliaError], code: str, sentence: str
) -> None:
    assert isinstance(error, family)
    assert error.code == code
    assert str(error) == sentence


def test_facts_are_attributes() -> None:
    error = UnreachableError("example", 8000, "refused")
    assert (error.host, error.port, error.reason) == ("example", 8000, "refused")
