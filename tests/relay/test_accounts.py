"""Device lists and the invites that owners make."""

from msgspec.structs import replace

from tertulia.relay import Settings
from tertulia.wire import AccountPolicy, ErrorCode, SignedDeviceList, frames
from tests.relay.script import HUNG_UP, Invitation, Person, Script, refused


def test_a_device_list_is_stored_and_handed_out() -> None:
    script = Script()
    alice = Person("alice")
    signed = alice.device_list(1, alice)
    assert script.enter(alice).ask(frames.PublishDeviceList, signed) == [frames.Done(1)]
    bob = script.enter("bob")
    assert bob.ask(frames.FetchDeviceList, alice.account_id) == [
        frames.DeviceListed(1, signed)
    ]
    assert bob.refusal(frames.FetchDeviceList, bytes(32)) is ErrorCode.NOT_FOUND


def test_an_older_device_list_does_not_come_back() -> None:
    script = Script()
    alice = Person("alice")
    client = script.enter(alice)
    client.ask(frames.PublishDeviceList, alice.device_list(7, alice))
    answer = client.ask(frames.PublishDeviceList, alice.device_list(7, alice))
    assert refused(answer, ErrorCode.OUTDATED, actual=7)


def test_a_device_list_must_be_the_account_s_own() -> None:
    script = Script()
    alice, mallory = Person("alice"), Person("mallory")
    client = script.enter(mallory)
    foreign = alice.device_list(9, alice)
    assert client.refusal(frames.PublishDeviceList, foreign) is ErrorCode.NOT_ALLOWED
    own = SignedDeviceList.decode(mallory.device_list(1, mallory))
    forged = SignedDeviceList(1, own.devices, bytes(64)).encode()
    for broken in (forged, b"?"):
        code = client.refusal(frames.PublishDeviceList, broken)
        assert code is ErrorCode.AUTHENTICATION_FAILED


def test_a_device_left_out_is_cut_off_at_once() -> None:
    script = Script()
    phone = Person("phone")
    laptop = Person("laptop", phone.account)
    owner, other = script.enter(phone), script.enter(laptop)
    room = script.room("room", owner, other)
    owner.ask(frames.PublishDeviceList, phone.device_list(1, phone))
    assert other.look() == [frames.Goodbye(ErrorCode.REVOKED), HUNG_UP]
    owner.look()
    owner.append(room, 0, "hello")
    assert other.look() == []


def test_only_an_owner_makes_server_invites() -> None:
    script = Script(Settings(accounts=AccountPolicy.INVITE))
    first = Invitation("first")
    script.server_invite(first, makes_owner=True, uses=1)
    owner = script.connect(Person("alice")).hello()
    owner.authenticate(owner.invite_proof(first))
    link = Invitation("link")
    terms = (link.invite, link.key.public, None, 5)
    assert owner.ask(frames.CreateServerInvite, *terms) == [frames.Done(1)]
    assert owner.refusal(frames.CreateServerInvite, *terms) is ErrorCode.EXISTS
    guest = script.connect(Person("bob")).hello()
    (answer,) = guest.authenticate(guest.invite_proof(link))
    assert isinstance(answer, frames.Authenticated)
    other = replace(link.terms(), invite=bytes(16))
    code = guest.refusal(frames.CreateServerInvite, other.invite, other.public_key)
    assert code is ErrorCode.NOT_ALLOWED
