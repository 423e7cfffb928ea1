"""Cases about commits by which somebody joins from outside."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tertulia.crypto import KeyPair, Secret
from tertulia.mls import (
    Add,
    ByReference,
    ByValue,
    ExternalInit,
    GroupContextExtensions,
    Identity,
    Proposal,
    ReInit,
    Remove,
    Rule,
    Update,
    make_group_info,
)
from tertulia.mls.key_package import new_leaf
from tertulia.mls.key_schedule import encapsulate_init_secret
from tertulia.mls.leaf_node import UpdateSource
from tools.mls_negative.cases import Case
from tools.mls_negative.changes import flip
from tools.mls_negative.cheating import Cheat, Flaw, cheating_joiner
from tools.mls_negative.rooms import Room, new_room

ABOUT = "external commits: what they hold, who signs them"


def cases() -> Iterator[Case]:
    """Yield all cases of this file."""
    for suite in (1, 2, 7):
        yield from _proofs(suite)
    yield from _lists()
    yield from _references()
    yield from _resync()


def _case(room: Room, name: str, rule: Rule, invalid: bytes, valid: bytes) -> Case:
    return Case(name, rule, "receive", room.state, invalid, valid)


def _joiner(room: Room, identity: Identity | None = None) -> tuple[Cheat, ExternalInit]:
    """Return somebody about to join, and the ExternalInit of their commit."""
    group = room.groups["Ana"]
    external = group.epoch.secrets.external_key_pair(room.suite).public
    kem_output, init_secret = encapsulate_init_secret(room.suite, external, room.rng)
    newcomer = identity or room.newcomer("Dora").identity
    joiner = cheating_joiner(
        make_group_info(group), group.tree, newcomer, init_secret, room.rng
    )
    return joiner, ExternalInit(kem_output)


def _proofs(suite: int) -> Iterator[Case]:
    room = new_room("external commits", suite=suite)
    joiner, init = _joiner(room)
    valid = joiner.commit([init])
    size = len(init.kem_output)
    flaws = {
        "signature-altered": (Rule.SIGNATURE, Flaw(signature=flip)),
        "signature-empty": (Rule.SIGNATURE, Flaw(signature=lambda _: b"")),
        "confirmation-tag-altered": (
            Rule.CONFIRMATION_TAG,
            Flaw(confirmation_tag=flip),
        ),
        "confirmation-tag-empty": (
            Rule.CONFIRMATION_TAG,
            Flaw(confirmation_tag=lambda _: b""),
        ),
        "leaf-signature-altered": (
            Rule.LEAF_SIGNATURE,
            Flaw(
                signed_leaf=lambda leaf: replace(leaf, signature=flip(leaf.signature))
            ),
        ),
    }
    for name, (rule, flaw) in flaws.items():
        invalid = joiner.commit([init], flaw)
        yield _case(room, f"external-{name}-in-suite-{suite}", rule, invalid, valid)
    forged = replace(
        joiner,
        start=replace(
            joiner.start, signature_key=room.groups["Cora"].epoch.signature_key
        ),
    )
    yield _case(
        room,
        f"external-signed-by-a-member-in-suite-{suite}",
        Rule.SIGNATURE,
        forged.commit([init]),
        valid,
    )
    guessed = replace(
        joiner, start=replace(joiner.start, init_secret=Secret(bytes(32)))
    )
    yield _case(
        room,
        f"external-with-another-init-secret-in-suite-{suite}",
        Rule.CONFIRMATION_TAG,
        guessed.commit([init]),
        valid,
    )
    for name, kem_output in (
        ("empty", b""),
        ("of-zeros", bytes(size)),
        ("too-short", init.kem_output[:-1]),
        ("too-long", init.kem_output + b"\0"),
    ):
        yield _case(
            room,
            f"external-kem-output-{name}-in-suite-{suite}",
            Rule.EXTERNAL_KEM_OUTPUT,
            joiner.commit([ExternalInit(kem_output)]),
            valid,
        )


def _lists() -> Iterator[Case]:
    room = new_room("external lists", ("Ben", "Cora", "Emil", "Fritz"))
    joiner, init = _joiner(room)
    cora = room.groups["Cora"]
    key = room.suite.generate_kem_key_pair(room.rng).public
    update = Update(new_leaf(cora.identity, key, UpdateSource(), cora.place))
    add = Add(room.newcomer("Gina").key_package)
    lists: dict[str, tuple[Rule, Sequence[Proposal]]] = {
        "external-without-external-init": (Rule.EXTERNAL_INIT_ONCE, []),
        "external-with-two-external-inits": (Rule.EXTERNAL_INIT_ONCE, [init, init]),
        "external-with-two-removes": (
            Rule.EXTERNAL_PROPOSALS,
            [init, Remove(2), Remove(3)],
        ),
        "external-with-an-add": (Rule.EXTERNAL_PROPOSALS, [init, add]),
        "external-with-an-update": (Rule.EXTERNAL_PROPOSALS, [init, update]),
        "external-with-group-context-extensions": (
            Rule.EXTERNAL_PROPOSALS,
            [init, GroupContextExtensions(())],
        ),
        "external-with-a-reinit": (
            Rule.EXTERNAL_PROPOSALS,
            [init, ReInit(b"another", 1, 1, ())],
        ),
        "external-with-a-remove-of-a-blank-leaf": (
            Rule.REMOVE_LEAF,
            [init, Remove(6)],
        ),
    }
    valid = joiner.commit([init, Remove(2)])
    for name, (rule, wrong) in lists.items():
        # An Update by somebody outside has no leaf to go to: it stays unapplied.
        left_out = [item for item in wrong if not isinstance(item, Update)]
        added = [item for item in wrong if isinstance(item, Update)]
        invalid = joiner.commit(left_out, _with_proposals(added))
        yield _case(room, name, rule, invalid, valid)
    yield _case(
        room,
        "external-without-a-path",
        Rule.PATH_REQUIRED,
        joiner.commit([init], path=False),
        joiner.commit([init]),
    )
    known = room.groups["Cora"].leaf.signature_key
    cora_key = room.groups["Cora"].epoch.signature_key
    as_cora = replace(joiner.identity, signature_key=KeyPair(cora_key, known))
    twin, twin_init = _joiner(room, as_cora)
    yield _case(
        room,
        "external-with-the-signature-key-of-a-member",
        Rule.SIGNATURE_KEY_UNIQUE,
        twin.commit([twin_init]),
        twin.commit([twin_init, Remove(2)]),
    )


def _with_proposals(added: Sequence[Proposal]) -> Flaw:
    named = tuple(map(ByValue, added))
    return Flaw(
        commit=lambda commit: replace(commit, proposals=(*commit.proposals, *named))
    )


def _references() -> Iterator[Case]:
    room = new_room("external references", ("Ben", "Cora", "Emil"))
    room.deliver(room.cheat("Cora").propose(Remove(3)), sender="Cora")
    joiner, init = _joiner(room)
    pending = room.cheat("Ben").pending
    knowing = replace(joiner, pending=pending)
    (sent,) = pending
    yield _case(
        room,
        "external-with-a-reference",
        Rule.EXTERNAL_BY_VALUE,
        knowing.commit([init, ByReference(sent.reference or b"")]),
        joiner.commit([init]),
    )


def _resync() -> Iterator[Case]:
    """Yield a member's return under the encryption key of the leaf it replaces."""
    room = new_room("external returns")
    cora = room.groups["Cora"]
    joiner, init = _joiner(room, cora.identity)
    old_key = cora.leaf.encryption_key
    yield _case(
        room,
        "external-return-with-the-key-it-had",
        Rule.UPDATE_KEY,
        joiner.commit(
            [init, Remove(2)],
            Flaw(leaf=lambda leaf: replace(leaf, encryption_key=old_key)),
        ),
        joiner.commit([init, Remove(2)]),
    )
