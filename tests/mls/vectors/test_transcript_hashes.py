"""RFC 9420 vectors: transcript hashes and the confirmation tag."""

from tertulia.codec import Reader, uint16
from tertulia.mls.errors import InvalidError
from tertulia.mls.framing import (
    AuthenticatedContent,
    FramedContent,
    FramedContentAuthData,
    WireFormat,
)
from tertulia.mls.transcript import (
    check_confirmation_tag,
    confirmation_tag,
    confirmed_transcript_hash,
    interim_transcript_hash,
)
from tests.mls.vectors.cases import Case, every_case, octets, secret
from tests.mls.vectors.tally import Tally

pytestmark = every_case("transcript-hashes")


def _decode(data: bytes) -> AuthenticatedContent:
    source = Reader(data)
    wire_format = WireFormat(uint16.read(source))
    content = FramedContent.read(source)
    auth = FramedContentAuthData.read(source, content.content_type)
    source.finish()
    return AuthenticatedContent(wire_format, content, auth)


def _tag(commit: AuthenticatedContent) -> bytes:
    tag = commit.auth.confirmation_tag
    assert tag is not None
    return tag


def test_a_commit_is_hashed(case: Case, tally: Tally) -> None:
    vector = case.vector
    encoded = octets(vector, "authenticated_content")
    commit = _decode(encoded)
    tally.equal(commit.encode(), encoded)
    confirmed = confirmed_transcript_hash(
        case.suite, octets(vector, "interim_transcript_hash_before"), commit
    )
    tally.equal(confirmed, octets(vector, "confirmed_transcript_hash_after"))
    interim = interim_transcript_hash(case.suite, confirmed, _tag(commit))
    tally.equal(interim, octets(vector, "interim_transcript_hash_after"))


def test_the_tag_is_over_the_new_hash(case: Case, tally: Tally) -> None:
    key = secret(case.vector, "confirmation_key")
    confirmed = octets(case.vector, "confirmed_transcript_hash_after")
    tag = _tag(_decode(octets(case.vector, "authenticated_content")))
    tally.equal(confirmation_tag(case.suite, key, confirmed), tag)
    with tally.accepts():
        check_confirmation_tag(case.suite, key, confirmed, tag)
    before = octets(case.vector, "interim_transcript_hash_before")
    with tally.refuses(InvalidError):
        check_confirmation_tag(case.suite, key, before, tag)
