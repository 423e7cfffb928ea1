from hashlib import sha256

import pytest

from tertulia.codec import encode_opaque
from tertulia.crypto import Secret
from tertulia.mls import PUBLIC, CommitPlan, PublicMessage, Rule
from tertulia.mls.framing import AuthenticatedContent, WireFormat
from tertulia.mls.transcript import (
    check_confirmation_tag,
    confirmation_tag,
    confirmed_transcript_hash,
    interim_transcript_hash,
)
from tests.mls.world import SUITE, group_of, make, refused

KEY = Secret(b"confirmation key".ljust(32))


def test_the_confirmed_hash_covers_the_commit_and_its_signature() -> None:
    group = group_of("Ana", "Luis")[0]
    made = make(group, CommitPlan(framing=PUBLIC))
    message = made.message
    assert isinstance(message, PublicMessage)
    content = AuthenticatedContent(
        WireFormat.PUBLIC_MESSAGE, message.content, message.auth
    )
    interim = group.epoch.interim_transcript_hash
    expected = sha256(
        interim
        + b"\0\1"
        + message.content.encode()
        + encode_opaque(message.auth.signature)
    ).digest()
    assert confirmed_transcript_hash(SUITE, interim, content) == expected
    assert made.after.context.confirmed_transcript_hash == expected


def test_the_interim_hash_adds_the_tag() -> None:
    expected = sha256(b"confirmed\3tag").digest()
    assert interim_transcript_hash(SUITE, b"confirmed", b"tag") == expected


def test_the_tag_is_by_the_new_epochs_key_over_the_confirmed_hash() -> None:
    tag = confirmation_tag(SUITE, KEY, b"confirmed")
    assert tag == SUITE.mac(KEY, b"confirmed")
    check_confirmation_tag(SUITE, KEY, b"confirmed", tag)


@pytest.mark.parametrize(
    ("key", "confirmed", "tag"),
    [
        (Secret(bytes(32)), b"confirmed", confirmation_tag(SUITE, KEY, b"confirmed")),
        (KEY, b"other", confirmation_tag(SUITE, KEY, b"confirmed")),
        (KEY, b"confirmed", b""),
        (KEY, b"confirmed", confirmation_tag(SUITE, KEY, b"confirmed")[:16]),
    ],
)
def test_any_other_tag_is_refused(key: Secret, confirmed: bytes, tag: bytes) -> None:
    with refused(Rule.CONFIRMATION_TAG):
        check_confirmation_tag(SUITE, key, confirmed, tag)
