"""What the relay signs about a room: its last place and the running hash there.

Two signed heads of one room, incarnation and place with different hashes prove that the
relay showed two histories. One that contradicts what this device computed from the
entries it got proves it as well, for the entries were the relay's.
"""

import msgspec

from tertulia.client.events import Warned
from tertulia.client.room import Room
from tertulia.client.turn import Turn
from tertulia.crypto import CryptoError
from tertulia.wire import frames, verify_head


def is_genuine(identity: bytes, room: bytes, head: frames.SignedHead) -> bool:
    """Tell whether the relay of this identity signed the head."""
    try:
        verify_head(identity, room, head)
    except CryptoError:
        return False
    return True


def contradict(one: frames.SignedHead, other: frames.SignedHead) -> bool:
    """Tell whether two genuine heads of one room cannot both be true."""
    same = (one.incarnation, one.place) == (other.incarnation, other.place)
    return same and one.hash != other.hash


def keep(turn: Turn, room: Room, head: frames.SignedHead) -> Room:
    """Keep the newest word of the relay; what contradicts it is proof."""
    old = room.state.head
    if not is_genuine(turn.link.identity, room.id, head):
        return report(turn, room, "head_contradicted", msgspec.msgpack.encode(head))
    if old is not None and contradict(old, head):
        proof = msgspec.msgpack.encode((old, head))
        return report(turn, room, "head_contradicted", proof)
    known = room.hashes.get(head.place)
    if known is not None and known != head.hash:
        return report(turn, room, "head_contradicted", msgspec.msgpack.encode(head))
    if old is not None and head.place < old.place:
        return room
    return room.with_state(head=head)


def report(turn: Turn, room: Room, code: str, proof: bytes) -> Room:
    """Keep a proof and tell of it."""
    turn.keep_evidence(room.id, code, proof)
    turn.emit(Warned(room.id, code, place=room.state.place))
    return room
