"""The ts-mls engine (TypeScript), in one Node process that holds any number of members.

The process is spoken to line by line (see `ts_mls/oracle.mjs`), one request at a time. An
answer that does not come in time ends the process: nothing after it could be trusted.
"""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from threading import Timer
from typing import IO, Any, assert_never

from tests.interop.oracles.oracle import (
    AS_USUAL,
    Add,
    ApplicationMessage,
    Broken,
    CommitOutput,
    Crashed,
    EpochEntered,
    Extension,
    ExternalPsk,
    Framing,
    GroupContextExtensions,
    GroupReInitialised,
    Member,
    MemberRemoved,
    Processed,
    Proposal,
    ProposalCached,
    Refused,
    ReInit,
    Remove,
    Resumed,
    ResumptionPsk,
    Sending,
    Unsupported,
    Update,
    Usage,
)

PROJECT = Path(__file__).resolve().parents[1] / "ts_mls"
ANSWER_SECONDS = 60.0
END_SECONDS = 10.0
EVENTS: Mapping[
    str,
    Callable[[], ProposalCached | EpochEntered | MemberRemoved | GroupReInitialised],
] = {
    "proposal_cached": ProposalCached,
    "epoch_entered": EpochEntered,
    "member_removed": MemberRemoved,
    "group_reinitialised": GroupReInitialised,
}


class TsMls:
    """The engine: owns the Node process, from the constructor to `close`."""

    name = "ts-mls"

    def __init__(self, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._answer_seconds = answer_seconds
        self._request_ids = count(1)
        self._member_names = (f"member-{number}" for number in count(1))
        self._process = subprocess.Popen(
            [shutil.which("node") or "node", str(PROJECT / "oracle.mjs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="ascii",
        )

    def member(
        self,
        identity: bytes,
        *,
        extension_types: tuple[int, ...] = (),
        tree_in_welcome: bool = True,
    ) -> "TsMlsMember":
        member = TsMlsMember(self, self.new_name(), identity)
        member.ask(
            "new_member",
            identity=identity,
            extension_types=extension_types,
            tree_in_welcome=tree_in_welcome,
        )
        return member

    def new_name(self) -> str:
        """A name that no member of this process has yet."""
        return next(self._member_names)

    def close(self) -> None:
        with self._process:
            with suppress(BrokenPipeError):
                self._stdin.close()
            try:
                self._process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()

    def ask(self, member: str, operation: str, parameters: Mapping[str, Any]) -> Any:
        """Send one request and wait for its answer.

        Raises Refused or Crashed as the engine answers, and Broken where there is no
        answer or the request was wrong.
        """
        request = {
            "id": next(self._request_ids),
            "member": member,
            "operation": operation,
            "parameters": parameters,
        }
        answer = self._exchange(json.dumps(request, default=_plain))
        if answer["id"] != request["id"]:
            raise Broken(f"an answer to another request: {answer['id']}")
        if "error" in answer:
            raise _fault(**answer["error"])
        return answer["result"]

    @property
    def _stdin(self) -> IO[str]:
        if self._process.stdin is None:
            raise Broken("no pipe to the process")
        return self._process.stdin

    @property
    def _stdout(self) -> IO[str]:
        if self._process.stdout is None:
            raise Broken("no pipe from the process")
        return self._process.stdout

    def _exchange(self, line: str) -> dict[str, Any]:
        with self._deadline():
            try:
                self._stdin.write(line + "\n")
                self._stdin.flush()
                answer = self._stdout.readline()
            except BrokenPipeError:
                answer = ""
        if not answer:
            raise Broken(f"no answer: ended, at the latest by {self._answer_seconds} s")
        decoded: dict[str, Any] = json.loads(answer)
        return decoded

    @contextmanager
    def _deadline(self) -> Iterator[None]:
        timer = Timer(self._answer_seconds, self._process.kill)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


class TsMlsMember:
    """One record in the Node process."""

    def __init__(self, engine: TsMls, name: str, identity: bytes) -> None:
        self.identity = identity
        self._engine = engine
        self._name = name

    def ask(self, operation: str, **parameters: Any) -> Any:
        """Have the process carry out one operation of this member."""
        return self._engine.ask(self._name, operation, parameters)

    def key_package(self) -> bytes:
        return bytes.fromhex(self.ask("key_package"))

    def add_external_psk(self, psk_id: bytes, psk: bytes) -> None:
        self.ask("add_external_psk", psk_id=psk_id, psk=psk)

    def create_group(
        self, group_id: bytes, extensions: tuple[Extension, ...] = ()
    ) -> None:
        self.ask("create_group", group_id=group_id, extensions=extensions)

    def join(self, welcome: bytes, ratchet_tree: bytes | None = None) -> None:
        self.ask("join", welcome=welcome, ratchet_tree=ratchet_tree)

    def external_join(
        self,
        group_info: bytes,
        ratchet_tree: bytes | None = None,
        *,
        resync: bool = False,
        external_psks: tuple[bytes, ...] = (),
        authenticated_data: bytes = b"",
    ) -> bytes:
        if external_psks:
            raise Unsupported("an external commit takes no PSK")
        commit = self.ask(
            "external_join",
            group_info=group_info,
            ratchet_tree=ratchet_tree,
            resync=resync,
            authenticated_data=authenticated_data,
        )
        return bytes.fromhex(commit)

    def propose_own_add(self, group_info: bytes) -> bytes:
        return bytes.fromhex(self.ask("propose_own_add", group_info=group_info))

    def commit(
        self, proposals: tuple[Proposal, ...] = (), sending: Sending = AS_USUAL
    ) -> CommitOutput:
        output = self.ask(
            "commit",
            proposals=[_proposal(proposal) for proposal in proposals],
            framing=_framing(sending),
            authenticated_data=sending.authenticated_data,
        )
        return CommitOutput(
            commit=bytes.fromhex(output["commit"]),
            welcome=_optional_bytes(output["welcome"]),
            ratchet_tree=_optional_bytes(output["ratchet_tree"]),
        )

    def apply_pending_commit(self) -> None:
        self.ask("apply_pending_commit")

    def clear_pending_commit(self) -> None:
        self.ask("clear_pending_commit")

    def propose(self, proposal: Proposal, sending: Sending = AS_USUAL) -> bytes:
        message = self.ask(
            "propose",
            proposal=_proposal(proposal),
            framing=_framing(sending),
            authenticated_data=sending.authenticated_data,
        )
        return bytes.fromhex(message)

    def send(self, plaintext: bytes, authenticated_data: bytes = b"") -> bytes:
        message = self.ask(
            "send", plaintext=plaintext, authenticated_data=authenticated_data
        )
        return bytes.fromhex(message)

    def process(self, message: bytes) -> Processed:
        return _processed(**self.ask("process", message=message))

    def exporter(self, label: str, context: bytes, length: int) -> bytes:
        secret = self.ask("exporter", label=label, context=context, length=length)
        return bytes.fromhex(secret)

    def epoch(self) -> int:
        return int(self.ask("epoch"))

    def epoch_authenticator(self) -> bytes:
        return bytes.fromhex(self.ask("epoch_authenticator"))

    def members(self) -> tuple[Member, ...]:
        return tuple(
            Member(row["leaf_index"], bytes.fromhex(row["identity"]))
            for row in self.ask("members")
        )

    def ratchet_tree(self) -> bytes:
        return bytes.fromhex(self.ask("ratchet_tree"))

    def group_info(self, *, external_pub: bool, ratchet_tree: bool) -> bytes:
        group_info = self.ask(
            "group_info", external_pub=external_pub, ratchet_tree=ratchet_tree
        )
        return bytes.fromhex(group_info)

    def reload(self) -> None:
        self.ask("reload")

    def resume(
        self, usage: Usage, group_id: bytes, key_packages: tuple[bytes, ...]
    ) -> Resumed:
        successor = TsMlsMember(self._engine, self._engine.new_name(), self.identity)
        output = self.ask(
            "resume",
            successor=successor._name,
            usage=usage.value,
            group_id=group_id,
            key_packages=key_packages,
        )
        return Resumed(
            member=successor,
            welcome=bytes.fromhex(output["welcome"]),
            ratchet_tree=bytes.fromhex(output["ratchet_tree"]),
        )

    def join_resumed(
        self, usage: Usage, welcome: bytes, ratchet_tree: bytes | None = None
    ) -> "TsMlsMember":
        successor = TsMlsMember(self._engine, self._engine.new_name(), self.identity)
        self.ask(
            "join_resumed",
            successor=successor._name,
            usage=usage.value,
            welcome=welcome,
            ratchet_tree=ratchet_tree,
        )
        return successor

    def close(self) -> None:
        self.ask("close")


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Extension):
        return {
            "extension_type": value.extension_type,
            "extension_data": value.extension_data,
        }
    raise TypeError(f"not for the wire: {type(value).__name__}")


def _proposal(proposal: Proposal) -> dict[str, object]:
    match proposal:
        case Add(key_package):
            return {"type": "add", "key_package": key_package}
        case Update():
            return {"type": "update"}
        case Remove(leaf_index):
            return {"type": "remove", "leaf_index": leaf_index}
        case ExternalPsk(psk_id):
            return {"type": "external_psk", "psk_id": psk_id}
        case ResumptionPsk(epoch):
            return {"type": "resumption_psk", "epoch": epoch}
        case GroupContextExtensions(extensions):
            return {"type": "group_context_extensions", "extensions": extensions}
        case ReInit(group_id, extensions):
            return {"type": "reinit", "group_id": group_id, "extensions": extensions}
    assert_never(proposal)


def _framing(sending: Sending) -> str:
    return (sending.framing or Framing.PRIVATE).value


def _optional_bytes(encoded: str | None) -> bytes | None:
    return None if encoded is None else bytes.fromhex(encoded)


def _processed(
    event: str, plaintext: str = "", authenticated_data: str = ""
) -> Processed:
    if event == "application_message":
        return ApplicationMessage(
            bytes.fromhex(plaintext), bytes.fromhex(authenticated_data)
        )
    return EVENTS[event]()


def _fault(fault: str, kind: str, reason: str) -> Exception:
    if fault == "request":
        return Broken(f"{kind}: {reason}")
    return Crashed(kind, reason) if fault == "crashed" else Refused(kind, reason)
