"""The load generator notices what it is there to notice, over a real relay."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest
from msgspec.structs import replace as replace_fields

from bench.relay import table
from bench.relay.cases import Case
from bench.relay.load import Histogram, Load, Outcome, Plan, Seat, Template
from bench.relay.measuring import Manner, measure
from bench.relay.server import Server
from bench.relay.systems.limits import LimitInC, LimitInPython
from bench.relay.systems.mosquitto import Mosquitto
from bench.relay.systems.system import Shape, System
from bench.relay.systems.tertulia import Tertulia, append_of, messages_in
from tertulia.wire import decode_from_client, decode_from_relay, encode, frames
from tests.bench import meddler
from tests.bench.meddler import PAYLOAD

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the load generator lives on Linux"
)

ROOM = bytes(range(16))
PLAIN = Tertulia(tls=False)
SHORT = Plan(0.2, rate=300)


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = PLAIN.start(tmp_path_factory.mktemp("relay"))
    yield server
    server.stop()


def run(seats: Sequence[Seat], plan: Plan) -> tuple[Outcome, bytes]:
    load = Load(PAYLOAD, seats, PLAIN.manners)
    load.capture(len(seats) - 1, 2**20)
    outcome = load.run(plan)
    captured = load.captured()
    load.close()
    return outcome, captured


def gather_with_meddler(relay: Server, port: int) -> list[Seat]:
    """A room of three, of whom the last one has somebody in between."""
    way = replace(relay, port=port)
    people = [PLAIN.sign_in(server) for server in (relay, relay, way)]
    return list(PLAIN.join(people, Shape(1, 3, 1, PAYLOAD), 0))


def test_all_that_is_written_is_delivered_and_counted(relay: Server) -> None:
    seats = PLAIN.gather(relay, Shape(2, 3, 2, PAYLOAD))
    outcome, captured = run(seats, SHORT)
    assert outcome.faults == {}
    assert outcome.messages > 0
    assert outcome.deliveries == 3 * outcome.messages
    assert sum(outcome.latency.buckets) == outcome.deliveries
    assert outcome.received > PAYLOAD * outcome.deliveries
    assert 0 < outcome.latency.percentile(0.5) <= outcome.latency.percentile(0.99)
    assert PLAIN.examine(captured) == []


def test_what_is_under_way_is_limited_at_saturation(relay: Server) -> None:
    seats = PLAIN.gather(relay, Shape(1, 4, 2, PAYLOAD))
    outcome, captured = run(seats, Plan(0.2, window=3))
    assert outcome.faults == {}
    assert outcome.deliveries == 4 * outcome.messages
    assert PLAIN.examine(captured) == []


@pytest.mark.parametrize(
    ("meddling", "faults"),
    [
        (meddler.lose_first, {"missing"}),
        (meddler.swap_first_two, {"reordered", "disagreed"}),
        (meddler.repeat_first, {"reordered", "disagreed"}),
        (meddler.alter_first, {"altered"}),
        (meddler.misdate_first, {"altered"}),
        (meddler.end_after_first, {"hung_up"}),
    ],
)
def test_a_fault_at_one_member_is_noticed(
    relay: Server, meddling: meddler.Meddling, faults: set[str]
) -> None:
    with meddler.between(relay.port, meddling) as port:
        # Four under way, so that there are two to swap.
        plan = Plan(0.2, window=4, patience=1)
        outcome, _ = run(gather_with_meddler(relay, port), plan)
    assert outcome.faults.keys() >= faults


def swap_entries(page: frames.Entries) -> frames.Entries:
    first, second, *rest = page.entries
    return replace_fields(page, entries=(second, first, *rest))


def change_time(page: frames.Entries) -> frames.Entries:
    first, *rest = page.entries
    return replace_fields(
        page, entries=(replace_fields(first, time=first.time + 1), *rest)
    )


def start_elsewhere(page: frames.Entries) -> frames.Entries:
    return replace_fields(page, previous=bytes(32))


@pytest.mark.parametrize("change", [swap_entries, change_time, start_elsewhere])
def test_what_one_member_got_is_examined(
    relay: Server, change: Callable[[frames.Entries], frames.Entries]
) -> None:
    seats = PLAIN.gather(relay, Shape(1, 2, 1, PAYLOAD))
    _, captured = run(seats, Plan(0.1, window=2))
    decoded = [decode_from_relay(message) for message in messages_in(captured)]
    pages = [page for page in decoded if isinstance(page, frames.Entries)]
    entries = tuple(entry for page in pages for entry in page.entries)
    page = replace_fields(pages[0], entries=entries, head=pages[-1].head)
    assert PLAIN.examine(as_message_of_relay(page)) == []
    assert PLAIN.examine(as_message_of_relay(change(page))) != []


def as_message_of_relay(page: frames.Entries) -> bytes:
    message = encode(page)
    return b"\x82\x7f" + len(message).to_bytes(8) + message


def test_a_cut_off_message_is_left_out() -> None:
    assert list(messages_in(b"\x82\x03abc" + b"\x82\x7e\x00\x80" + bytes(100))) == [
        b"abc"
    ]


def test_a_template_is_a_frame_of_ours() -> None:
    template = append_of(ROOM, PAYLOAD)
    message = bytearray(template.before + b"x" * PAYLOAD)
    for at, width in template.numbers:
        message[at : at + width] = (7).to_bytes(width)
    frame = decode_from_client(bytes(message[8:]))
    assert frame == frames.Append(
        7, ROOM, b"\xfe" * 8 + (7).to_bytes(8), 0, b"x" * PAYLOAD
    )


def test_an_mqtt_packet_names_its_size_and_its_number() -> None:
    template = Mosquitto(quality=1).template(3, 0, PAYLOAD)
    rest = 2 + len("room/3") + 2 + PAYLOAD
    size = bytes((rest & 127 | 128, rest >> 7))
    before = b"\x32" + size + b"\x00\x06room/3" + bytes(2)
    assert template == Template(before, numbers=((len(before) - 2, 2),))


def test_percentiles_are_the_upper_ends_of_buckets() -> None:
    buckets = [0] * 4096
    buckets[10], buckets[64 + 5], buckets[3 * 64] = 50, 49, 1
    histogram = Histogram(buckets)
    assert histogram.percentile(0.5) == 10e-9
    assert histogram.percentile(0.99) == 70e-9
    assert histogram.percentile(1) == 260e-9


@pytest.mark.parametrize("system", [Tertulia(tls=True), LimitInC(), LimitInPython()])
def test_a_case_has_a_row_for_each_rate_and_for_saturation(system: System) -> None:
    case = Case("small", Shape(1, 3, 1, PAYLOAD), (30, 10**9), (1, 2))
    saturation, slow = measure(system, case, Manner(0.2, None))
    assert (saturation.rate, slow.rate) == (None, 30)
    assert saturation.cpu_per_delivery > 0
    assert saturation.resident > 0
    assert table.rates_of([saturation, slow]) == [30, None]
    assert table.line(slow).startswith(f"| {system.name} | {system.durability} |")


def test_payloads_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="64 to 4000"):
        Load(63, [], PLAIN.manners)


def test_the_relay_tells_why_it_refuses(relay: Server) -> None:
    line, _ = PLAIN.sign_in(relay)
    with pytest.raises(ConnectionError, match="not_found"):
        line.ask(frames.FollowRoom(1, ROOM, 0), frames.Followed)
    line.link.close()
