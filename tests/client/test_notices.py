"""What a change of a room means to people."""

from dataclasses import replace

from tertulia.client.identity import Member, member_of
from tertulia.client.invites import InviteTerms, new_invite
from tertulia.client.notices import Notice, accounts_of, members_of, notices_of
from tertulia.client.views import MessageKind
from tertulia.mls import Group
from tertulia.wire import account_id
from tests.client.society import (
    Manner,
    add,
    attempt,
    by_invite,
    changed,
    enter,
    further_device,
    identity_of,
    person,
    remove,
    renewed,
    room_of,
    seeded,
)

ANA, LUIS, EVA = (
    account_id(person(name).account_public) for name in ("Ana", "Luis", "Eva")
)
KINDS = MessageKind


def member(group: Group) -> Member:
    return member_of(group.leaf)


def told(
    before: Group, after: Group, actor: Group, *said_goodbye: bytes
) -> list[Notice]:
    return list(notices_of(before, after, member(actor), set(said_goodbye)))


def test_who_enters_a_room_sees_only_that() -> None:
    room = room_of("Ana", "Luis")
    notices = list(notices_of(None, room["Luis"], member(room["Luis"]), set()))
    assert notices == [Notice(KINDS.JOINED, LUIS, "Luis")]


def test_nothing_happened_to_people_by_a_change_of_keys() -> None:
    room = room_of("Ana", "Luis")
    after = attempt(room, "Luis")
    assert told(room["Ana"], after["Ana"], room["Luis"]) == []


def test_somebody_came() -> None:
    secret, invite = new_invite(
        person("Ana").account_public, InviteTerms(), seeded("link")
    )
    room = room_of("Ana", "Luis", invites=(invite,))
    after = enter(room, person("Eva"), by_invite(secret))
    assert told(room["Ana"], after["Ana"], after["Eva"]) == [
        Notice(KINDS.JOINED, EVA, "Eva")
    ]


def test_another_device_of_somebody_is_nobody_new() -> None:
    room = room_of("Ana", "Luis")
    after = attempt(room, "Ana", add(further_device("Luis")))
    assert told(room["Luis"], after["Luis"], room["Ana"]) == []
    members = members_of(after["Ana"])
    assert len(members) == 3
    assert {account: each.device for account, each in accounts_of(members).items()} == {
        ANA: person("Ana").device,
        LUIS: person("Luis").device,
    }


def test_somebody_was_removed_by_somebody() -> None:
    room = room_of("Ana", "Luis", "Eva")
    after = attempt(room, "Ana", remove(room, "Luis"), renewed(room))
    assert told(room["Eva"], after["Eva"], room["Ana"]) == [
        Notice(KINDS.REMOVED, ANA, "Ana", "Luis")
    ]


def test_who_said_goodbye_was_told_of_already() -> None:
    room = room_of("Ana", "Luis", "Eva")
    after = attempt(room, "Ana", remove(room, "Luis"), renewed(room))
    assert told(room["Eva"], after["Eva"], room["Ana"], LUIS) == []


def test_somebody_goes_by_another_name_now() -> None:
    room = room_of("Ana", "Luis")
    other = replace(person("Luis"), name="Luis M.")
    after = attempt(room, "Luis", manner=Manner(identity=identity_of(other)))
    assert told(room["Ana"], after["Ana"], room["Luis"]) == [
        Notice(KINDS.RENAMED_MEMBER, LUIS, "Luis M.", "Luis")
    ]


def test_the_room_has_another_name_and_topic_now() -> None:
    room = room_of("Ana", "Luis")
    after = attempt(room, "Ana", changed(room, name="Otra", topic="De todo"))
    assert told(room["Luis"], after["Luis"], room["Ana"]) == [
        Notice(KINDS.RENAMED_ROOM, ANA, "Ana", "Otra"),
        Notice(KINDS.CHANGED_TOPIC, ANA, "Ana", "De todo"),
    ]


def test_each_part_of_the_policy_is_told_by_itself() -> None:
    room = room_of("Ana", "Luis")
    named = attempt(room, "Ana", changed(room, name="Otra"))
    assert [each.kind for each in told(room["Luis"], named["Luis"], room["Ana"])] == [
        KINDS.RENAMED_ROOM
    ]
    themed = attempt(room, "Ana", changed(room, topic="De todo"))
    assert [each.kind for each in told(room["Luis"], themed["Luis"], room["Ana"])] == [
        KINDS.CHANGED_TOPIC
    ]
