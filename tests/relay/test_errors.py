"""What an engine reports."""

from tertulia.relay import StorageError


def test_a_storage_error_tells_why() -> None:
    error = StorageError("no space left", is_full=True)
    assert str(error) == "the store failed: no space left"
    assert error.is_full
