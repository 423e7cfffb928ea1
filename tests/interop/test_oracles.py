"""The two independent engines against each other, before ours is judged by them."""

from collections.abc import Iterator
from random import Random

import pytest

from tests.interop.oracles.availability import (
    MLS_RS,
    NAMES,
    REQUIRE_ALL,
    TS_MLS,
    engine,
)
from tests.interop.oracles.groups import (
    carry_out,
    found,
    leaf_of,
    propose,
    require_agreement,
    require_delivery,
)
from tests.interop.oracles.offers import (
    FAULTS,
    MISSING_PATH,
    OPERATIONS,
    UNMERGED_LEAVES,
    Operation,
    Status,
    table,
)
from tests.interop.oracles.oracle import (
    ApplicationMessage,
    Broken,
    Crashed,
    Engine,
    EpochEntered,
    Extension,
    Framing,
    GroupContextExtensions,
    MemberRemoved,
    Oracle,
    Refused,
    Remove,
    Sending,
    Unsupported,
    Update,
)
from tests.interop.oracles.probes import EXTENSION, PROBES, REQUIRE_BASIC
from tests.interop.oracles.ts_mls import TsMls

PUBLIC = Sending(framing=Framing.PUBLIC)


@pytest.fixture(scope="module")
def mls_rs() -> Iterator[Engine]:
    with engine(MLS_RS) as started:
        yield started


@pytest.fixture(scope="module")
def ts_mls() -> Iterator[Engine]:
    with engine(TS_MLS) as started:
        yield started


# The table ---------------------------------------------------------------------------


def test_every_row_of_the_table_has_its_probe() -> None:
    assert [operation.name for operation in OPERATIONS] == list(PROBES)
    for operation in OPERATIONS:
        assert operation.name in table()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_an_engine_does_what_the_table_says(
    operation: Operation, name: str, mls_rs: Engine, ts_mls: Engine
) -> None:
    subject, other = (mls_rs, ts_mls) if name == MLS_RS else (ts_mls, mls_rs)
    offer = operation.offer_of(name)
    probe = PROBES[operation.name]
    match offer.status:
        case Status.SUPPORTED | Status.MADE_UP:
            probe(subject, other)
        case Status.NOT_OFFERED:
            with pytest.raises(Unsupported):
                probe(subject, other)
        case Status.WRONG:
            with pytest.raises(Refused, match=offer.refusal):
                probe(subject, other)


# Faults ------------------------------------------------------------------------------


def test_every_fault_of_the_list_has_its_test() -> None:
    tests = {name.removeprefix("test_fault_") for name in globals()}
    assert {fault.code.replace("-", "_") for fault in FAULTS} <= tests


def test_fault_ts_mls_extensions_without_path(mls_rs: Engine, ts_mls: Engine) -> None:
    alice, bob, carol = (
        ts_mls.member(b"alice"),
        mls_rs.member(b"bob"),
        ts_mls.member(b"carol"),
    )
    found(alice, bob, carol)
    commit = alice.commit((GroupContextExtensions((REQUIRE_BASIC,)),), PUBLIC).commit
    with pytest.raises(Refused, match=MISSING_PATH):
        bob.process(commit)
    assert carol.process(commit) == EpochEntered()


def test_fault_ts_mls_extensions_with_path(mls_rs: Engine, ts_mls: Engine) -> None:
    alice, bob, carol, dave = (
        ts_mls.member(b"alice"),
        mls_rs.member(b"bob"),
        ts_mls.member(b"carol"),
        ts_mls.member(b"dave"),
    )
    found(alice, bob, carol, dave)
    remove = Remove(leaf_of(dave, alice))
    extensions = GroupContextExtensions((REQUIRE_BASIC,))
    commit = alice.commit((extensions, remove), PUBLIC).commit
    with pytest.raises(Refused, match="OpenSSL"):
        bob.process(commit)
    with pytest.raises(Refused, match="OpenError"):
        carol.process(commit)


def test_fault_ts_mls_extensions_not_cleared(ts_mls: Engine) -> None:
    alice = ts_mls.member(b"alice", extension_types=(EXTENSION.extension_type,))
    alice.create_group(b"group", (EXTENSION,))
    carry_out(alice, (), GroupContextExtensions(()))
    group_info = alice.group_info(external_pub=False, ratchet_tree=False)
    assert EXTENSION.extension_data in group_info


def test_fault_ts_mls_extensions_unsupported(ts_mls: Engine) -> None:
    alice, bob = ts_mls.member(b"alice"), ts_mls.member(b"bob")
    found(alice, bob)
    carry_out(alice, (bob,), GroupContextExtensions((Extension(0xF0F1, b""),)))
    require_agreement(alice, bob)


def test_fault_ts_mls_key_reuse(mls_rs: Engine, ts_mls: Engine) -> None:
    alice, bob = ts_mls.member(b"alice"), mls_rs.member(b"bob")
    found(alice, bob)
    unwelcome = alice.commit((GroupContextExtensions((REQUIRE_BASIC,)),))
    with pytest.raises(Refused, match=MISSING_PATH):
        bob.process(unwelcome.commit)
    alice.clear_pending_commit()
    with pytest.raises(Refused, match="invalid generation 0"):
        bob.process(alice.commit().commit)


def test_fault_ts_mls_own_update(ts_mls: Engine) -> None:
    alice, bob = ts_mls.member(b"alice"), ts_mls.member(b"bob")
    found(alice, bob)
    alice.propose(Update())
    with pytest.raises(Refused, match="update proposal sent by committer"):
        alice.commit()
    carol, dave = ts_mls.member(b"carol"), ts_mls.member(b"dave")
    found(carol, dave)
    propose(carol, (dave,), Remove(leaf_of(dave, carol)))
    with pytest.raises(Refused, match="removing committer"):
        dave.commit()


def test_fault_ts_mls_empty_left_half(mls_rs: Engine, ts_mls: Engine) -> None:
    alice, bob, carol, dave = (
        mls_rs.member(b"alice"),
        mls_rs.member(b"bob"),
        mls_rs.member(b"carol"),
        ts_mls.member(b"dave"),
    )
    found(alice, bob, carol, dave)
    carry_out(carol, (dave, alice), Remove(leaf_of(bob, alice)))
    with pytest.raises(Refused, match="confirmation tag"):
        carry_out(carol, (dave,), Remove(leaf_of(alice, carol)))


def test_fault_ts_mls_lost_sender(ts_mls: Engine) -> None:
    alice, bob, carol = (
        ts_mls.member(b"alice"),
        ts_mls.member(b"bob"),
        ts_mls.member(b"carol"),
    )
    found(alice, bob, carol)
    propose(alice, (bob, carol), Update())
    bob.reload()
    with pytest.raises(Refused, match="No sender index found"):
        carry_out(carol, (alice, bob))


def test_fault_ts_mls_external_pub(ts_mls: Engine) -> None:
    """Ours refuses such a GroupInfo, see test_mixed_groups.py; mls-rs has none."""
    alice = ts_mls.member(b"alice")
    alice.create_group(b"group")
    group_info = alice.group_info(external_pub=True, ratchet_tree=False)
    extension_type, key_length = b"\x00\x04", b"\x20"
    before, found, after = group_info.partition(extension_type + key_length)
    assert found
    assert (extension_type + b"\x21" + key_length) not in before + after


def test_fault_ts_mls_trailing_bytes(ts_mls: Engine, mls_rs: Engine) -> None:
    _require_trailing_bytes_ignored(mls_rs.member(b"alice"), ts_mls.member(b"bob"))


def test_fault_mls_rs_trailing_bytes(ts_mls: Engine, mls_rs: Engine) -> None:
    _require_trailing_bytes_ignored(ts_mls.member(b"alice"), mls_rs.member(b"bob"))


def _require_trailing_bytes_ignored(alice: Oracle, bob: Oracle) -> None:
    found(alice, bob)
    event = bob.process(alice.send(b"text") + b"trailing")
    assert isinstance(event, ApplicationMessage)


def test_fault_mls_rs_late_message(mls_rs: Engine, ts_mls: Engine) -> None:
    alice, bob, carol = (
        ts_mls.member(b"alice"),
        mls_rs.member(b"bob"),
        ts_mls.member(b"carol"),
    )
    found(alice, bob, carol)
    late = alice.send(b"late")
    carry_out(carol, (bob,), Remove(leaf_of(alice, carol)))
    with pytest.raises(Refused, match="out of bounds"):
        bob.process(late)


def test_fault_mls_rs_dead_group(mls_rs: Engine, ts_mls: Engine) -> None:
    alice, bob = ts_mls.member(b"alice"), mls_rs.member(b"bob")
    found(alice, bob)
    group_info = alice.group_info(external_pub=True, ratchet_tree=True)
    with pytest.raises(Crashed, match="not yet implemented"):
        bob.process(ts_mls.member(b"carol").propose_own_add(group_info))
    with pytest.raises(Crashed, match="PoisonError"):
        bob.exporter("label", b"", 32)


# Refusals ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_an_engine_refuses_what_is_not_for_it(
    name: str, mls_rs: Engine, ts_mls: Engine
) -> None:
    subject, other = (mls_rs, ts_mls) if name == MLS_RS else (ts_mls, mls_rs)
    alice, bob = other.member(b"alice"), subject.member(b"bob")
    with pytest.raises(Refused):
        bob.process(b"")
    found(alice, bob)
    message = alice.send(b"once")
    bob.process(message)
    for refused in (message, message[:-1], b"", b"\x00\x01", bob.key_package()):
        with pytest.raises(Refused):
            bob.process(refused)
    stranger = subject.member(b"stranger")
    output = alice.commit()
    with pytest.raises(Refused):
        bob.process(output.commit[:-1] + bytes([output.commit[-1] ^ 1]))
    with pytest.raises(Refused):
        stranger.join(output.commit)
    require_agreement(alice, bob)


def test_a_removed_member_is_locked_out(mls_rs: Engine, ts_mls: Engine) -> None:
    alice, bob, carol = (
        mls_rs.member(b"alice"),
        ts_mls.member(b"bob"),
        mls_rs.member(b"carol"),
    )
    found(alice, bob, carol)
    output = carry_out(alice, (carol,), Remove(leaf_of(bob, alice)))
    assert bob.process(output.commit) == MemberRemoved()
    with pytest.raises(Refused):
        bob.process(alice.send(b"not for bob"))
    with pytest.raises(Refused):
        bob.send(b"not from bob")
    require_delivery(alice, carol)


# The Node process --------------------------------------------------------------------


def test_a_bad_request_leaves_the_process_alive(ts_mls: Engine) -> None:
    alice = ts_mls.member(b"alice")
    with pytest.raises(Refused, match="NoGroup"):
        alice.send(b"too early")
    alice.create_group(b"group")
    alice.close()
    with pytest.raises(Broken, match="no member"):
        alice.send(b"too late")
    assert ts_mls.member(b"bob").key_package()


@pytest.mark.usefixtures("ts_mls")
def test_a_process_that_does_not_answer_is_ended() -> None:
    hasty = TsMls(answer_seconds=0.001)
    for identity in (b"alice", b"bob"):
        with pytest.raises(Broken, match="no answer"):
            hasty.member(identity)
    hasty.close()


# Availability ------------------------------------------------------------------------


def test_a_missing_oracle_skips_its_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv(REQUIRE_ALL, raising=False)
    with pytest.raises(pytest.skip.Exception, match="no Node"), engine(TS_MLS):
        pass


def test_a_missing_oracle_fails_where_all_are_required(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv(REQUIRE_ALL, "1")
    with pytest.raises(pytest.fail.Exception, match="no Node"), engine(TS_MLS):
        pass


# Whole lives -------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_mixed_groups_agree_through_a_random_life(
    seed: int, mls_rs: Engine, ts_mls: Engine
) -> None:
    random = Random(seed)
    members = [random.choice((mls_rs, ts_mls)).member(b"founder")]
    members[0].create_group(b"group")
    for step in range(12):
        committer = random.choice(members)
        others = [member for member in members if member is not committer]
        match random.choice(("add", "add", "remove", "heal")):
            case "add":
                joiner = random.choice((mls_rs, ts_mls)).member(b"joiner %d" % step)
                members += _let_in(committer, others, joiner)
            case "remove" if others:
                removed = random.choice(others)
                members.remove(removed)
                others.remove(removed)
                seat = leaf_of(removed, committer)
                output = carry_out(committer, others, Remove(seat))
                assert removed.process(output.commit) == MemberRemoved()
            case _:
                carry_out(committer, others)
        require_agreement(*members)
        listeners = [member for member in members if member is not committer]
        require_delivery(committer, *listeners)


def _let_in(committer: Oracle, others: list[Oracle], joiner: Oracle) -> list[Oracle]:
    """Who joined: nobody where the known fault of ts-mls keeps the joiner out."""
    try:
        carry_out(committer, others, joiners=(joiner,))
    except Refused as refused:
        if UNMERGED_LEAVES not in refused.reason:
            raise
        return []
    return [joiner]
