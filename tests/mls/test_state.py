from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.codec import encode_opaque
from tertulia.mls import (
    PUBLIC,
    Add,
    CommitPlan,
    Group,
    PrivateMessage,
    ReceivedApplication,
    ReInit,
    Remove,
    StateError,
    changed_rows,
    decode_tree,
    join,
    load_group,
    load_key_package,
    propose,
    propose_update,
    protect,
    receive,
    save_epoch,
    save_key_package,
    save_traffic,
)
from tertulia.mls.state import Rows
from tests.mls.world import (
    ANYTHING,
    agree,
    contents,
    follow,
    group_of,
    grown,
    hear,
    key_package,
    make,
    seeded,
)


def stored(group: Group) -> Group:
    tree = decode_tree(group.tree.encode())
    return load_group(save_epoch(group.epoch), save_traffic(group.traffic), tree)


def send(group: Group, text: bytes) -> tuple[Group, PrivateMessage]:
    return protect(group, text, seeded(text.decode()))


def hear_text(group: Group, message: PrivateMessage) -> Group:
    received = receive(group, message, ANYTHING)
    assert isinstance(received, ReceivedApplication)
    return received.group


def test_a_group_is_loaded_as_it_was_saved() -> None:
    for group in grown("Ana", "Luis", "Eva"):
        assert contents(stored(group)) == contents(group)


def test_a_tree_is_needed_and_may_stand_in_the_record() -> None:
    (group,) = group_of("Ana")
    record, rows = save_epoch(group.epoch), save_traffic(group.traffic)
    with pytest.raises(StateError, match="without its tree"):
        load_group(record, rows)
    # As it was before trees were kept apart.
    context = group.context.encode()
    assert record[1:].startswith(context + b"\0")
    rest = record[len(context) + 2 :]
    older = record[:1] + context + encode_opaque(group.tree.encode()) + rest
    assert contents(load_group(older, rows)) == contents(group)


def test_a_group_goes_on_after_it_was_stored() -> None:
    groups = [stored(group) for group in group_of("Ana", "Luis", "Eva")]
    after = follow(groups, make(groups[1]))
    assert agree([stored(group) for group in after])


def test_skipped_keys_survive() -> None:
    ana, luis = group_of("Ana", "Luis")
    ana, first = send(ana, b"first")
    ana, second = send(ana, b"second")
    luis = stored(hear_text(luis, second))
    assert contents(hear_text(luis, first).traffic) != contents(luis.traffic)


def test_pending_proposals_survive_with_the_key_of_my_update() -> None:
    ana, luis = group_of("Ana", "Luis")
    ana, message = propose_update(ana, seeded("update"), PUBLIC)
    ana, luis = (stored(group) for group in hear([ana, luis], ana, message))
    (reference,) = luis.traffic.proposals
    assert agree(follow([ana, luis], make(luis, CommitPlan(references=[reference]))))


def test_the_end_of_a_group_survives() -> None:
    ana, luis = group_of("Ana", "Luis")
    reinit = ReInit(b"second", 1, 1, ())
    _, luis = follow([ana, luis], make(ana, CommitPlan(proposals=[reinit])))
    assert stored(luis).reinit == reinit


def apply(rows: Rows, before: Group, after: Group) -> Rows:
    changed = changed_rows(before.traffic, after.traffic)
    merged = {**rows, **changed}
    return {key: row for key, row in merged.items() if row is not None}


def test_changed_rows_lead_from_one_state_to_the_next() -> None:
    ana, luis, eva = group_of("Ana", "Luis", "Eva")
    rows = save_traffic(ana.traffic)
    ana_next, _ = send(ana, b"one")
    rows = apply(rows, ana, ana_next)
    eva, message = propose(eva, Remove(1), seeded("propose"))
    ana_last, _, _ = hear([ana_next, luis, eva], eva, message)
    rows = apply(rows, ana_next, ana_last)
    assert rows == save_traffic(ana_last.traffic)


def test_a_message_changes_one_small_row() -> None:
    names = [f"member {number}" for number in range(20)]
    group, *_ = group_of(*names)
    group, _ = send(group, b"first")
    after, _ = send(group, b"second")
    (row,) = changed_rows(group.traffic, after.traffic).values()
    assert row is not None
    assert len(row) < 64


def test_nothing_changed_is_no_row() -> None:
    (group,) = group_of("Ana")
    assert changed_rows(group.traffic, group.traffic) == {}


def test_a_saved_key_package_still_joins() -> None:
    ana, *_ = group_of("Ana")
    mine = key_package("Luis", last_resort=True)
    loaded = load_key_package(save_key_package(mine))
    assert contents(loaded) == contents(mine)
    made = make(ana, CommitPlan(proposals=[Add(mine.key_package)]))
    assert made.welcome is not None
    assert agree([made.after, join(made.welcome, loaded, ANYTHING)])


def test_another_version_is_refused() -> None:
    (group,) = group_of("Ana")
    epoch, rows = save_epoch(group.epoch), save_traffic(group.traffic)
    with pytest.raises(StateError, match="version 02"):
        load_group(b"\2" + epoch[1:], rows, group.tree)
    with pytest.raises(StateError, match="version none"):
        load_group(epoch, dict.fromkeys(rows, b""), group.tree)
    with pytest.raises(StateError, match="version ff"):
        load_key_package(b"\xff" + save_key_package(key_package("Ana"))[1:])


@pytest.mark.parametrize(
    "key", [b"", b"\x09", b"\x01\0", b"\x01\0\0\0\0more", b"\x02\0\0\0\0\7"]
)
def test_a_row_under_an_unknown_key_is_refused(key: bytes) -> None:
    (group,) = group_of("Ana")
    ((good, row),) = save_traffic(group.traffic).items()
    assert good == b"\x01\0\0\0\0"
    with pytest.raises(StateError):
        load_group(save_epoch(group.epoch), {key: row}, group.tree)


def test_an_unknown_suite_is_refused() -> None:
    (group,) = group_of("Ana")
    context = replace(group.context, cipher_suite=0x7777)
    record = save_epoch(replace(group.epoch, context=context))
    with pytest.raises(StateError):
        load_group(record, {}, group.tree)
    package = key_package("Ana")
    strange = replace(package.key_package, cipher_suite=0x7777)
    with pytest.raises(StateError):
        load_key_package(save_key_package(replace(package, key_package=strange)))


@given(data=st.data())
def test_damaged_bytes_are_refused_or_another_group(data: st.DataObject) -> None:
    (group,) = group_of("Ana")
    record = bytearray(save_epoch(group.epoch))
    position = data.draw(st.integers(0, len(record) - 1))
    record[position] ^= data.draw(st.integers(1, 255))
    try:
        load_group(bytes(record), save_traffic(group.traffic), group.tree)
    except StateError:
        return
    assert bytes(record) != save_epoch(group.epoch)


@given(cut=st.integers(0, 2000))
def test_truncated_bytes_are_refused(cut: int) -> None:
    (group,) = group_of("Ana")
    record = save_epoch(group.epoch)
    with pytest.raises(StateError):
        load_group(record[: min(cut, len(record) - 1)], {}, group.tree)
    package = save_key_package(key_package("Ana"))
    with pytest.raises(StateError):
        load_key_package(package[: min(cut, len(package) - 1)])
