"""Cases about the proposals of a commit, and about commits without a path."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tertulia.crypto import Secret
from tertulia.mls import (
    Add,
    ByReference,
    Capabilities,
    CommitPlan,
    CredentialType,
    Extension,
    ExtensionType,
    ExternalInit,
    ExternalPSK,
    GroupContextExtensions,
    KeyPackage,
    PreSharedKey,
    PreSharedKeyID,
    Proposal,
    PSKs,
    ReInit,
    Remove,
    RequiredCapabilities,
    ResumptionPSK,
    ResumptionPSKUsage,
    Rule,
    SentProposal,
    Update,
    create_key_package,
    required_capabilities_extension,
)
from tertulia.mls.key_package import new_leaf
from tertulia.mls.key_schedule import encapsulate_init_secret
from tertulia.mls.leaf_node import UpdateSource
from tertulia.mls.proposal import ProposalType
from tertulia.mls.psk import PSK
from tools.mls_negative.cases import ENCODING, UNKNOWN_PSK, Case
from tools.mls_negative.changes import flip
from tools.mls_negative.cheating import Flaw
from tools.mls_negative.rng import rng_of
from tools.mls_negative.rooms import (
    LIFETIME,
    SUPPORTED,
    UNSUPPORTED,
    Room,
    new_identity,
    new_room,
)

ABOUT = "the proposals of a commit: what may stand together, and what needs a path"

KNOWN = ExternalPSK(b"a key that everybody has")
ALSO_KNOWN = ExternalPSK(b"another one")
PSKS: PSKs = {KNOWN: Secret(bytes(range(32))), ALSO_KNOWN: Secret(bytes(range(1, 33)))}


def cases() -> Iterator[Case]:
    """Yield all cases of this file."""
    yield from _by_value()
    yield from _extensions()
    yield from _psks()
    yield from _reinit()
    yield from _updates()
    yield from _references()
    yield from _paths()


def _case(
    room: Room, name: str, expected: Rule | str, invalid: bytes, valid: bytes
) -> Case:
    return Case(name, expected, "receive", room.state, invalid, valid)


def _by_value() -> Iterator[Case]:
    room = new_room("proposals", ("Ben", "Cora", "Dora", "Emil"))
    cheat = room.cheat()
    once, twice = (_key_package_of(room, "Fritz"), _key_package_of(room, "Fritz"))
    cora = _key_package_of(room, "Cora")
    lists: dict[str, tuple[Rule, Sequence[Proposal], Sequence[Proposal]]] = {
        "remove-of-the-committer": (Rule.REMOVE_COMMITTER, [Remove(0)], [Remove(2)]),
        "remove-of-a-blank-leaf": (Rule.REMOVE_LEAF, [Remove(5)], [Remove(2)]),
        "remove-beyond-the-tree": (Rule.REMOVE_LEAF, [Remove(8)], [Remove(2)]),
        "remove-far-beyond-the-tree": (
            Rule.REMOVE_LEAF,
            [Remove(2**32 - 1)],
            [Remove(2)],
        ),
        "remove-twice": (
            Rule.ONE_CHANGE_PER_LEAF,
            [Remove(2), Remove(2)],
            [Remove(2), Remove(3)],
        ),
        "add-the-same-key-package-twice": (
            Rule.ADD_ONCE,
            [Add(once), Add(once)],
            [Add(once)],
        ),
        "add-two-key-packages-of-a-client": (
            Rule.ADD_ONCE,
            [Add(once), Add(twice)],
            [Add(twice)],
        ),
        "add-of-a-member": (
            Rule.ADD_ONCE,
            [Add(cora)],
            [Add(cora), Remove(2)],
        ),
        "add-of-a-member-while-another-leaves": (
            Rule.ADD_ONCE,
            [Add(cora), Remove(3)],
            [Add(cora), Remove(2)],
        ),
    }
    for name, (rule, wrong, right) in lists.items():
        yield _case(room, name, rule, cheat.commit(wrong), cheat.commit(right))
    external = room.groups["Ana"].epoch.secrets.external_key_pair(room.suite).public
    kem_output, init_secret = encapsulate_init_secret(room.suite, external, room.rng)
    outside = replace(cheat, start=replace(cheat.start, init_secret=init_secret))
    yield _case(
        room,
        "external-init-by-a-member",
        Rule.EXTERNAL_INIT_BY_MEMBER,
        outside.commit([ExternalInit(kem_output)]),
        cheat.commit(),
    )


def _key_package_of(room: Room, name: str) -> KeyPackage:
    """Return a new key package of a member, or of always the same newcomer."""
    if name in room.groups:
        identity = room.groups[name].identity
    else:
        identity = new_identity(room.suite, name, rng_of(f"{name}, a newcomer"))
    return create_key_package(identity, LIFETIME, room.rng).key_package


def _extensions() -> Iterator[Case]:
    room = new_room("group extensions")
    cheat = room.cheat()
    known = Extension(SUPPORTED, b"known")
    lists: dict[str, tuple[Rule, Sequence[Proposal]]] = {
        "two-group-context-extensions": (
            Rule.ONE_GROUP_CONTEXT_EXTENSIONS,
            [GroupContextExtensions((known,)), GroupContextExtensions((known,))],
        ),
        "group-context-extension-twice": (
            Rule.EXTENSION_ONCE,
            [GroupContextExtensions((known, known))],
        ),
        "group-context-extension-unsupported": (
            Rule.GROUP_EXTENSIONS,
            [GroupContextExtensions((known, Extension(UNSUPPORTED, b"")))],
        ),
        "required-extension-unsupported": (
            Rule.REQUIRED_CAPABILITIES,
            [_requiring(RequiredCapabilities(extension_types=(UNSUPPORTED,)))],
        ),
        "required-proposal-unsupported": (
            Rule.REQUIRED_CAPABILITIES,
            [_requiring(RequiredCapabilities(proposal_types=(UNSUPPORTED,)))],
        ),
        "required-credential-unsupported": (
            Rule.REQUIRED_CAPABILITIES,
            [_requiring(RequiredCapabilities(credential_types=(CredentialType.X509,)))],
        ),
    }
    satisfied = RequiredCapabilities(
        (SUPPORTED, ExtensionType.APPLICATION_ID),
        (ProposalType.GROUP_CONTEXT_EXTENSIONS,),
        (CredentialType.BASIC,),
    )
    valid = cheat.commit([_requiring(satisfied)])
    for name, (rule, wrong) in lists.items():
        yield _case(room, name, rule, cheat.commit(wrong), valid)
    malformed = Extension(ExtensionType.REQUIRED_CAPABILITIES, b"\1")
    yield _case(
        room,
        "required-capabilities-malformed",
        ENCODING,
        cheat.commit([GroupContextExtensions((malformed,))]),
        valid,
    )
    unable = room.newcomer("Dora", Capabilities())
    able = room.newcomer("Dora", Capabilities(extensions=(SUPPORTED,)))
    room.commit("Ana", CommitPlan([GroupContextExtensions((known,))]))
    yield _case(
        room,
        "add-without-a-group-extension",
        Rule.GROUP_EXTENSIONS,
        room.cheat().commit([Add(unable.key_package)]),
        room.cheat().commit([Add(able.key_package)]),
    )
    room.commit("Ana", CommitPlan([_requiring(satisfied)]))
    yield _case(
        room,
        "add-without-a-required-extension",
        Rule.REQUIRED_CAPABILITIES,
        room.cheat().commit([Add(unable.key_package)]),
        room.cheat().commit([Add(able.key_package)]),
    )


def _requiring(required: RequiredCapabilities) -> GroupContextExtensions:
    return GroupContextExtensions((required_capabilities_extension(required),))


def _psks() -> Iterator[Case]:
    room = new_room("pre-shared keys", psks=PSKS)
    cheat = room.cheat()

    def named(psk: PSK, size: int = room.suite.kdf.size) -> PreSharedKey:
        return PreSharedKey(PreSharedKeyID(psk, room.rng(size)))

    first, second = named(KNOWN), named(ALSO_KNOWN)
    context = room.groups["Ana"].context

    def resumption(usage: ResumptionPSKUsage) -> PreSharedKey:
        return named(ResumptionPSK(usage, context.group_id, context.epoch))

    valid = cheat.commit([first, second], path=False)
    lists: dict[str, tuple[Rule, Sequence[PreSharedKey]]] = {
        "psk-twice": (Rule.PSK_ONCE, [first, second, first]),
        "psk-nonce-empty": (Rule.PSK_NONCE, [named(KNOWN, 0)]),
        "psk-nonce-too-short": (Rule.PSK_NONCE, [named(KNOWN, 31)]),
        "psk-nonce-too-long": (Rule.PSK_NONCE, [named(KNOWN, 33)]),
        "psk-of-usage-reinit": (
            Rule.PSK_USAGE,
            [resumption(ResumptionPSKUsage.REINIT)],
        ),
        "psk-of-usage-branch": (
            Rule.PSK_USAGE,
            [resumption(ResumptionPSKUsage.BRANCH)],
        ),
    }
    resumption_psk = room.groups["Ana"].epoch.secrets.resumption_psk
    knowing = replace(
        cheat,
        psks={
            **cheat.psks,
            **{
                ResumptionPSK(usage, context.group_id, context.epoch): resumption_psk
                for usage in ResumptionPSKUsage
            },
        },
    )
    for name, (rule, wrong) in lists.items():
        yield _case(room, name, rule, knowing.commit(wrong, path=False), valid)
    # The order of the commit counts: these secrets are chained the other way round.
    chained = cheat.commit([second, first], path=False)
    swapped = Flaw(
        commit=lambda commit: replace(commit, proposals=commit.proposals[::-1])
    )
    yield _case(
        room,
        "psks-in-another-order",
        Rule.CONFIRMATION_TAG,
        cheat.commit([first, second], swapped, path=False),
        chained,
    )
    other_value = replace(cheat, psks={**cheat.psks, KNOWN: Secret(bytes(32))})
    yield _case(
        room,
        "psk-of-another-value",
        Rule.CONFIRMATION_TAG,
        other_value.commit([first], path=False),
        valid,
    )
    stranger = ExternalPSK(b"a key that only Ana has")
    alone = replace(cheat, psks={**cheat.psks, stranger: Secret(bytes(32))})
    yield _case(
        room,
        "psk-unknown",
        UNKNOWN_PSK,
        alone.commit([named(stranger)], path=False),
        valid,
    )


def _reinit() -> Iterator[Case]:
    room = new_room("reinitialisation")
    cheat = room.cheat()
    reinit = ReInit(b"the group after this", 1, 1, ())
    valid = cheat.commit([reinit], path=False)
    lists: dict[str, tuple[Rule, Sequence[Proposal]]] = {
        "reinit-with-another-proposal": (Rule.REINIT_ALONE, [reinit, Remove(2)]),
        "reinit-twice": (Rule.REINIT_ALONE, [reinit, reinit]),
        "reinit-to-an-older-version": (
            Rule.REINIT_VERSION,
            [replace(reinit, version=0)],
        ),
        "reinit-extension-twice": (
            Rule.EXTENSION_ONCE,
            [replace(reinit, extensions=(Extension(SUPPORTED, b""),) * 2)],
        ),
    }
    for name, (rule, wrong) in lists.items():
        yield _case(room, name, rule, cheat.commit(wrong), valid)
    room.commit("Ana", CommitPlan([reinit]))
    after = room.cheat()
    yield _case(
        room,
        "commit-after-a-reinit",
        Rule.REINIT_PENDING,
        after.commit(),
        after.propose(Remove(2)),
    )


def _updates() -> Iterator[Case]:
    room = new_room("updates", ("Ben", "Cora", "Dora"))
    cora = room.cheat("Cora")
    fresh, other = (_update(room, "Cora"), _update(room, "Cora"))
    same_key = _update(room, "Cora", room.groups["Cora"].leaf.encryption_key)
    key = room.suite.generate_kem_key_pair(room.rng).public
    group = room.groups["Cora"]
    not_an_update = Update(new_leaf(group.identity, key, LIFETIME, group.place))
    own = _update(room, "Ana")
    for update in (fresh, other, same_key, not_an_update):
        room.deliver(cora.propose(update), sender="Cora")
    room.deliver(room.cheat().propose(own), sender="Ana")
    # Ben has heard them all.
    cheat = replace(room.cheat(), pending=room.cheat("Ben").pending)
    pending = {sent.proposal: sent.reference or b"" for sent in cheat.pending}

    def by_reference(update: Update) -> ByReference:
        return ByReference(pending[update])

    valid = cheat.commit([by_reference(fresh)])
    lists: dict[str, tuple[Rule, Sequence[Proposal | ByReference]]] = {
        "update-by-the-committer": (Rule.UPDATE_BY_COMMITTER, [by_reference(own)]),
        "update-with-the-key-it-had": (Rule.UPDATE_KEY, [by_reference(same_key)]),
        "update-with-the-leaf-of-a-key-package": (
            Rule.LEAF_SOURCE,
            [by_reference(not_an_update)],
        ),
        "update-twice": (
            Rule.ONE_CHANGE_PER_LEAF,
            [by_reference(fresh), by_reference(other)],
        ),
        "update-named-twice": (
            Rule.ONE_CHANGE_PER_LEAF,
            [by_reference(fresh), by_reference(fresh)],
        ),
        "update-and-remove": (
            Rule.ONE_CHANGE_PER_LEAF,
            [by_reference(fresh), Remove(2)],
        ),
    }
    for name, (rule, wrong) in lists.items():
        yield _case(room, name, rule, cheat.commit(wrong), valid)
    # By value an Update would be the committer's own.
    yield _case(
        room,
        "update-by-value",
        Rule.UPDATE_BY_VALUE,
        cheat.commit([own]),
        valid,
    )


def _update(room: Room, name: str, key: bytes | None = None) -> Update:
    group = room.groups[name]
    if key is None:
        key = room.suite.generate_kem_key_pair(room.rng).public
    return Update(new_leaf(group.identity, key, UpdateSource(), group.place))


def _references() -> Iterator[Case]:
    room = new_room("references", ("Ben", "Cora", "Dora"))
    early = room.cheat("Cora").propose(Remove(3))
    room.deliver(early, sender="Cora")
    (of_the_epoch_before,) = room.cheat().pending
    room.commit("Ana", CommitPlan())
    sent = room.cheat("Cora").propose(Remove(3))
    room.deliver(sent, sender="Cora")
    cheat = room.cheat()
    (known,) = cheat.pending
    valid = cheat.commit([_named(known)])
    altered = replace(known, reference=flip(known.reference or b""))
    shortened = replace(known, reference=b"")
    for name, unknown in (
        ("reference-altered", altered),
        ("reference-empty", shortened),
        ("reference-to-the-epoch-before", of_the_epoch_before),
    ):
        knowing = replace(cheat, pending=[unknown])
        yield _case(
            room,
            name,
            Rule.PROPOSAL_REFERENCE,
            knowing.commit([_named(unknown)]),
            valid,
        )


def _named(sent: SentProposal) -> ByReference:
    return ByReference(sent.reference or b"")


def _paths() -> Iterator[Case]:
    room = new_room("commits without a path", ("Ben", "Cora", "Dora"))
    room.deliver(room.cheat("Cora").propose(_update(room, "Cora")), sender="Cora")
    cheat = room.cheat()
    (update,) = cheat.pending
    known = GroupContextExtensions((Extension(SUPPORTED, b"known"),))
    add = Add(room.newcomer("Emil").key_package)
    lists: dict[str, Sequence[Proposal | ByReference]] = {
        "no-proposal-no-path": [],
        "update-no-path": [_named(update)],
        "remove-no-path": [Remove(3)],
        "group-context-extensions-no-path": [known],
        "add-and-remove-no-path": [add, Remove(3)],
    }
    for name, listed in lists.items():
        yield _case(
            room,
            name,
            Rule.PATH_REQUIRED,
            cheat.commit(listed, path=False),
            cheat.commit(listed),
        )
