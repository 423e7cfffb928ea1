"""Cases about messages: who says what in which group and epoch, and the proof of it."""

from collections.abc import Iterator
from dataclasses import replace

from tertulia.mls import (
    Add,
    BasicCredential,
    CommitPlan,
    ExternalInit,
    ExternalSender,
    ExternalSenderIndex,
    MemberSender,
    NewMemberCommit,
    NewMemberProposal,
    Remove,
    Rule,
    Sender,
    Update,
    encode_message,
    external_senders_extension,
)
from tertulia.mls.framing import ApplicationContent, FramedContent
from tertulia.mls.key_package import new_leaf
from tertulia.mls.leaf_node import UpdateSource
from tertulia.mls.sending import protect
from tools.mls_negative.cases import Case
from tools.mls_negative.changes import flip
from tools.mls_negative.cheating import Cheat, Flaw
from tools.mls_negative.rooms import Room, new_room

ABOUT = "messages: framing, signatures, tags, encryption"


def cases() -> Iterator[Case]:
    """Yield all cases of this file."""
    for suite in (1, 2, 7):
        yield from _proofs(suite)
    yield from _addresses()
    yield from _senders()
    yield from _outsiders()
    yield _version()


def _case(room: Room, name: str, rule: Rule, invalid: bytes, valid: bytes) -> Case:
    return Case(name, rule, "receive", room.state, invalid, valid)


def _proofs(suite: int) -> Iterator[Case]:
    room = new_room("proofs", suite=suite)
    cheat = room.cheat()
    valid = cheat.commit()
    other_key = room.groups["Cora"].epoch.signature_key
    flaws = {
        ("signature-altered", Rule.SIGNATURE): Flaw(signature=flip),
        ("signature-empty", Rule.SIGNATURE): Flaw(signature=lambda _: b""),
        ("signature-cut", Rule.SIGNATURE): Flaw(signature=lambda whole: whole[:-1]),
        ("membership-tag-altered", Rule.MEMBERSHIP_TAG): Flaw(membership_tag=flip),
        ("membership-tag-empty", Rule.MEMBERSHIP_TAG): Flaw(
            membership_tag=lambda _: b""
        ),
        ("membership-tag-cut", Rule.MEMBERSHIP_TAG): Flaw(
            membership_tag=lambda whole: whole[:-1]
        ),
        ("confirmation-tag-altered", Rule.CONFIRMATION_TAG): Flaw(
            confirmation_tag=flip
        ),
        ("confirmation-tag-empty", Rule.CONFIRMATION_TAG): Flaw(
            confirmation_tag=lambda _: b""
        ),
        ("confirmation-tag-cut", Rule.CONFIRMATION_TAG): Flaw(
            confirmation_tag=lambda whole: whole[:-1]
        ),
    }
    for (name, rule), flaw in flaws.items():
        yield _case(
            room, f"{name}-in-suite-{suite}", rule, cheat.commit(flaw=flaw), valid
        )
    forged = replace(cheat, start=replace(cheat.start, signature_key=other_key))
    yield _case(
        room,
        f"signature-by-another-member-in-suite-{suite}",
        Rule.SIGNATURE,
        forged.commit(),
        valid,
    )


def _addresses() -> Iterator[Case]:
    room = new_room("addresses")
    cheat = room.cheat()
    before = cheat.commit()
    room.commit("Ana", CommitPlan())
    cheat = room.cheat()
    valid = cheat.commit()

    def elsewhere(group_id: bytes | None = None, epoch: int | None = None) -> bytes:
        def moved(content: FramedContent) -> FramedContent:
            return replace(
                content,
                group_id=content.group_id if group_id is None else group_id,
                epoch=content.epoch if epoch is None else epoch,
            )

        return cheat.commit(flaw=Flaw(content=moved))

    next_epoch = cheat.start.context.epoch + 1
    for name, rule, invalid in (
        ("another-group", Rule.GROUP_ID, elsewhere(group_id=bytes(16))),
        ("no-group", Rule.GROUP_ID, elsewhere(group_id=b"")),
        ("commit-of-the-epoch-before", Rule.EPOCH, before),
        ("next-epoch", Rule.EPOCH, elsewhere(epoch=next_epoch)),
        ("last-epoch-of-all", Rule.EPOCH, elsewhere(epoch=2**64 - 1)),
    ):
        yield _case(room, name, rule, invalid, valid)
    # The addresses of a PrivateMessage are in the clear.
    group = room.groups["Ana"]
    _, sent = protect(group, b"hello", room.rng)
    for name, rule, moved in (
        ("private-in-another-group", Rule.GROUP_ID, replace(sent, group_id=bytes(16))),
        ("private-in-the-next-epoch", Rule.EPOCH, replace(sent, epoch=sent.epoch + 1)),
        (
            "private-in-the-epoch-before",
            Rule.EPOCH,
            replace(sent, epoch=sent.epoch - 1),
        ),
    ):
        yield _case(room, name, rule, encode_message(moved), encode_message(sent))


def _senders() -> Iterator[Case]:
    room = new_room("senders")
    cheat = room.cheat()
    valid = cheat.propose(Remove(2))

    def sent_by(sender: Sender) -> Flaw:
        return Flaw(content=lambda content: replace(content, sender=sender))

    for name, leaf in (("blank-leaf", 3), ("leaf-beyond-the-tree", 4)):
        by_nobody = cheat.propose(Remove(2), sent_by(MemberSender(leaf)))
        yield _case(room, f"proposal-by-{name}", Rule.SENDER_LEAF, by_nobody, valid)
    yield _case(
        room,
        "proposal-by-the-last-leaf-there-can-be",
        Rule.SENDER_LEAF,
        cheat.propose(Remove(2), sent_by(MemberSender(2**32 - 1))),
        valid,
    )
    yield _case(
        room,
        "public-application-data",
        Rule.PUBLIC_APPLICATION,
        cheat.say(ApplicationContent(b"hello")),
        valid,
    )
    yield _case(
        room,
        "application-data-by-a-joiner",
        Rule.PUBLIC_APPLICATION,
        cheat.say(ApplicationContent(b"hello"), sent_by(NewMemberCommit())),
        valid,
    )
    yield _case(
        room,
        "remove-proposed-by-a-newcomer",
        Rule.SENDER_TYPE,
        cheat.propose(Remove(2), sent_by(NewMemberProposal())),
        valid,
    )
    yield _case(
        room,
        "proposal-by-a-joiner",
        Rule.SENDER_TYPE,
        cheat.propose(Remove(2), sent_by(NewMemberCommit())),
        valid,
    )
    yield _case(
        room,
        "commit-by-a-newcomer-who-proposes",
        Rule.SENDER_TYPE,
        cheat.commit(flaw=sent_by(NewMemberProposal())),
        cheat.commit(),
    )


def _outsiders() -> Iterator[Case]:
    """Yield cases of a group that lets one outsider propose."""
    maker = new_room("outsiders, keys")
    key = maker.suite.generate_signature_key_pair(maker.rng)
    listed = ExternalSender(key.public, BasicCredential(b"Olga"))
    room = new_room("outsiders", extensions=(external_senders_extension([listed]),))
    cheat = room.cheat()
    outsider = replace(cheat, start=replace(cheat.start, signature_key=key.private))
    valid = outsider.propose(Remove(2), _by_external(0))
    yield _case(
        room,
        "external-sender-not-listed",
        Rule.EXTERNAL_SENDER,
        outsider.propose(Remove(2), _by_external(1)),
        valid,
    )
    yield _case(
        room,
        "external-sender-signed-by-a-member",
        Rule.SIGNATURE,
        cheat.propose(Remove(2), _by_external(0)),
        valid,
    )
    yield _case(
        room,
        "commit-by-an-external-sender",
        Rule.SENDER_TYPE,
        outsider.commit(flaw=_by_external(0)),
        valid,
    )
    yield from _forbidden_proposals(room, outsider, valid)
    closed = new_room("no outsiders")
    yield _case(
        closed,
        "external-sender-where-none-is-allowed",
        Rule.EXTERNAL_SENDER,
        closed.cheat().propose(Remove(2), _by_external(0)),
        closed.cheat().propose(Remove(2)),
    )
    newcomer = room.newcomer("Dora")
    identity = newcomer.identity
    joining = replace(cheat, identity=identity)
    by_dora = Flaw(content=lambda content: replace(content, sender=NewMemberProposal()))
    own_key = replace(cheat.start, signature_key=identity.signature_key.private)
    add = Add(newcomer.key_package)
    yield _case(
        room,
        "newcomer-proposal-signed-by-a-member",
        Rule.SIGNATURE,
        joining.propose(add, by_dora),
        replace(joining, start=own_key).propose(add, by_dora),
    )


def _by_external(index: int) -> Flaw:
    sender = ExternalSenderIndex(index)
    return Flaw(content=lambda content: replace(content, sender=sender))


def _forbidden_proposals(room: Room, outsider: Cheat, valid: bytes) -> Iterator[Case]:
    cora = room.groups["Cora"]
    update_key = room.suite.generate_kem_key_pair(room.rng)
    leaf = new_leaf(cora.identity, update_key.public, UpdateSource(), cora.place)
    yield _case(
        room,
        "update-by-an-external-sender",
        Rule.PROPOSAL_SENDER,
        outsider.propose(Update(leaf), _by_external(0)),
        valid,
    )
    yield _case(
        room,
        "external-init-by-an-external-sender",
        Rule.PROPOSAL_SENDER,
        outsider.propose(ExternalInit(bytes(32)), _by_external(0)),
        valid,
    )


def _version() -> Case:
    room = new_room("version")
    valid = room.cheat().commit()
    # Nothing signs or tags the outermost version.
    return _case(
        room, "version-of-the-message", Rule.VERSION, b"\0\2" + valid[2:], valid
    )
