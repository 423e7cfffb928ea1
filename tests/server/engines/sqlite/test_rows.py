"""From rows to values."""

from tertulia.relay import Blob
from tertulia.server.engines.sqlite import rows
from tertulia.wire import Kind, encode, frames


def test_an_entry_s_id_has_room_and_place() -> None:
    number = rows.entry_id(7, 9)
    row = (number, 1, b"d", 5, b"k", 2, None, b"h")
    entry = frames.Entry(9, Kind.HANDSHAKE, b"d", 5, b"k", 2, None, b"h")
    assert rows.entry(row) == entry
    assert rows.entry_id(7, rows.PLACE_MASK) < rows.entry_id(8, 0)


def test_all_of_a_complete_blob_is_stored() -> None:
    row = (b"b", b"r", b"a", 9, b"h", 1)
    assert rows.blob((*row, 0)) == Blob(*row)
    assert rows.blob((*row, 1)) == Blob(*row, stored=9, is_complete=True)


def test_advice_comes_back_as_it_was() -> None:
    reference = frames.BlobReference(bytes(16), 1, bytes(32))
    advice = frames.GroupAdvice(bytes(16), b"info", b"wrapped", reference, retention=5)
    assert rows.advice(encode(advice)) == advice
    assert rows.advice(None) is None
