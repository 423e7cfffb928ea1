"""Cases about PrivateMessages: encryption, sender data, padding, generations."""

from collections.abc import Iterator
from dataclasses import replace

from tertulia.mls import CommitPlan, MemberSender, Remove, Rule
from tertulia.mls.framing import (
    ApplicationContent,
    AuthenticatedContent,
    Content,
    FramedContent,
    ProposalContent,
    WireFormat,
    sign,
)
from tertulia.mls.limits import MAX_SKIPPED_GENERATIONS
from tertulia.mls.sending import PRIVATE, PUBLIC, sign_content
from tools.mls_negative.cases import ENCODING, Case
from tools.mls_negative.changes import always, flip
from tools.mls_negative.rooms import Room, new_room
from tools.mls_negative.sealing import SealFlaw, seal

ABOUT = "PrivateMessages: sender data, content, padding, generations"


def cases() -> Iterator[Case]:
    """Yield all cases of this file."""
    for suite in (1, 2, 7):
        yield from _ciphertexts(suite)
    yield from _plaintexts()
    yield from _senders()
    yield from _generations()


def _hello(room: Room) -> AuthenticatedContent:
    return sign_content(room.groups["Ana"], ApplicationContent(b"hello"), PRIVATE)


def _case(
    room: Room, name: str, expected: Rule | str, invalid: bytes, valid: bytes
) -> Case:
    return Case(name, expected, "receive", room.state, invalid, valid)


def _ciphertexts(suite: int) -> Iterator[Case]:
    room = new_room("ciphertexts", suite=suite)
    group, signed = room.groups["Ana"], _hello(room)
    flaws = {
        "ciphertext-altered": SealFlaw(ciphertext=flip),
        "ciphertext-sample-altered": SealFlaw(
            ciphertext=lambda whole: flip(whole[:1]) + whole[1:]
        ),
        "ciphertext-empty": SealFlaw(ciphertext=lambda _: b""),
        "sender-data-altered": SealFlaw(encrypted_sender_data=flip),
        "sender-data-empty": SealFlaw(encrypted_sender_data=lambda _: b""),
        "sender-data-under-a-shorter-sample": SealFlaw(
            sample=lambda sample: sample[:-1]
        ),
        "sender-data-of-another-message": SealFlaw(sample=flip),
        "sender-data-with-other-associated-data": SealFlaw(sender_data_aad=flip),
        "content-with-other-associated-data": SealFlaw(content_aad=flip),
        "reuse-guard-not-applied": SealFlaw(applied_guard=lambda _: bytes(4)),
        "reuse-guard-altered": SealFlaw(applied_guard=flip),
    }
    for name, flaw in flaws.items():
        yield _case(
            room,
            f"{name}-in-suite-{suite}",
            Rule.CIPHERTEXT,
            seal(group, signed, flaw),
            seal(group, signed),
        )


def _plaintexts() -> Iterator[Case]:
    room = new_room("plaintexts")
    group, signed = room.groups["Ana"], _hello(room)
    padded = seal(group, signed, SealFlaw(plaintext=lambda text: text + bytes(50)))
    flaws: dict[str, tuple[Rule | str, SealFlaw]] = {
        "padding-of-one-bit": (
            Rule.PADDING,
            SealFlaw(plaintext=lambda text: text + bytes(49) + b"\1"),
        ),
        "padding-starts-with-a-one": (
            Rule.PADDING,
            SealFlaw(plaintext=lambda text: text + b"\x80" + bytes(49)),
        ),
        "plaintext-cut": (ENCODING, SealFlaw(plaintext=lambda text: text[:-1])),
        "plaintext-empty": (ENCODING, SealFlaw(plaintext=lambda _: b"")),
        "sender-data-too-long": (
            ENCODING,
            SealFlaw(sender_data=lambda data: data + b"\0"),
        ),
        "sender-data-too-short": (
            ENCODING,
            SealFlaw(sender_data=lambda data: data[1:]),
        ),
    }
    for name, (expected, flaw) in flaws.items():
        yield _case(room, name, expected, seal(group, signed, flaw), padded)
    for name, signature in (("altered", flip(signed.auth.signature)), ("empty", b"")):
        forged = replace(signed, auth=replace(signed.auth, signature=signature))
        yield _case(
            room,
            f"private-signature-{name}",
            Rule.SIGNATURE,
            seal(group, forged),
            seal(group, signed),
        )
    other_format = sign_content(group, ApplicationContent(b"hello"), PUBLIC)
    yield _case(
        room,
        "private-signed-as-public",
        Rule.SIGNATURE,
        seal(group, other_format),
        seal(group, signed),
    )
    removal = sign_content(group, ProposalContent(Remove(2)), PRIVATE)
    tagless = sign_content(group, ProposalContent(Remove(2)), PUBLIC)
    yield _case(
        room,
        "private-proposal-signed-as-public",
        Rule.SIGNATURE,
        seal(group, tagless),
        seal(group, removal),
    )


def _senders() -> Iterator[Case]:
    room = new_room("private senders")
    group = room.groups["Ana"]
    signed = _hello(room)
    for name, leaf in (("just-beyond", 4), ("far-beyond", 2**32 - 1)):
        yield _case(
            room,
            f"private-from-{name}-the-tree",
            Rule.SENDER_LEAF,
            seal(group, signed, SealFlaw(leaf_index=always(leaf))),
            seal(group, signed),
        )
    yield _case(
        room,
        "private-under-another-members-name",
        Rule.CIPHERTEXT,
        seal(group, signed, SealFlaw(leaf_index=lambda _: 2)),
        seal(group, signed),
    )
    # Every member can derive the keys of any leaf, blank ones as well.
    nobody = replace(
        group,
        epoch=replace(
            group.epoch,
            private_keys=replace(group.epoch.private_keys, leaf_index=3),
        ),
    )
    yield _case(
        room,
        "private-from-a-blank-leaf",
        Rule.SENDER_LEAF,
        seal(nobody, _signed_as(room, 3, ApplicationContent(b"hello"))),
        seal(group, signed),
    )


def _signed_as(room: Room, leaf_index: int, content: Content) -> AuthenticatedContent:
    group = room.groups["Ana"]
    framed = FramedContent(
        group.context.group_id,
        group.context.epoch,
        MemberSender(leaf_index),
        b"",
        content,
    )
    key = group.epoch.signature_key
    return sign(group.suite, key, WireFormat.PRIVATE_MESSAGE, framed, group.context)


def _generations() -> Iterator[Case]:
    room = new_room("generations")
    group, signed = room.groups["Ana"], _hello(room)
    first, second, third = (seal(group, signed, skip=skip) for skip in range(3))
    furthest = seal(group, signed, skip=MAX_SKIPPED_GENERATIONS)
    yield _case(
        room,
        "generation-too-far-ahead",
        Rule.GENERATION,
        seal(group, signed, skip=MAX_SKIPPED_GENERATIONS + 1),
        furthest,
    )
    room.deliver(first, sender="Ana")
    yield _case(room, "replay", Rule.GENERATION, first, second)
    room.deliver(third, sender="Ana")
    yield _case(room, "replay-after-a-skip", Rule.GENERATION, third, second)
    room.deliver(second, sender="Ana")
    yield _case(
        room,
        "replay-of-a-skipped-one",
        Rule.GENERATION,
        second,
        seal(group, signed, skip=3),
    )
    other = sign_content(group, ApplicationContent(b"another text"), PRIVATE)
    yield _case(
        room,
        "generation-used-for-two-texts",
        Rule.GENERATION,
        seal(group, other),
        seal(group, other, skip=3),
    )
    removal = sign_content(group, ProposalContent(Remove(2)), PRIVATE)
    proposal = seal(group, removal)
    room.deliver(proposal, sender="Ana")
    yield _case(
        room,
        "replay-of-a-proposal",
        Rule.GENERATION,
        proposal,
        seal(group, removal, skip=1),
    )
    replayed = new_room("replays of an earlier epoch")
    early = seal(replayed.groups["Ana"], _hello(replayed))
    replayed.deliver(early, sender="Ana")
    replayed.commit("Ana", CommitPlan())
    yield _case(
        replayed,
        "replay-of-an-earlier-epoch",
        Rule.EPOCH,
        early,
        seal(replayed.groups["Ana"], _hello(replayed)),
    )
