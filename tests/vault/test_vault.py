"""One save is one transaction, on disk when it returns, and readable by nobody else."""

import subprocess
import sys
from pathlib import Path

import pytest

from tertulia.client import (
    EvidenceRow,
    InviteRow,
    MessageRow,
    OutboxRow,
    ProfileRow,
    PutEpoch,
    PutEvidence,
    PutInvite,
    PutMessage,
    PutOutbox,
    PutPending,
    PutProfile,
    PutRelay,
    PutRoom,
    RelayRow,
    RoomRow,
    RowChange,
)
from tertulia.crypto import Secret
from tertulia.errors import BugError
from tertulia.vault import Vault, VaultStorageError, create_vault, open_vault
from tests.vault.samples import KEY, RELAY, ROOM
from tests.vault.saving_process import LINES

ROOT = Path(__file__).resolve().parent.parent.parent


def test_a_save_that_fails_leaves_no_trace(vault: Vault) -> None:
    before = RelayRow(b"relay", ("https://a",), 1)
    vault.save([PutRelay(before)])
    broken = PutMessage(MessageRow(ROOM, None, None, b""))  # type: ignore[arg-type]
    with pytest.raises(BugError, match="NOT NULL"):
        vault.save([PutRelay(RelayRow(b"relay", (), 2)), broken])
    assert vault.relays() == [before]
    vault.save([PutRelay(RelayRow(b"another", (), 1))])
    assert len(vault.relays()) == 2


def test_a_full_disk_leaves_the_vault_as_it_was(vault: Vault) -> None:
    # SQLite's own limit fails in the same way.
    vault._database.pragma("max_page_count", vault._database.pragma("page_count") + 2)
    big = [PutMessage(MessageRow(ROOM, b"%d" % n, n, bytes(9_000))) for n in range(9)]
    with pytest.raises(VaultStorageError) as caught:
        vault.save([PutRelay(RelayRow(b"relay", (), 1)), *big])
    assert caught.value.is_full
    assert vault.relays() == []
    vault._database.pragma("max_page_count", 1_000_000)
    vault.save(big)
    assert vault.count_messages(ROOM) == 9


def test_nothing_can_be_saved_too(vault: Vault) -> None:
    vault.save([])
    assert vault.messages(None, 0, 10) == []


def test_what_was_saved_is_there_when_the_vault_is_opened_again(path: Path) -> None:
    for number in range(3):
        vault = open_vault(path, KEY) if number else create_vault(path, KEY)
        assert len(vault.messages(None, 0, 10)) == number
        vault.save([PutMessage(MessageRow(ROOM, b"%d" % number, None, b""))])
        vault.close()


def test_a_closed_vault_answers_nothing(path: Path) -> None:
    vault = create_vault(path, KEY)
    vault.close()
    vault.close()
    with pytest.raises(BugError):
        vault.profile()


def test_no_text_name_or_key_stands_on_the_disk(path: Path) -> None:
    mark = b"the night-blooming cereus"
    word = mark.decode()
    rows: list[RowChange] = [
        PutProfile(ProfileRow(mark, Secret(mark), mark, mark, Secret(mark), 0, word)),
        PutRelay(RelayRow(mark, (word,), 0, word)),
        PutRoom(RoomRow(mark, RELAY, mark)),
        PutEpoch(mark, mark, {mark: mark}),
        PutPending(mark, mark),
        PutOutbox(OutboxRow(mark, 1, mark, mark)),
        PutInvite(InviteRow(mark, mark, word)),
        PutEvidence(EvidenceRow(mark, 1, word, mark)),
    ]
    many: list[RowChange] = [
        PutMessage(MessageRow(mark, mark + b"%d" % number, number, mark * 10))
        for number in range(3_000)
    ]
    vault = create_vault(path, KEY)
    vault.save([*rows, *many])
    vault.save(many[:10])
    assert vault.count_messages(mark) == len(many)
    while_open = _bytes_outside(path.parent)
    vault.close()
    closed = b"".join(file.read_bytes() for file in path.parent.iterdir())
    for found in (while_open, closed):
        assert len(found) > 3_000 * 250
        for clear in (mark, b"SQLite format", b"CREATE TABLE", KEY.reveal()):
            assert clear not in found


def _bytes_outside(folder: Path) -> bytes:
    """Read all files in another process: in this one it would end SQLite's locks."""
    script = (
        "import pathlib, sys\n"
        "for file in sorted(pathlib.Path(sys.argv[1]).rglob('*')):\n"
        "    sys.stdout.buffer.write(file.read_bytes())\n"
    )
    return subprocess.run(
        [sys.executable, "-c", script, str(folder)], check=True, capture_output=True
    ).stdout


def test_a_killed_process_loses_nothing_and_leaves_nothing_half_done(
    path: Path,
) -> None:
    create_vault(path, KEY).close()
    first = 1
    for saves in (1, 2, 9, 30, 4):
        acknowledged = _save_and_kill(path.parent, first, saves)
        vault = open_vault(path, KEY)
        (room,) = vault.rooms(RELAY)
        saved = int(room.row.state)
        # The last save may have been on disk before its process could say so.
        assert acknowledged <= saved <= acknowledged + 1
        assert room.epoch == room.row.state
        assert room.keys == {b"key": room.row.state}
        assert vault.count_messages(ROOM) == saved * LINES
        places = [row.place for row in vault.entries(ROOM, 0, 10_000)]
        assert places[-1] == saved * LINES + LINES - 1
        assert len(places) == min(saved * LINES, 2_000)
        vault.close()
        first = saved + 1


def _save_and_kill(folder: Path, first: int, saves: int) -> int:
    """Let a process save from `first` on, kill it, and return the last save it named."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.vault.saving_process", str(folder), str(first)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdout is not None
    try:
        lines = [process.stdout.readline() for _ in range(saves)]
    finally:
        process.kill()
    with process:
        lines += process.stdout.read().splitlines(keepends=True)
    return max(int(line) for line in lines if line.endswith(b"\n"))
