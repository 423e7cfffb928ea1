"""Cases about groups that continue another: after a ReInit, or as a branch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from tertulia.crypto import CipherSuite, cipher_suite
from tertulia.mls import (
    Add,
    CommitPlan,
    Extension,
    Extensions,
    Group,
    KeyPackageSecrets,
    PreSharedKey,
    ReInit,
    ResumptionPSK,
    ResumptionPSKUsage,
    Rule,
    commit,
    create_group,
    create_key_package,
    encode_message,
    new_psk_id,
)
from tools.mls_negative.cases import Case, State
from tools.mls_negative.rooms import (
    ANYONE,
    LIFETIME,
    SUPPORTED,
    Room,
    new_identity,
    new_room,
)

ABOUT = "Welcomes into groups that continue another one"

_REINIT, _BRANCH = ResumptionPSKUsage.REINIT, ResumptionPSKUsage.BRANCH
_NAME = b"the group after this"
_EXTENSIONS = (Extension(SUPPORTED, b"settled"),)
_EVERYBODY = ("Ben", "Cora")


def cases() -> Iterator[Case]:
    """Yield all cases of this file."""
    yield from _successors()
    yield from _branches()


@dataclass(frozen=True, slots=True)
class Founding:
    """How Ana founds the group that continues another; each field is what it says."""

    usage: ResumptionPSKUsage
    suite: CipherSuite = field(default_factory=lambda: cipher_suite(1))
    group_id: bytes = _NAME
    extensions: Extensions = _EXTENSIONS
    members: Sequence[str] = _EVERYBODY
    psk_epoch: int | None = None
    commits_before: int = 0


def _found(room: Room, founding: Founding) -> tuple[bytes, KeyPackageSecrets]:
    """Return the Welcome into the new group, and Ben's key package for it."""
    old, suite, rng = room.groups["Ana"], founding.suite, room.rng
    invited = {
        name: create_key_package(new_identity(suite, name, rng), LIFETIME, rng)
        for name in founding.members
    }
    group = create_group(
        new_identity(suite, "Ana", rng),
        founding.group_id,
        LIFETIME,
        rng,
        founding.extensions,
    )
    for _ in range(founding.commits_before):
        group = commit(group, CommitPlan(), ANYONE, rng).after
    psk = _psk(old, founding)
    adds = [Add(mine.key_package) for mine in invited.values()]
    plan = CommitPlan(
        [*adds, PreSharedKey(new_psk_id(suite, psk, rng))],
        psks={psk: old.epoch.secrets.resumption_psk},
        continues=founding.usage,
    )
    welcome = commit(group, plan, ANYONE, rng).welcome
    if welcome is None:
        raise ValueError("nobody was added")
    return encode_message(welcome), invited["Ben"]


def _psk(old: Group, founding: Founding) -> ResumptionPSK:
    epoch = founding.psk_epoch
    if epoch is None:
        epoch = old.context.epoch
    return ResumptionPSK(founding.usage, old.context.group_id, epoch)


def _case(
    room: Room, name: str, rule: Rule, operation: str, foundings: tuple[Founding, ...]
) -> Case:
    """Return a case of two foundings: the one to refuse and the one to accept."""
    wrong, right = foundings
    invalid, joining = _found(room, wrong)
    valid, joining_valid = _found(room, right)
    return Case(
        name,
        rule,
        operation,
        room.state,
        invalid,
        valid,
        joining=State(joining),
        joining_valid=State(joining_valid),
    )


def _successors() -> Iterator[Case]:
    room = new_room("successors")
    room.commit("Ana", CommitPlan([ReInit(_NAME, 1, 1, _EXTENSIONS)], path=False))
    right = Founding(_REINIT)
    epoch = room.groups["Ana"].context.epoch
    flaws = {
        "of-another-name": (
            Rule.SUCCESSOR_PARAMETERS,
            replace(right, group_id=b"not the announced one"),
        ),
        "with-other-extensions": (
            Rule.SUCCESSOR_PARAMETERS,
            replace(right, extensions=()),
        ),
        "of-another-suite": (
            Rule.SUCCESSOR_PARAMETERS,
            replace(right, suite=cipher_suite(3)),
        ),
        "without-a-member": (Rule.SUCCESSOR_MEMBERS, replace(right, members=("Ben",))),
        "that-is-a-branch": (Rule.WELCOME_PSKS, replace(right, usage=_BRANCH)),
        "of-an-earlier-epoch": (
            Rule.WELCOME_PSKS,
            replace(right, psk_epoch=epoch - 1),
        ),
        "past-its-first-epoch": (Rule.WELCOME_PSKS, replace(right, commits_before=1)),
    }
    for name, (rule, wrong) in flaws.items():
        yield _case(room, f"successor-{name}", rule, "join-successor", (wrong, right))


def _branches() -> Iterator[Case]:
    room = new_room("branches")
    right = Founding(_BRANCH, members=("Ben",))
    flaws = {
        "with-a-stranger": (
            Rule.SUCCESSOR_MEMBERS,
            replace(right, members=("Ben", "Mallory")),
        ),
        "of-another-suite": (
            Rule.SUCCESSOR_PARAMETERS,
            replace(right, suite=cipher_suite(3)),
        ),
        "that-is-a-successor": (Rule.WELCOME_PSKS, replace(right, usage=_REINIT)),
        "past-its-first-epoch": (Rule.WELCOME_PSKS, replace(right, commits_before=1)),
    }
    for name, (rule, wrong) in flaws.items():
        yield _case(room, f"branch-{name}", rule, "join-branch", (wrong, right))
