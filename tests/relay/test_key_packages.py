"""Key packages: claimed once, and not without limit."""

from tertulia.wire import ErrorCode, frames, limits
from tests.relay.script import Person, Script, refused


def test_a_one_time_key_package_is_claimed_once_then_the_last_resort() -> None:
    script = Script()
    alice = Person("alice")
    published = script.enter(alice).ask(frames.PublishKeyPackages, (b"1",), b"last")
    assert published == [frames.Done(1)]
    bob = script.enter("bob")
    claims = [bob.ask(frames.ClaimKeyPackages, alice.account_id)[0] for _ in range(3)]
    once = frames.ClaimedKeyPackage(alice.device, b"1", is_last_resort=False)
    again = frames.ClaimedKeyPackage(alice.device, b"last", is_last_resort=True)
    assert claims == [
        frames.KeyPackages(1, (once,)),
        frames.KeyPackages(2, (again,)),
        frames.KeyPackages(3, (again,)),
    ]


def test_an_unknown_account_looks_like_one_without_key_packages() -> None:
    script = Script()
    script.enter("alice")
    bob = script.enter("bob")
    assert bob.ask(frames.ClaimKeyPackages, bytes(32)) == [frames.KeyPackages(1, ())]
    assert bob.ask(frames.ClaimKeyPackages, Person("alice").account_id) == [
        frames.KeyPackages(2, ())
    ]


def test_claims_are_limited_per_account_not_per_connection() -> None:
    script = Script()
    bob = Person("bob")
    client = script.enter(bob)
    for _ in range(limits.CLAIMS.burst):
        client.ask(frames.ClaimKeyPackages, bytes(32))
    client.close()
    again = script.enter(Person("laptop", bob.account))
    answer = again.ask(frames.ClaimKeyPackages, bytes(32))
    assert refused(answer, ErrorCode.RATE_LIMITED, retry_after=3001)


def test_a_device_has_a_limited_number() -> None:
    client = Script().enter("alice")
    many = (b"k",) * limits.KEY_PACKAGES_PER_DEVICE
    client.ask(frames.PublishKeyPackages, many)
    answer = client.ask(frames.PublishKeyPackages, (b"k",))
    assert refused(answer, ErrorCode.TOO_MANY, limit=limits.KEY_PACKAGES_PER_DEVICE)
