"""What a change of a room means to people: who came, who went, what it is called now."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tertulia import mls
from tertulia.client.identity import Member, member_of
from tertulia.client.room_policy import policy_of
from tertulia.client.views import MessageKind


@dataclass(frozen=True, slots=True)
class Notice:
    """One line about a change: who is meant, and what there is to add."""

    kind: MessageKind
    account: bytes
    name: str
    text: str = ""


def members_of(group: mls.Group) -> dict[int, Member]:
    """Return the member at each leaf that is not blank."""
    return {index: member_of(leaf) for index, leaf in group.tree.members()}


def accounts_of(members: Mapping[int, Member]) -> dict[bytes, Member]:
    """Return one member per account, the one with the lowest leaf."""
    accounts: dict[bytes, Member] = {}
    for _, member in sorted(members.items()):
        accounts.setdefault(member.account, member)
    return accounts


def notices_of(
    before: mls.Group | None, after: mls.Group, actor: Member, said_goodbye: set[bytes]
) -> Iterator[Notice]:
    """Tell what changed; `said_goodbye` are accounts that left by their own will."""
    if before is None:
        yield Notice(MessageKind.JOINED, actor.account, actor.name)
        return
    old, new = accounts_of(members_of(before)), accounts_of(members_of(after))
    for account, member in new.items():
        if account not in old:
            yield Notice(MessageKind.JOINED, account, member.name)
        elif member.name != old[account].name:
            was = old[account].name
            yield Notice(MessageKind.RENAMED_MEMBER, account, member.name, was)
    for account, member in old.items():
        if account in new or account in said_goodbye:
            continue
        yield Notice(MessageKind.REMOVED, actor.account, actor.name, member.name)
    yield from _policy_notices(before, after, actor)


def _policy_notices(
    before: mls.Group, after: mls.Group, actor: Member
) -> Iterator[Notice]:
    old, new = policy_of(before.context), policy_of(after.context)
    if old.name != new.name:
        kind = MessageKind.RENAMED_ROOM
        yield Notice(kind, actor.account, actor.name, new.name)
    if old.topic != new.topic:
        kind = MessageKind.CHANGED_TOPIC
        yield Notice(kind, actor.account, actor.name, new.topic)
