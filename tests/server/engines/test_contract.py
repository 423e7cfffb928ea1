"""What every engine promises, tried on each of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import TypeAlias

import pytest

from tertulia.relay import (
    Ban,
    Blob,
    BlobLimits,
    Change,
    Cut,
    Denied,
    DeviceListChange,
    Engine,
    Enrolment,
    InviteUse,
    Overtaken,
    Placed,
    Proposal,
    Removed,
    RepairProposal,
    RetentionRules,
    Route,
    ServerInvite,
)
from tertulia.server.engines import MemoryEngine, SqliteEngine
from tertulia.wire import (
    MAX_INTEGER,
    Device,
    ErrorCode,
    Kind,
    first_hash,
    frames,
    limits,
    next_hash,
)

NOW = 1_700_000_000_000
ROOM = bytes(15) + b"r"
PLENTY = 1 << 40
UNLIMITED = BlobLimits(PLENTY, PLENTY, PLENTY)

Story: TypeAlias = Callable[["Desk"], Awaitable[None]]
Play: TypeAlias = Callable[[Story], None]


class Desk:
    """An engine, what it reported, and short words for long calls."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.changes: list[Change] = []
        engine.listen(self.changes.extend)

    async def enrol(self, name: str, account: str = "") -> bytes:
        refused = await self.engine.enrol(
            Enrolment(device(name, account), NOW, None, may_create_account=True)
        )
        assert refused is None
        return device(name, account).device

    async def room(self, *members: str) -> None:
        first, *others = [await self.enrol(name) for name in members]
        assert await self.engine.create_room(ROOM, first, NOW) is None
        if others:
            await self.repair(first, frames.Bundle(route=tuple(others)))

    async def repair(self, sender: bytes, bundle: frames.Bundle) -> object:
        state = await self.engine.room(ROOM)
        assert state is not None
        return await self.engine.repair(
            RepairProposal(ROOM, sender, state.handshake, bundle, NOW)
        )

    async def append(self, name: str, text: str, handshake: int = 0) -> object:
        (outcome,) = await self.engine.append([text_of(name, text, handshake)])
        return outcome

    async def commit(
        self,
        name: str,
        text: str,
        handshake: int = 0,
        bundle: frames.Bundle | None = None,
        **terms: object,
    ) -> object:
        proposal = text_of(name, text, handshake, Kind.HANDSHAKE, bundle)
        values = {**{f: getattr(proposal, f) for f in proposal.__struct_fields__}}
        (outcome,) = await self.engine.append([Proposal(**{**values, **terms})])
        return outcome

    async def blob(self, account: str, content: bytes, name: str) -> bytes:
        blob = blob_of(account, content, name)
        assert await self.engine.create_blob(blob, UNLIMITED) is None
        assert await self.engine.write_blob(blob.blob, 0, content) == len(content)
        assert await self.engine.finish_blob(blob.blob)
        return blob.blob

    async def advice(
        self, account: str, text: str, *invites: frames.Invite
    ) -> frames.GroupAdvice:
        content = f"tree {text}".encode()
        blob = await self.blob(account, content, f"tree {text}")
        tree = frames.BlobReference(blob, len(content), sha256(content).digest())
        name, info = some(f"name {text}", 16), f"info {text}".encode()
        return frames.GroupAdvice(name, info, b"wrapped", tree, None, (), invites)

    async def patch(self, name: str, number: int, size: int = 5) -> object:
        """Commit with a patch that follows the tree named by the number before."""
        patch = frames.TreePatch(some(f"name {number - 1}", 16), bytes([number]) * size)
        group = frames.GroupAdvice(
            some(f"name {number}", 16), b"info", b"wrapped", None, patch
        )
        return await self.commit(
            name, f"commit {number}", number, frames.Bundle(group=group)
        )


def some(text: str, size: int) -> bytes:
    return sha256(text.encode()).digest()[:size]


def device(name: str, account: str = "") -> Device:
    owner = account or name
    return Device(
        some(f"device {name}", 16),
        some(f"account {owner}", 32),
        some(f"account key {owner}", 32),
        some(f"device key {name}", 32),
    )


def text_of(
    name: str,
    text: str,
    handshake: int = 0,
    kind: Kind = Kind.APPLICATION,
    bundle: frames.Bundle | None = None,
) -> Proposal:
    return Proposal(
        ROOM,
        device(name).device,
        some(text, 16),
        kind,
        handshake,
        text.encode(),
        NOW,
        bundle,
        room_limit=PLENTY,
    )


def blob_of(account: str, content: bytes, name: str) -> Blob:
    return Blob(
        some(f"blob {name}", 16),
        ROOM,
        device(account).account,
        len(content),
        sha256(content).digest(),
        NOW,
    )


@asynccontextmanager
async def opened(name: str, folder: Path) -> AsyncIterator[Engine]:
    if name == "memory":
        yield MemoryEngine(Random(1).randbytes)
        return
    engine = await SqliteEngine.open(folder)
    try:
        yield engine
    finally:
        await engine.close()


@pytest.fixture(params=["memory", "sqlite"])
def play(request: pytest.FixtureRequest, tmp_path: Path) -> Play:
    async def played(story: Story) -> None:
        async with opened(request.param, tmp_path / "store") as engine:
            await story(Desk(engine))

    return lambda story: asyncio.run(played(story))


# Accounts and devices


def test_a_device_enrols_once_with_its_account(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.enrol("alice")
        alice = device("alice")
        account = await desk.engine.account(alice.account)
        assert account is not None
        assert (account.key, account.created) == (alice.account_key, NOW)
        assert not account.is_owner
        again = Enrolment(alice, NOW, None, may_create_account=False)
        assert await desk.engine.enrol(again) is ErrorCode.EXISTS
        assert [each.account for each in await desk.engine.accounts()] == [
            alice.account
        ]
        assert await desk.engine.account(bytes(32)) is None
        assert await desk.engine.device(bytes(16)) is None

    play(story)


def test_an_account_has_a_limited_number_of_devices(play: Play) -> None:
    async def story(desk: Desk) -> None:
        for number in range(limits.DEVICES_PER_ACCOUNT):
            await desk.enrol(f"device {number}", "alice")
        more = Enrolment(device("more", "alice"), NOW, None, may_create_account=False)
        assert await desk.engine.enrol(more) is ErrorCode.TOO_MANY

    play(story)


def test_an_account_comes_by_a_server_invite_as_often_as_it_says(play: Play) -> None:
    async def story(desk: Desk) -> None:
        invite = ServerInvite(bytes(16), bytes(32), NOW, NOW + 10, 1, makes_owner=True)
        assert await desk.engine.put_server_invite(invite)
        assert not await desk.engine.put_server_invite(invite)

        async def enrol(name: str, invite: bytes, now: int) -> ErrorCode | None:
            use = InviteUse(invite)
            return await desk.engine.enrol(
                Enrolment(device(name), now, use, may_create_account=True)
            )

        assert await enrol("alice", b"?" * 16, NOW) is ErrorCode.INVITE_INVALID
        assert await enrol("alice", bytes(16), NOW + 10) is ErrorCode.INVITE_INVALID
        assert await enrol("alice", bytes(16), NOW + 9) is None
        assert await enrol("bob", bytes(16), NOW) is ErrorCode.INVITE_INVALID
        account = await desk.engine.account(device("alice").account)
        assert account is not None
        assert account.is_owner
        known = await desk.engine.server_invite(bytes(16))
        assert known is not None
        assert known.used == 1
        assert await desk.engine.server_invites() == [known]
        assert await desk.engine.remove_server_invite(bytes(16))
        assert not await desk.engine.remove_server_invite(bytes(16))

    play(story)


def test_a_counter_only_rises(play: Play) -> None:
    async def story(desk: Desk) -> None:
        alice = await desk.enrol("alice")
        counters = [5, 3, 5, 6]
        assert [await desk.engine.connect(alice, each) for each in counters] == [
            0,
            5,
            5,
            5,
        ]
        known = await desk.engine.device(alice)
        assert known is not None
        assert known.counter == 6

    play(story)


def test_a_device_list_replaces_only_an_older_one(play: Play) -> None:
    async def story(desk: Desk) -> None:
        phone = await desk.enrol("phone", "alice")
        laptop = await desk.enrol("laptop", "alice")
        account = device("phone", "alice").account

        async def put(number: int, *listed: bytes, revoked: bytes = b"") -> object:
            gone = (revoked,) if revoked else ()
            signed = f"list {number}".encode()
            change = DeviceListChange(account, number, listed, gone, signed)
            return await desk.engine.put_device_list(change)

        assert await desk.engine.device_list(account) is None
        assert await put(2, phone, laptop) == []
        assert await put(2, phone) is None
        assert await put(1, phone) is None
        assert await desk.engine.device_list(account) == (2, b"list 2")
        never_seen = device("tablet", "alice")
        assert await put(3, phone, revoked=never_seen.device) == [laptop]
        known = await desk.engine.device(laptop)
        assert known is not None
        assert known.is_revoked
        enrolment = Enrolment(never_seen, NOW, None, may_create_account=False)
        assert await desk.engine.enrol(enrolment) is ErrorCode.REVOKED

    play(story)


def test_a_revoked_device_is_cut_from_its_rooms(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.room("alice", "bob")
        await desk.append("alice", "hello")
        desk.changes.clear()
        bob = device("bob")
        change = DeviceListChange(bob.account, 1, (), (), b"")
        assert await desk.engine.put_device_list(change) == [bob.device]
        assert await desk.engine.route(ROOM, bob.device) == Route(0, 1)
        assert [each.cuts for each in desk.changes] == [(Cut(bob.device, 1),)]

    play(story)


def test_bans_are_kept_by_subject(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.engine.put_ban(Ban("192.0.2.7", NOW, NOW + 1))
        await desk.engine.put_ban(Ban("192.0.2.7", NOW))
        assert await desk.engine.bans() == [Ban("192.0.2.7", NOW)]
        assert await desk.engine.remove_ban("192.0.2.7")
        assert not await desk.engine.remove_ban("192.0.2.7")

    play(story)


# Key packages


def test_a_one_time_key_package_is_claimed_once(play: Play) -> None:
    async def story(desk: Desk) -> None:
        phone = await desk.enrol("phone", "alice")
        await desk.enrol("silent", "alice")
        account = device("phone", "alice").account
        assert await desk.engine.publish_key_packages(phone, (b"one", b"two"), b"last")
        assert await desk.engine.count_key_packages(phone) == (2, True)
        claimed = [await desk.engine.claim_key_packages(account) for _ in range(4)]
        assert [[each.key_package for each in claim] for claim in claimed] == [
            [b"one"],
            [b"two"],
            [b"last"],
            [b"last"],
        ]
        assert [claim[0].is_last_resort for claim in claimed] == [
            False,
            False,
            True,
            True,
        ]
        assert await desk.engine.claim_key_packages(bytes(32)) == []

    play(story)


def test_claims_at_the_same_time_get_different_key_packages(play: Play) -> None:
    async def story(desk: Desk) -> None:
        alice = await desk.enrol("alice")
        packages = tuple(bytes([number]) for number in range(20))
        await desk.engine.publish_key_packages(alice, packages, None)
        account = device("alice").account
        claims = await asyncio.gather(
            *[desk.engine.claim_key_packages(account) for _ in range(25)]
        )
        assert sorted(each.key_package for claim in claims for each in claim) == sorted(
            packages
        )

    play(story)


def test_key_packages_are_added_all_or_none(play: Play) -> None:
    async def story(desk: Desk) -> None:
        alice = await desk.enrol("alice")
        many = (b"k",) * limits.KEY_PACKAGES_PER_DEVICE
        assert await desk.engine.publish_key_packages(alice, many, None)
        assert not await desk.engine.publish_key_packages(alice, (b"k",), b"last")
        assert await desk.engine.count_key_packages(alice) == (len(many), False)

    play(story)


# Rooms and the log


def test_a_new_room_is_empty_and_its_maker_is_in_it(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.room("alice")
        state = await desk.engine.room(ROOM)
        assert state is not None
        assert (state.place, state.handshake, state.hash) == (0, 0, first_hash(ROOM))
        alice = device("alice")
        assert await desk.engine.route(ROOM, alice.device) == Route(0)
        assert await desk.engine.create_room(ROOM, alice.device, NOW) is (
            ErrorCode.EXISTS
        )
        assert await desk.engine.has_account(ROOM, alice.account)
        assert not await desk.engine.has_account(ROOM, bytes(32))
        assert list(await desk.engine.routes(alice.device)) == [
            frames.RoomRoute(ROOM, 0)
        ]

    play(story)


def test_an_account_makes_a_limited_number_of_rooms(play: Play) -> None:
    async def story(desk: Desk) -> None:
        alice = await desk.enrol("alice")
        made = await asyncio.gather(
            *[
                desk.engine.create_room(some(f"{number}", 16), alice, NOW)
                for number in range(limits.ROOMS_PER_ACCOUNT + 1)
            ]
        )
        assert made.count(ErrorCode.TOO_MANY) == 1
        assert made.count(None) == limits.ROOMS_PER_ACCOUNT

    play(story)


def test_what_is_not_there_is_not_found(play: Play) -> None:
    async def story(desk: Desk) -> None:
        alice = await desk.enrol("alice")
        assert await desk.append("alice", "hello") == Denied(ErrorCode.NOT_FOUND)
        repair = RepairProposal(ROOM, alice, 0, frames.Bundle(), NOW)
        assert await desk.engine.repair(repair) == Denied(ErrorCode.NOT_FOUND)
        assert await desk.engine.room(ROOM) is None
        assert await desk.engine.route(ROOM, alice) is None
        assert await desk.engine.group(ROOM) is None
        assert await desk.engine.room_invite(ROOM, bytes(16)) is None
        assert list(await desk.engine.markers(ROOM)) == []
        assert not await desk.engine.remove_room(ROOM)
        assert await desk.engine.blob(bytes(16)) is None

    play(story)


def test_entries_stand_in_order_and_the_hash_runs(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.room("alice", "bob")
        for number in range(6):
            name = ("alice", "bob")[number % 2]
            assert await desk.append(name, f"{number}") == Placed(number + 1, NOW)
        page = await desk.engine.entries(ROOM, 0, MAX_INTEGER, 100)
        assert [entry.blob for entry in page.entries] == [
            f"{number}".encode() for number in range(6)
        ]
        running = page.previous
        for entry in page.entries:
            running = next_hash(ROOM, running, entry)
            assert await desk.engine.hash_at(ROOM, entry.place) == running
        state = await desk.engine.room(ROOM)
        assert state is not None
        assert (state.place, state.hash) == (6, running)
        assert await desk.engine.hash_at(ROOM, 7) is None
        assert await desk.engine.hash_at(ROOM, MAX_INTEGER) is None

    play(story)


def test_pages_are_bounded_by_number_size_and_place(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.room("alice")
        for number in range(5):
            await desk.append("alice", f"{number}")
        first = await desk.engine.entries(ROOM, 0, MAX_INTEGER, 2)
        assert ([entry.place for entry in first.entries], first.more) == ([1, 2], True)
        second = await desk.engine.entries(ROOM, 2, 4, 10)
        assert ([entry.place for entry in second.entries], second.more) == (
            [3, 4],
            False,
        )
        assert second.previous == await desk.engine.hash_at(ROOM, 2)
        past = await desk.engine.entries(ROOM, MAX_INTEGER, MAX_INTEGER, 10)
        assert (past.entries, past.more) == ((), False)
        await desk.append("alice", "x" * limits.PAGE)
        await desk.append("alice", "y" * limits.PAGE)
        large = await desk.engine.entries(ROOM, 5, MAX_INTEGER, 10)
        assert ([entry.place for entry in large.entries], large.more) == ([6], True)

    play(story)


def test_a_resend_gets_its_old_place(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.room("alice", "bob")
        await desk.append("alice", "hello")
        await desk.append("bob", "hello")  # same key, another device
        await desk.commit("bob", "commit")
        desk.changes.clear()
        assert await desk.append("alice", "hello") == Placed(1, NOW, again=True)
        assert await desk.append("bob", "hello", 3) == Placed(2, NOW, again=True)
        assert desk.changes == []

    play(story)


def test_resends_that_arrive_together_get_one_place(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.room("alice")
        outcomes = await asyncio.gather(*[desk.append("alice", "x") for _ in range(9)])
        assert [
            outcome.again for outcome in outcomes if isinstance(outcome, Placed)
        ] == [
            False,
            *[True] * 8,
        ]
        state = await desk.engine.room(ROOM)
        assert state is not None
        assert state.place == 1

    play(story)


def test_of_handshakes_that_arrive_together_one_wins(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.room("alice")
        outcomes = await asyncio.gather(
            *[desk.commit("alice", f"commit {number}") for number in range(9)]
        )
        assert outcomes == [Placed(1, NOW), *[Overtaken(1)] * 8]
        assert await desk.append("alice", "late") == Overtaken(1)
        assert await desk.append("alice", "now", 1) == Placed(2, NOW)
        ahead = await desk.append("alice", "ahead", 2)
        assert ahead == Denied(ErrorCode.BEHIND, frames.Facts(place=2))

    play(story)


def test_only_newer_handshakes_are_told_to_who_was_late(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.room("alice")
        await desk.commit("alice", "first")
        await desk.append("alice", "text", 1)
        await desk.commit("alice", "second", 1)
        await desk.commit("alice", "third", 3)
        entries, more = await desk.engine.handshakes(ROOM, 1, 10)
        assert ([entry.place for entry in entries], more) == ([3, 4], False)
        entries, more = await desk.engine.handshakes(ROOM, 0, 2)
        assert ([entry.place for entry in entries], more) == ([1, 3], True)

    play(story)


def test_a_room_does_not_grow_beyond_its_limit(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.room("alice")
        outcome = await desk.commit("alice", "x" * 100, room_limit=100)
        assert outcome == Denied(ErrorCode.ROOM_FULL, frames.Facts(limit=100, actual=0))

    play(story)


def test_the_listener_is_told_before_the_call_returns(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.room("alice")
        desk.changes.clear()
        await asyncio.gather(*[desk.append("alice", f"{n}") for n in range(30)])
        entries = [entry for change in desk.changes for entry in change.entries]
        assert [entry.place for entry in entries] == list(range(1, 31))
        running = first_hash(ROOM)
        for change in desk.changes:
            assert change.previous == running
            for entry in change.entries:
                running = next_hash(ROOM, running, entry)
            assert change.state.hash == running

    play(story)


def test_time_never_runs_back(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.room("alice")
        assert await desk.commit("alice", "a", now=NOW + 5) == Placed(1, NOW + 5)
        assert await desk.commit("alice", "b", 1, now=NOW - 5) == Placed(2, NOW + 5)

    play(story)


# Bundles


def test_routing_begins_and_ends_with_its_bundle(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.room("alice")
        bob = await desk.enrol("bob")
        unknown = bytes(16)
        await desk.append("alice", "before")
        assert await desk.append("bob", "hi") == Denied(ErrorCode.NOT_FOUND)
        await desk.commit("alice", "add", 0, frames.Bundle(route=(bob, unknown)))
        assert await desk.engine.route(ROOM, bob) == Route(2)
        assert await desk.engine.route(ROOM, unknown) is None
        await desk.append("bob", "hi", 2)
        desk.changes.clear()
        await desk.commit("alice", "remove", 2, frames.Bundle(unroute=(bob, unknown)))
        assert await desk.engine.route(ROOM, bob) == Route(2, 4)
        assert desk.changes[-1].cuts == (Cut(bob, 4),)
        assert await desk.append("bob", "more", 4) == Denied(ErrorCode.NOT_FOUND)
        assert await desk.append("bob", "hi", 4) == Placed(3, NOW, again=True)
        await desk.commit("alice", "add again", 4, frames.Bundle(route=(bob,)))
        assert await desk.engine.route(ROOM, bob) == Route(5)

    play(story)


def test_who_leaves_is_cut_with_the_entry(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.room("alice", "bob")
        left = await desk.commit("bob", "bye", kind=Kind.APPLICATION, leaving=True)
        assert left == Placed(1, NOW)
        assert await desk.engine.route(ROOM, device("bob").device) == Route(0, 1)
        resent = await desk.commit("bob", "bye", kind=Kind.APPLICATION, leaving=True)
        assert resent == Placed(1, NOW, again=True)

    play(story)


def test_a_refused_bundle_changes_nothing(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.room("alice")
        bob = await desk.enrol("bob")
        missing = frames.BlobReference(bytes(16), 1, bytes(32))
        bundle = frames.Bundle(
            group=frames.GroupAdvice(bytes(16), b"", b"", missing), route=(bob,)
        )
        assert await desk.commit("alice", "add", 0, bundle) == Denied(
            ErrorCode.BLOB_INCOMPLETE
        )
        assert await desk.repair(device("alice").device, bundle) == Denied(
            ErrorCode.BLOB_INCOMPLETE
        )
        assert await desk.engine.route(ROOM, bob) is None
        state = await desk.engine.room(ROOM)
        assert state is not None
        assert state.place == 0

    play(story)


def test_a_repair_is_refused_to_strangers_and_latecomers(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.room("alice")
        bob = await desk.enrol("bob")
        assert await desk.repair(bob, frames.Bundle()) == Denied(ErrorCode.NOT_FOUND)
        await desk.commit("alice", "commit")
        late = RepairProposal(ROOM, device("alice").device, 0, frames.Bundle(), NOW)
        assert await desk.engine.repair(late) == Overtaken(1)

    play(story)


def test_invites_come_with_the_group_and_keep_their_counts(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.room("alice")
        kept = frames.Invite(b"k" * 16, bytes(32), bytes(16), NOW + 50, 1)
        dropped = frames.Invite(b"d" * 16, bytes(32), bytes(16))
        advice = await desk.advice("alice", "1", kept, dropped)
        await desk.commit("alice", "one", 0, frames.Bundle(group=advice))
        assert await desk.engine.group(ROOM) == advice
        for name in ("bob", "carol"):
            await desk.enrol(name)

        async def join(name: str, handshake: int, now: int = NOW) -> object:
            return await desk.commit(
                name,
                f"join of {name}",
                handshake,
                frames.Bundle(group=advice),
                joining=True,
                invite=kept.invite,
                now=now,
            )

        late = await join("bob", 1, NOW + 50)
        assert late == Denied(ErrorCode.INVITE_INVALID)
        assert await join("bob", 1) == Placed(2, NOW)
        assert await join("carol", 2) == Denied(ErrorCode.INVITE_INVALID)
        newer = await desk.advice("alice", "2", kept)
        await desk.commit("alice", "two", 2, frames.Bundle(group=newer))
        known = await desk.engine.room_invite(ROOM, kept.invite)
        assert known is not None
        assert (known.joined, known.invite) == (1, kept)
        assert await desk.engine.room_invite(ROOM, dropped.invite) is None

    play(story)


def test_an_account_comes_by_a_room_invite(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.room("alice")
        terms = frames.Invite(b"k" * 16, bytes(32), bytes(16), None, 1)
        advice = await desk.advice("alice", "1", terms)
        await desk.commit("alice", "one", 0, frames.Bundle(group=advice))
        use = InviteUse(terms.invite, ROOM)
        for name, refused in (("bob", None), ("carol", ErrorCode.INVITE_INVALID)):
            enrolment = Enrolment(device(name), NOW, use, may_create_account=True)
            assert await desk.engine.enrol(enrolment) is refused
        nowhere = InviteUse(terms.invite, bytes(16))
        enrolment = Enrolment(device("dave"), NOW, nowhere, may_create_account=True)
        assert await desk.engine.enrol(enrolment) is ErrorCode.INVITE_INVALID

    play(story)


def test_welcomes_wait_in_the_mailbox_until_discarded(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.room("alice")
        bob = await desk.enrol("bob")
        for number in range(3):
            welcome = frames.Welcome((bob, bytes(16)), f"welcome {number}".encode())
            await desk.commit(
                "alice", f"add {number}", number, frames.Bundle(welcomes=(welcome,))
            )
        expected = [
            frames.WaitingWelcome(
                number, ROOM, number, f"welcome {number - 1}".encode()
            )
            for number in (1, 2, 3)
        ]
        delivered = [each for change in desk.changes for each in change.deliveries]
        assert [(each.device, each.welcome) for each in delivered] == [
            (bob, each) for each in expected
        ]
        assert await desk.engine.welcomes(bob, 0) == (tuple(expected), False)
        assert await desk.engine.welcomes(bob, 2) == ((expected[2],), False)
        await desk.engine.discard_welcomes(bob, 2)
        assert await desk.engine.welcomes(bob, 0) == ((expected[2],), False)
        assert await desk.engine.count_welcomes(bob) == 1
        assert await desk.engine.count_welcomes(bytes(16)) == 0

    play(story)


def test_a_full_mailbox_loses_the_oldest(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.room("alice")
        bob = await desk.enrol("bob")
        welcomes = (frames.Welcome((bob,) * 100, b"w"),) * 11
        await desk.commit("alice", "add", 0, frames.Bundle(welcomes=welcomes))
        assert await desk.engine.count_welcomes(bob) == limits.WELCOMES_PER_DEVICE
        (first, *_), _more = await desk.engine.welcomes(bob, 0)
        assert first.number == 101

    play(story)


# Markers


def test_markers_replace_each_other_and_go_with_the_device(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.room("alice", "bob")
        alice, bob = device("alice").device, device("bob").device
        await desk.engine.put_markers(
            ROOM, [frames.Marker(alice, 0, b"1"), frames.Marker(bob, 0, b"b")]
        )
        await desk.engine.put_markers(ROOM, [frames.Marker(alice, 0, b"2")])
        await desk.engine.put_markers(bytes(16), [frames.Marker(alice, 0, b"3")])
        await desk.append("alice", "a change after which markers show")
        assert sorted(each.blob for each in await desk.engine.markers(ROOM)) == [
            b"2",
            b"b",
        ]
        await desk.commit("alice", "remove", 0, frames.Bundle(unroute=(bob,)))
        assert [each.blob for each in await desk.engine.markers(ROOM)] == [b"2"]

    play(story)


# Restored relays


def test_entries_are_fed_back_as_they_were(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.room("alice")
        state = await desk.engine.room(ROOM)
        assert state is not None
        alice = device("alice").device
        lost = [
            frames.Entry(3, Kind.HANDSHAKE, alice, NOW, some("a", 16), 0, b"a"),
            frames.Entry(
                7, Kind.APPLICATION, alice, NOW, some("b", 16), 3, None, bytes(32)
            ),
        ]
        desk.changes.clear()
        assert await desk.engine.refeed(ROOM, lost, state)
        assert not await desk.engine.refeed(ROOM, lost, state)
        after = await desk.engine.room(ROOM)
        assert after is not None
        assert (after.place, after.handshake) == (7, 3)
        assert [change.entries for change in desk.changes] == [tuple(lost)]
        page = await desk.engine.entries(ROOM, 0, MAX_INTEGER, 10)
        assert page.entries == tuple(lost)
        between = await desk.engine.entries(ROOM, 5, MAX_INTEGER, 10)
        assert between.previous == await desk.engine.hash_at(ROOM, 3)
        assert await desk.append("alice", "a", 3) == Placed(3, NOW, again=True)
        assert await desk.append("alice", "new", 3) == Placed(8, NOW)

    play(story)


# Blobs


def test_a_blob_arrives_in_pieces_and_is_read_in_parts(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.room("alice")
        content = bytes(range(200))
        blob = blob_of("alice", content, "b")
        assert await desk.engine.create_blob(blob, UNLIMITED) is None
        assert await desk.engine.write_blob(blob.blob, 0, content[:150]) == 150
        known = await desk.engine.blob(blob.blob)
        assert known is not None
        assert (known.stored, known.is_complete) == (150, False)
        assert await desk.engine.write_blob(blob.blob, 0, content) is None
        assert await desk.engine.write_blob(blob.blob, 151, b"") is None
        assert await desk.engine.write_blob(blob.blob, 150, content[150:]) == 200
        assert await desk.engine.finish_blob(blob.blob)
        known = await desk.engine.blob(blob.blob)
        assert known is not None
        assert (known.stored, known.is_complete) == (200, True)
        assert await desk.engine.read_blob(blob.blob, 190, 100) == content[190:]
        assert await desk.engine.read_blob(blob.blob, 300, 100) == b""

    play(story)


def test_a_blob_that_does_not_fit_its_hash_begins_anew(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.room("alice")
        blob = blob_of("alice", b"right", "b")
        await desk.engine.create_blob(blob, UNLIMITED)
        await desk.engine.write_blob(blob.blob, 0, b"wrong")
        assert not await desk.engine.finish_blob(blob.blob)
        known = await desk.engine.blob(blob.blob)
        assert known is not None
        assert (known.stored, known.is_complete) == (0, False)
        await desk.engine.write_blob(blob.blob, 0, b"right")
        assert await desk.engine.finish_blob(blob.blob)

    play(story)


@pytest.mark.parametrize(
    ("allowed", "code"),
    [
        (BlobLimits(4, PLENTY, PLENTY), ErrorCode.ACCOUNT_FULL),
        (BlobLimits(PLENTY, 4, PLENTY), ErrorCode.ROOM_FULL),
        (BlobLimits(PLENTY, PLENTY, 4), ErrorCode.RELAY_FULL),
    ],
)
def test_blobs_count_against_three_quotas(
    play: Play, allowed: BlobLimits, code: ErrorCode
) -> None:
    async def story(desk: Desk) -> None:
        await desk.room("alice")
        blob = blob_of("alice", b"12345", "b")
        denied = await desk.engine.create_blob(blob, allowed)
        assert denied == Denied(code, frames.Facts(limit=4, actual=0))
        assert await desk.engine.create_blob(blob, UNLIMITED) is None
        usage = await desk.engine.usage()
        assert (usage.blobs, usage.blob_bytes) == (1, 5)
        await desk.engine.remove_blob(blob.blob)
        await desk.engine.remove_blob(blob.blob)
        usage = await desk.engine.usage()
        assert (usage.blobs, usage.blob_bytes) == (0, 0)
        account = await desk.engine.account(device("alice").account)
        state = await desk.engine.room(ROOM)
        assert account is not None
        assert state is not None
        assert (account.blob_bytes, state.size) == (0, 0)

    play(story)


# Retention


def rules(later: int, **terms: int | None) -> RetentionRules:
    ages: dict[str, int | None] = {
        "entry_age": None,
        "handshake_idle": 10**9,
        "upload_age": 10**9,
        "blob_age": 10**9,
    }
    values = {**ages, **terms}
    return RetentionRules(now=NOW + later, **values)  # type: ignore[arg-type]


def test_old_entries_lose_their_blob_and_keep_their_place(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.room("alice")
        await desk.append("alice", "old")
        await desk.commit("alice", "commit")
        before = await desk.engine.room(ROOM)
        assert await desk.engine.retain(rules(100, entry_age=100)) == Removed(0, 0)
        assert await desk.engine.retain(rules(101, entry_age=100)) == Removed(1, 0)
        page = await desk.engine.entries(ROOM, 0, MAX_INTEGER, 10)
        assert [entry.blob for entry in page.entries] == [None, b"commit"]
        running = page.previous
        for entry in page.entries:
            running = next_hash(ROOM, running, entry)
        after = await desk.engine.room(ROOM)
        assert before is not None
        assert after is not None
        assert after.hash == running == before.hash
        assert after.size == before.size - len(b"old")

    play(story)


def test_handshakes_are_kept_while_a_device_needs_them(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.room("alice", "bob")
        for number in range(3):
            await desk.commit("alice", f"commit {number}", number)
        alice, bob = device("alice").device, device("bob").device

        async def kept(later: int) -> list[int]:
            await desk.append("alice", "what was noted shows after this", 3)
            await desk.engine.retain(rules(later, entry_age=0, handshake_idle=50))
            entries, _ = await desk.engine.handshakes(ROOM, 0, 10)
            return [entry.place for entry in entries if entry.blob is not None]

        await desk.engine.note_progress(ROOM, alice, 3, NOW)
        assert await kept(10) == [1, 2, 3]  # bob needs them all
        await desk.engine.note_progress(ROOM, bob, 1, NOW + 10)
        assert await kept(20) == [2, 3]
        await desk.engine.note_progress(ROOM, bob, 0, NOW + 10)  # never goes back
        assert await kept(20) == [2, 3]
        assert await kept(61) == [3]  # bob was silent too long; the newest stays

    play(story)


def test_patches_follow_the_tree_until_another_comes(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.room("alice")
        assert await desk.engine.entrance(ROOM) is None
        assert await desk.engine.entrance(bytes(16)) is None
        first = await desk.advice("alice", "0")
        await desk.commit("alice", "commit 0", 0, frames.Bundle(group=first))
        for number in (1, 2):
            assert isinstance(await desk.patch("alice", number), Placed)
        entrance = await desk.engine.entrance(ROOM)
        assert entrance is not None
        assert entrance.patches == (b"\1" * 5, b"\2" * 5)
        assert entrance.state == await desk.engine.room(ROOM)
        assert entrance.tree == first.tree
        assert entrance.advice.name == some("name 2", 16)
        assert entrance.advice.patch is None
        needed = Denied(ErrorCode.TREE_NEEDED)
        skipping = desk.patch("alice", 3, limits.SMALL_TREE_PATCHES)
        assert await skipping == needed
        second = await desk.advice("alice", "9")
        await desk.repair(device("alice").device, frames.Bundle(group=second))
        entrance = await desk.engine.entrance(ROOM)
        assert entrance is not None
        assert (entrance.tree, entrance.patches) == (second.tree, ())
        assert await desk.patch("alice", 3) == needed
        assert await desk.engine.retain(rules(limits.DAY)) == Removed(0, 1)
        await desk.engine.remove_room(ROOM)
        assert await desk.engine.entrance(ROOM) is None

    play(story)


def test_a_replaced_tree_goes_and_the_current_one_stays(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.room("alice")
        for number in range(2):
            advice = await desk.advice("alice", f"{number}")
            await desk.commit(
                "alice", f"commit {number}", number, frames.Bundle(group=advice)
            )
        assert await desk.engine.retain(rules(0)) == Removed(0, 0)
        assert await desk.engine.retain(rules(limits.DAY)) == Removed(0, 1)
        current = await desk.engine.group(ROOM)
        assert current is not None
        assert current.tree is not None
        assert await desk.engine.read_blob(current.tree.blob, 0, 10) == b"tree 1"
        assert await desk.engine.retain(rules(10**12)) == Removed(1, 0)

    play(story)


def test_unfinished_and_old_blobs_go(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.room("alice")
        await desk.engine.create_blob(blob_of("alice", b"half", "half"), UNLIMITED)
        await desk.blob("alice", b"whole", "whole")
        assert await desk.engine.retain(rules(11, upload_age=10)) == Removed(0, 1)
        assert await desk.engine.retain(rules(21, blob_age=20)) == Removed(0, 1)
        assert (await desk.engine.usage()).blobs == 0

    play(story)


def test_a_removed_room_leaves_nothing(play: Play) -> None:
    async def story(desk: Desk) -> None:
        await desk.room("alice", "bob")
        await desk.append("alice", "hello")
        await desk.blob("alice", b"whole", "whole")
        assert [
            (room.room, room.devices, room.entries)
            for room in await desk.engine.rooms()
        ] == [(ROOM, 2, 1)]
        assert await desk.engine.remove_room(ROOM)
        usage = await desk.engine.usage()
        assert (usage.rooms, usage.entries, usage.entry_bytes, usage.blobs) == (
            0,
            0,
            0,
            0,
        )
        assert (usage.accounts, usage.devices) == (2, 2)
        assert await desk.engine.create_room(ROOM, device("bob").device, NOW) is None
        assert await desk.append("bob", "hello") == Placed(1, NOW)

    play(story)
