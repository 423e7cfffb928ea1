"""RFC 9420 vectors: every struct reads and writes the same bytes.

Signatures, tags and keys are of no meaning here.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from tertulia.codec import CodecError, Struct
from tertulia.mls.commit import Commit
from tertulia.mls.message import decode_message, encode_message
from tertulia.mls.proposal import (
    PROPOSAL,
    Add,
    ExternalInit,
    GroupContextExtensions,
    PreSharedKey,
    ReInit,
    Remove,
    Update,
)
from tertulia.mls.ratchet_tree import decode_tree
from tertulia.mls.unverified import Unverified
from tertulia.mls.welcome import GroupSecrets
from tests.mls.vectors.cases import Case, every_case, octets
from tests.mls.vectors.tally import Tally

pytestmark = every_case("messages")


def _message(data: bytes) -> bytes:
    message = decode_message(data)
    if isinstance(message, Unverified):
        return encode_message(message.take_for_checking())
    return encode_message(message)


def _tree(data: bytes) -> bytes:
    return decode_tree(data).encode()


def _struct(kind: type[Struct]) -> Callable[[bytes], bytes]:
    return lambda data: kind.decode(data).encode()


PROPOSALS: Mapping[str, tuple[int, type[Struct]]] = MappingProxyType(
    {
        "add_proposal": (1, Add),
        "update_proposal": (2, Update),
        "remove_proposal": (3, Remove),
        "pre_shared_key_proposal": (4, PreSharedKey),
        "re_init_proposal": (5, ReInit),
        "external_init_proposal": (6, ExternalInit),
        "group_context_extensions_proposal": (7, GroupContextExtensions),
    }
)

# How each field of a case is read and written again.
COPY: Mapping[str, Callable[[bytes], bytes]] = MappingProxyType(
    {
        "mls_welcome": _message,
        "mls_group_info": _message,
        "mls_key_package": _message,
        "ratchet_tree": _tree,
        "group_secrets": _struct(GroupSecrets),
        "commit": _struct(Commit),
        "public_message_application": _message,
        "public_message_proposal": _message,
        "public_message_commit": _message,
        "private_message": _message,
        **{name: _struct(kind) for name, (_, kind) in PROPOSALS.items()},
    }
)


def test_every_field_is_known(case: Case, tally: Tally) -> None:
    tally.equal(set(case.vector), set(COPY))


def test_reading_and_writing_gives_the_same_bytes(case: Case, tally: Tally) -> None:
    for name, copy in COPY.items():
        data = octets(case.vector, name)
        tally.equal(copy(data), data)


def test_proposals_are_told_apart_by_their_type(case: Case, tally: Tally) -> None:
    for name, (number, kind) in PROPOSALS.items():
        data = octets(case.vector, name)
        tagged = number.to_bytes(2) + data
        proposal = PROPOSAL.decode(tagged)
        tally.equal(proposal, kind.decode(data))
        tally.equal(PROPOSAL.encode(proposal), tagged)


def test_a_byte_less_or_more_is_refused(case: Case, tally: Tally) -> None:
    for name, copy in COPY.items():
        data = octets(case.vector, name)
        for wrong in (data[:-1], data + b"\0"):
            with tally.refuses(CodecError):
                copy(wrong)
