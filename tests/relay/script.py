"""A relay over the memory engine, and clients to script it with; no loop, no waiting."""

from collections.abc import Coroutine, Sequence
from hashlib import sha256
from random import Random
from typing import Any, TypeVar

from typing_extensions import override

from tertulia.crypto import ED25519, KeyPair
from tertulia.relay import (
    Broadcast,
    Effects,
    EnrolledDevice,
    HangUp,
    Outcome,
    Proposal,
    Relay,
    Send,
    ServerInvite,
    Session,
    Settings,
    StorageError,
)
from tertulia.server.engines import MemoryEngine
from tertulia.wire import (
    AccountPolicy,
    DeviceBinding,
    DeviceCredential,
    DeviceList,
    DeviceProof,
    ErrorCode,
    InviteClaim,
    ListedDevice,
    SignedDeviceList,
    account_id,
    frames,
)

T = TypeVar("T")

OPEN = Settings(accounts=AccountPolicy.OPEN)
START = 1_700_000_000_000
HUNG_UP = "hung up"


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run what never waits, since the memory engine never does."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    raise RuntimeError("the memory engine must not wait")


class FallibleEngine(MemoryEngine):
    """A memory engine whose disk can be made to fail."""

    _failure: StorageError | None = None

    def fail(self, reason: str, *, is_full: bool = False) -> None:
        self._failure = StorageError(reason, is_full=is_full)

    def mend(self) -> None:
        self._failure = None

    def _work(self) -> None:
        if self._failure is not None:
            raise self._failure

    @override
    async def append(self, proposals: Sequence[Proposal]) -> Sequence[Outcome]:
        self._work()
        return await super().append(proposals)

    @override
    async def put_markers(self, room: bytes, markers: Sequence[frames.Marker]) -> None:
        self._work()
        await super().put_markers(room, markers)

    @override
    async def write_blob(self, blob: bytes, offset: int, data: bytes) -> int | None:
        self._work()
        return await super().write_blob(blob, offset, data)

    @override
    async def device(self, device: bytes) -> EnrolledDevice | None:
        self._work()
        return await super().device(device)


class Person:
    """An account key and one device key."""

    def __init__(self, name: str, account: KeyPair | None = None) -> None:
        random = Random(name)
        self.name = name
        self.account = account or ED25519.generate(random.randbytes)
        self.device_key = ED25519.generate(random.randbytes)
        self.device = random.randbytes(16)
        self.counter = 0

    @property
    def account_id(self) -> bytes:
        return account_id(self.account.public)

    def credential(self) -> bytes:
        binding = DeviceBinding(
            self.account.public, self.device, START, self.device_key.public
        )
        signature = binding.sign(self.account.private)
        return DeviceCredential(
            1, self.account.public, self.device, START, signature
        ).encode()

    def device_list(
        self, number: int, *devices: "Person", revoked: tuple[bytes, ...] = ()
    ) -> bytes:
        listed = tuple(
            ListedDevice(each.device, each.device_key.public, START) for each in devices
        )
        content = DeviceList(self.account.public, number, listed, revoked)
        return SignedDeviceList(1, content, content.sign(self.account.private)).encode()


class Invitation:
    """The secret half of an invite."""

    def __init__(self, name: str) -> None:
        random = Random(name)
        self.key = ED25519.generate(random.randbytes)
        self.invite = random.randbytes(16)
        self.wrap = random.randbytes(16)

    def terms(
        self, expires: int | None = None, uses: int | None = None
    ) -> frames.Invite:
        return frames.Invite(self.invite, self.key.public, self.wrap, expires, uses)


class Client:
    """One connection of a person."""

    def __init__(self, script: "Script", person: Person, address: str) -> None:
        self.script = script
        self.person = person
        self.received: list[frames.Frame | str] = []
        self.client_nonce = script.random.randbytes(32)
        self.challenge: frames.Challenge | None = None
        self.session, effects = script.relay.connect(address, script.now)
        script.clients[id(self.session)] = self
        script.carry_out(effects)
        self._request = 0

    def number(self) -> int:
        self._request += 1
        return self._request

    def send(self, frame: frames.FromClient) -> list[frames.Frame | str]:
        """Send a frame; return what came back since the last look."""
        self.script.carry_out(
            run(self.script.relay.handle(self.session, frame, self.script.now))
        )
        return self.look()

    def receive(self, *messages: bytes) -> list[frames.Frame | str]:
        """Send messages as they are, all at once; return what came back."""
        script = self.script
        run(
            script.relay.receive(
                self.session, messages, lambda: script.now, script.carry_out
            )
        )
        return self.look()

    def look(self) -> list[frames.Frame | str]:
        received, self.received = self.received, []
        return received

    def hello(self) -> "Client":
        (answer,) = self.send(frames.Hello((1,), self.client_nonce))
        assert isinstance(answer, frames.Challenge)
        self.challenge = answer
        return self

    def proof(self, certificate: bytes = b"") -> DeviceProof:
        assert self.challenge is not None
        return DeviceProof(
            1,
            self.challenge.identity,
            certificate,
            self.client_nonce,
            self.challenge.nonce,
            self.person.device,
            self.person.counter,
        )

    def claim(self, invitation: Invitation, room: bytes = b"") -> bytes:
        """Return the signature that proves an invite on this connection."""
        assert self.challenge is not None
        return InviteClaim(
            self.challenge.identity,
            self.client_nonce,
            self.challenge.nonce,
            room,
            invitation.invite,
            self.person.device,
        ).sign(invitation.key.private)

    def invite_proof(
        self, invitation: Invitation, room: bytes | None = None
    ) -> frames.InviteProof:
        signature = self.claim(invitation, room or b"")
        return frames.InviteProof(invitation.invite, signature, room)

    def authenticate(
        self, invite: frames.InviteProof | None = None, certificate: bytes = b""
    ) -> list[frames.Frame | str]:
        return self.send(self.authentication(invite, certificate))

    def authentication(
        self, invite: frames.InviteProof | None = None, certificate: bytes = b""
    ) -> frames.Authenticate:
        self.person.counter += 1
        return frames.Authenticate(
            self.person.credential(),
            self.person.device_key.public,
            self.person.counter,
            certificate,
            self.proof(certificate).sign(self.person.device_key.private),
            invite,
        )

    def ask(self, kind: type[frames.Request], *fields: Any) -> list[frames.Frame | str]:
        """Send a request of a kind with the next number."""
        frame: Any = kind(self.number(), *fields)
        return self.send(frame)

    def refusal(self, kind: type[frames.Request], *fields: Any) -> ErrorCode:
        """Send a request that must be refused; return why."""
        (answer,) = self.ask(kind, *fields)
        assert isinstance(answer, frames.Refused), answer
        return answer.code

    def close(self) -> None:
        self.script.relay.disconnect(self.session)

    def append(
        self, room: bytes, handshake: int, text: str, key: str = ""
    ) -> list[frames.Frame | str]:
        return self.send(
            frames.Append(
                self.number(), room, key_of(key or text), handshake, text.encode()
            )
        )

    def commit(
        self,
        room: bytes,
        handshake: int,
        text: str,
        bundle: frames.Bundle = frames.Bundle(),  # noqa: B008 - immutable
    ) -> list[frames.Frame | str]:
        return self.send(
            frames.Commit(
                self.number(), room, key_of(text), handshake, text.encode(), bundle
            )
        )

    def upload(self, room: bytes, content: bytes) -> frames.BlobReference:
        """Upload a blob over the relay's HTTP side."""
        digest = sha256(content).digest()
        (answer,) = self.send(
            frames.BeginUpload(self.number(), room, len(content), digest)
        )
        assert isinstance(answer, frames.Upload), answer
        run(
            self.script.relay.write_blob(
                answer.ticket, answer.blob, (0, content), self.script.now
            )
        )
        return frames.BlobReference(answer.blob, len(content), digest)

    def advice(
        self,
        room: bytes,
        *invites: frames.Invite,
        text: str = "",
        retention: int | None = None,
    ) -> frames.GroupAdvice:
        """Upload a tree and return the advice that names it."""
        wraps = {terms.wrap: b"wrapped for " + terms.wrap for terms in invites}
        return frames.GroupAdvice(
            key_of("tree " + text),
            b"group info" + text.encode(),
            b"wrapped for members",
            self.upload(room, b"tree" + text.encode()),
            None,
            tuple(frames.Wrap(*item) for item in wraps.items()),
            invites,
            retention,
        )


class Script:
    """One relay, its clock and all that its clients received."""

    def __init__(self, settings: Settings = OPEN, seed: int = 1) -> None:
        self.random = Random(seed)
        self.now = START
        self.identity = ED25519.generate(self.random.randbytes)
        self.engine = FallibleEngine(self.random.randbytes)
        self.relay = self._relay(settings)
        self.clients: dict[int, Client] = {}

    def _relay(self, settings: Settings) -> Relay:
        relay = Relay(self.engine, settings, self.identity, self.random.randbytes)
        self.engine.listen(lambda changes: self.carry_out(relay.fan_out(changes)))
        run(relay.start())
        return relay

    def restart(self, settings: Settings = OPEN) -> None:
        """Start another relay over what the engine has stored."""
        self.relay = self._relay(settings)
        self.clients.clear()

    def connect(self, person: Person, address: str = "192.0.2.1") -> Client:
        return Client(self, person, address)

    def enter(self, name: str | Person) -> Client:
        """Return an authenticated client."""
        person = Person(name) if isinstance(name, str) else name
        client = self.connect(person).hello()
        (answer,) = client.authenticate()
        assert isinstance(answer, frames.Authenticated), answer
        return client

    def tick(self, milliseconds: int = 0) -> None:
        self.now += milliseconds
        self.carry_out(run(self.relay.tick(self.now)))

    def carry_out(self, effects: Effects) -> None:
        for effect in effects:
            match effect:
                case Send(session, frame):
                    self._deliver(session, frame)
                case Broadcast(sessions, frame):
                    for session in sessions:
                        self._deliver(session, frame)
                case HangUp(session):
                    self._deliver(session, HUNG_UP)

    def _deliver(self, session: Session, frame: frames.Frame | str) -> None:
        client = self.clients.get(id(session))
        if client is not None:
            client.received.append(frame)

    def relay_head(self, room: bytes) -> bytes:
        """Return the running hash where the room stands."""
        state = run(self.engine.room(room))
        assert state is not None
        return state.hash

    def server_invite(self, invitation: Invitation, **terms: Any) -> None:
        run(
            self.relay.create_server_invite(
                ServerInvite(
                    invitation.invite, invitation.key.public, self.now, **terms
                )
            )
        )

    def room(self, name: str, *members: Client) -> bytes:
        """Make a room with these clients in it, all following."""
        room = sha256(name.encode()).digest()[:16]
        first, *others = members
        first.send(frames.CreateRoom(first.number(), room))
        if others:
            devices = tuple(other.person.device for other in others)
            bundle = frames.Bundle(route=devices)
            first.send(frames.Repair(first.number(), room, 0, bundle))
        for member in members:
            member.send(frames.FollowRoom(member.number(), room, 0))
        return room


def key_of(text: str) -> bytes:
    return sha256(text.encode()).digest()[:16]


def refused(answers: list[frames.Frame | str], code: ErrorCode, **facts: int) -> bool:
    """Tell whether the one answer is a refusal with this code and these facts."""
    (answer,) = answers
    return (
        isinstance(answer, frames.Refused)
        and answer.code is code
        and answer.facts == frames.Facts(**facts)
    )


def ended(answers: list[frames.Frame | str], code: ErrorCode, **facts: int) -> bool:
    """Tell whether the connection was ended with this code and these facts."""
    return answers == [frames.Goodbye(code, frames.Facts(**facts)), HUNG_UP]
