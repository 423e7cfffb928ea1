import pytest

from tertulia.codec import CodecError
from tertulia.mls import (
    PUBLIC,
    ByReference,
    ByValue,
    Commit,
    CommitPlan,
    PublicMessage,
    Remove,
)
from tertulia.mls.framing import CommitContent
from tests.mls.world import group_of, make


def test_a_commit_names_proposals_by_value_and_by_reference() -> None:
    commit = Commit((ByValue(Remove(5)), ByReference(b"ref")), None)
    assert commit.encode() == (b"\x0c\1\0\3\0\0\0\5\2\3ref\0")
    assert Commit.decode(commit.encode()) == commit


def test_a_commit_with_a_path_is_read_as_it_was_written() -> None:
    message = make(
        group_of("Ana", "Luis", "Eva")[0], CommitPlan(framing=PUBLIC)
    ).message
    assert isinstance(message, PublicMessage)
    assert isinstance(message.content.content, CommitContent)
    commit = message.content.content.commit
    assert commit.path is not None
    assert [len(node.encrypted_path_secret) for node in commit.path.nodes] == [1, 1]
    assert Commit.decode(commit.encode()) == commit


@pytest.mark.parametrize(
    "data", [b"\0", b"\0\2", b"\2\3\0\0", b"\4\2\3re\0", b"\0\0\0"]
)
def test_a_malformed_commit_is_refused(data: bytes) -> None:
    with pytest.raises(CodecError):
        Commit.decode(data)
