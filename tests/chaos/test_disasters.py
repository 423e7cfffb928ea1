"""What else happens to a relay: full and failing disks, lost tails, clocks, restores."""

import asyncio
import contextlib
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tertulia.wire import ErrorCode, first_hash, frames, next_hash
from tests.chaos.campaign import FAST
from tests.chaos.writers import Writer, check, gather_room, read_alike
from tests.running_relay import (
    Process,
    command,
    config_for,
    environment,
    invite_of,
    launch,
    launched,
    run,
    running_relay,
)
from tests.wire_client import RefusedError, Server, sign_in

DAY = 86_400_000


@dataclass
class Clock:
    """A clock that somebody sets."""

    now: int = 1_800_000_000_000

    def __call__(self) -> int:
        self.now += 1
        return self.now


@pytest.mark.parametrize("jump", [DAY, -DAY], ids=["forward", "back"])
def test_a_clock_that_jumps_a_day_changes_no_order(tmp_path: Path, jump: int) -> None:
    clock = Clock()

    async def story() -> None:
        async with running_relay(config_for(tmp_path), clock=clock) as running:
            chance = random.Random(1)
            writers = await gather_room(running.server, running.owner_invite, 2, chance)
            for _ in range(3):
                async with asyncio.TaskGroup() as group:
                    for writer in writers:
                        group.create_task(writer.write(running.server, 100))
                clock.now += jump
            for writer in writers:  # and the same entries once more
                await writer.write(running.server, 10)
            entries, _ = await read_alike(running.server, writers)
            assert (len(entries), check(writers, entries)) == (620, [])
            times = [entry.time for entry in entries]
            assert times == sorted(times), "an entry's time runs back"

    run(story())


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own; skips where we may not mount one."""
    mount = shutil.which("mount")
    if os.name != "posix" or os.geteuid() != 0 or mount is None:
        pytest.skip("only root can mount a small disk")
    folder.mkdir()
    done = subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=False
    )
    if done.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.slow
def test_a_full_disk_refuses_and_loses_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "6m") as disk:
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(3 * 1024 * 1024))
        with launched(disk / "relay", *FAST) as process:
            writers = run(until_full(process))
            full = sum(
                writer.refused.get(ErrorCode.RELAY_FULL, 0) for writer in writers
            )
            assert full, "the disk was never full"
            ballast.unlink()
            run(finish(process.server, writers))
            process.kill()
        with launched(disk / "relay", *FAST) as process:
            run(finish(process.server, writers))


async def until_full(process: Process) -> list[Writer]:
    invite = invite_of(process.line["owner_invite"])
    writers = await gather_room(process.server, invite, 2, random.Random(2))
    for _ in range(60):
        for writer in writers:
            await writer.write(process.server, 100)
        if any(writer.refused for writer in writers):
            break
    return writers


async def finish(server: Server, writers: list[Writer]) -> None:
    """Send what is left, then check every promise."""
    for writer in writers:
        await writer.write(server, 0)
        assert not writer.pending
    entries, _ = await read_alike(server, writers)
    assert check(writers, entries) == []


@pytest.mark.slow
def test_a_failing_fsync_acknowledges_nothing_that_is_lost(tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace makes the disk fail, and is not here")
    data = tmp_path / "relay"
    with launched(data) as process:
        invite = invite_of(process.line["owner_invite"])
        writers = run(gather_room(process.server, invite, 2, random.Random(3)))
        process.stop()
    failing = (
        *(strace, "-f", "-qq", "-o", os.devnull, "-e", "trace=fsync,fdatasync"),
        *("-e", "inject=fsync,fdatasync:error=EIO:when=20+7"),
    )
    with launched(data, "--log-level=error", prefix=failing) as process:
        for _ in range(10):
            for writer in writers:
                run(writer.write(process.server, 40))
        assert any(writer.refused for writer in writers), "the disk never failed"
        kill_below(process)
    with launched(data) as process:
        run(finish(process.server, writers))


def kill_below(process: Process) -> None:
    """Kill the relay under its tracer, then the tracer ends."""
    children = Path(f"/proc/{process.popen.pid}/task/{process.popen.pid}/children")
    for child in children.read_text().split():
        os.kill(int(child), 9)
    process.popen.communicate(timeout=20)


@pytest.mark.parametrize("cut", [1, 3_000, 60_000])
def test_a_write_ahead_log_that_lost_its_end_is_a_shorter_past(
    tmp_path: Path, cut: int
) -> None:
    """A disk that lied takes acknowledged entries; members bring them back."""
    data = tmp_path / "relay"
    with launched(data) as process:
        invite = invite_of(process.line["owner_invite"])
        writers = run(gather_room(process.server, invite, 2, random.Random(4)))
        for writer in writers:
            run(writer.write(process.server, 120))
        before, _ = run(read_alike(process.server, writers))
        process.kill()
    log = data / "relay.db-wal"
    os.truncate(log, max(0, log.stat().st_size - cut))
    with launched(data) as process:
        left, running = run(read_alike(process.server, writers))
        assert before[: len(left)] == left
        assert cut < 60_000 or len(left) < len(before), "nothing was lost"
        assert running == chain(writers[0].room, left)
        run(bring_back(process.server, writers[1], before, len(left)))
        run(finish(process.server, writers))


def chain(room: bytes, entries: list[frames.Entry]) -> bytes:
    running = first_hash(room)
    for entry in entries:
        running = next_hash(room, running, entry)
    return running


async def bring_back(
    server: Server, member: Writer, known: list[frames.Entry], kept: int
) -> None:
    """Feed a relay what it lost, under the head it once signed."""
    if kept == len(known):
        return
    assert member.head is not None
    async with sign_in(server, member.person) as client:
        ahead = frames.FollowRoom(1, member.room, known[-1].place)
        with pytest.raises(RefusedError) as behind:
            await client.ask(ahead)
        assert behind.value.code is ErrorCode.BEHIND
        lost = tuple(known[kept:])
        await client.ask(frames.Refeed(1, member.room, lost, member.head))


def test_a_restored_backup_gets_back_what_it_lacks(tmp_path: Path) -> None:
    old, backup, new = (tmp_path / name for name in ("old", "backup", "new"))
    with launched(old) as process:
        invite = invite_of(process.line["owner_invite"])
        writers = run(gather_room(process.server, invite, 2, random.Random(5)))
        run(writers[0].write(process.server, 50))
        admin("backup", str(backup), "--data", str(old))
        run(writers[1].write(process.server, 50))
        before, _ = run(read_alike(process.server, writers))
        first = incarnation(writers[1])
        process.kill()
    admin("restore", str(backup), "--data", str(new))
    with launched(new) as process:
        left, _ = run(read_alike(process.server, writers))
        assert left == before[:50]
        run(bring_back(process.server, writers[1], before, 50))
        after, _ = run(read_alike(process.server, writers))
        assert after == before
        run(writers[0].write(process.server, 1))
        assert incarnation(writers[0]) != first
        run(finish(process.server, writers))


def incarnation(writer: Writer) -> bytes:
    assert writer.head is not None
    return writer.head.incarnation


def admin(*arguments: str) -> None:
    subprocess.run(
        command("admin", *arguments), check=True, env=environment(), capture_output=True
    )


def test_two_relays_do_not_share_a_folder(tmp_path: Path) -> None:
    with (
        launched(tmp_path / "relay"),
        pytest.raises(AssertionError, match="store open"),
    ):
        launch(tmp_path / "relay")
