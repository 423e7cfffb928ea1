"""HTTP exchanges with the relay about one blob, one after the other, in a thread.

The connection opens when it is needed and is used again. The other end of TLS must show
the certificate key that the link saw. What breaks is tried again from where it broke,
up to a number of times; what the relay refuses is not.
"""

import base64
import contextlib
import http.client
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import msgspec

from tertulia.agent.address import Address
from tertulia.agent.errors import TransferFailedError
from tertulia.client import DownloadBlob, UploadBlob
from tertulia.crypto import CryptoError, certified_key_hash
from tertulia.wire import BLOBS_PATH, limits

FAILURES: Final = 4  # of one transfer; then it has failed
_READ: Final = 64 * 1024
_REFUSAL: Final = 64 * 1024  # bytes of an answer that says why not
_BROKEN: Final = (OSError, http.client.HTTPException)
_OFFSET: Final = re.compile(r"\d{1,15}", re.ASCII)
_CODE: Final = re.compile(r"[a-z_]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class BlobPlace:
    """Where the blobs are: what the link found out about its relay."""

    address: Address
    certificate: bytes
    trusted: bool = False


class _Refused(msgspec.Struct):
    code: str


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def offset(self) -> int | None:
        """Where the next piece begins, if the relay says so."""
        text = self.headers.get("upload-offset", "")
        return int(text) if _OFFSET.fullmatch(text) else None

    @property
    def reason(self) -> str:
        """Why not: the relay's code, or the status."""
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
            code = msgspec.json.decode(self.body, type=_Refused).code
            if _CODE.fullmatch(code):
                return code
        return f"http_{self.status}"


@dataclass(frozen=True, slots=True)
class _Target:
    """A blob, and what opens it."""

    path: str
    headers: Mapping[str, str]

    @classmethod
    def of(cls, effect: UploadBlob | DownloadBlob) -> "_Target":
        token = base64.urlsafe_b64encode(effect.ticket).rstrip(b"=").decode()
        headers = {"Authorization": f"Bearer {token}"}
        return cls(f"{BLOBS_PATH}/{effect.blob.hex()}", headers)


class Exchanges:
    """One connection, and what is done over it."""

    def __init__(self, place: BlobPlace, patience: float) -> None:
        self._place = place
        self._patience = patience
        self._tls = place.address.tls(trusted=place.trusted)
        self._connection: http.client.HTTPConnection | None = None
        self._is_aborted = False
        self._failures = 0

    def upload(self, effect: UploadBlob) -> None:
        """Send a blob from its offset on; raise TransferFailedError."""
        self._failures = 0
        target = _Target.of(effect)
        offset: int | None = effect.offset
        while offset is None or offset < len(effect.data):
            try:
                if offset is None:
                    offset = self._ask_offset(target)
                else:
                    offset = self._put(target, effect.data, offset)
            except _BROKEN as error:
                self._count(_why(error))
                offset = None

    def download(self, effect: DownloadBlob) -> bytes:
        """Return a whole blob; raise TransferFailedError."""
        self._failures = 0
        target = _Target.of(effect)
        data = bytearray()
        while len(data) < effect.size:
            try:
                self._get(target, data, effect.size)
            except _BROKEN as error:
                self._count(_why(error))
        return bytes(data)

    def abort(self) -> None:
        """Make the thread that works here stop; safe from any other."""
        self._is_aborted = True
        connection = self._connection
        if connection is not None and connection.sock is not None:
            with contextlib.suppress(OSError):
                # Not the method of TLS: it would let the rest be sent in the clear.
                socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the connection; for whoever works here, or when nobody does."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _put(self, target: _Target, data: bytes, offset: int) -> int:
        """Send one piece; return where the next one begins."""
        piece = data[offset : offset + limits.BLOB_CHUNK]
        answer = self._ask("PUT", target, {"Upload-Offset": str(offset)}, piece)
        if answer.status == HTTPStatus.NO_CONTENT:
            return offset + len(piece)
        if answer.status == HTTPStatus.CONFLICT and answer.offset is not None:
            self._count(answer.reason)
            return answer.offset
        raise TransferFailedError(answer.reason)

    def _ask_offset(self, target: _Target) -> int:
        answer = self._ask("HEAD", target, {})
        if answer.status != HTTPStatus.OK or answer.offset is None:
            raise TransferFailedError(answer.reason)
        return answer.offset

    def _ask(
        self,
        method: str,
        target: _Target,
        headers: Mapping[str, str],
        body: bytes = b"",
    ) -> _Answer:
        with self._exchange(method, target, headers, body) as response:
            return _read_answer(response)

    def _get(self, target: _Target, data: bytearray, size: int) -> None:
        """Add what is missing to `data`, as much of it as arrives."""
        wanted = {"Range": f"bytes={len(data)}-"} if data else {}
        with self._exchange("GET", target, wanted) as response:
            expected = HTTPStatus.PARTIAL_CONTENT if data else HTTPStatus.OK
            if response.status != expected:
                raise TransferFailedError(_read_answer(response).reason)
            while piece := response.read1(_READ):
                data += piece
                if len(data) > size:
                    raise TransferFailedError("too_large")
            if len(data) < size:
                raise http.client.IncompleteRead(b"", size - len(data))

    @contextlib.contextmanager
    def _exchange(
        self,
        method: str,
        target: _Target,
        headers: Mapping[str, str],
        body: bytes = b"",
    ) -> Iterator[http.client.HTTPResponse]:
        """Ask, and yield the answer; the connection stays if all of it was read."""
        try:
            if self._connection is None:
                self._connection = self._open()
            self._connection.request(
                method, target.path, body or None, {**target.headers, **headers}
            )
            with self._connection.getresponse() as response:
                yield response
                is_over = response.isclosed() or response.length == 0
        except BaseException:
            self.close()
            raise
        if not is_over or self._connection.sock is None:
            self.close()

    def _open(self) -> http.client.HTTPConnection:
        host, port = self._place.address.host, self._place.address.port
        connection = (
            http.client.HTTPConnection(host, port, timeout=self._patience)
            if self._tls is None
            else http.client.HTTPSConnection(
                host, port, timeout=self._patience, context=self._tls
            )
        )
        # Dialled anew by itself it would ask nobody for a certificate.
        connection.auto_open = 0
        try:
            connection.connect()
            if isinstance(connection.sock, ssl.SSLSocket):
                self._check_certificate(connection.sock)
        except BaseException:
            connection.close()
            raise
        return connection

    def _check_certificate(self, tls: ssl.SSLSocket) -> None:
        try:
            seen = certified_key_hash(tls.getpeercert(binary_form=True) or b"")
        except CryptoError:
            seen = b""
        if seen != self._place.certificate:
            raise TransferFailedError("wrong_certificate")

    def _count(self, reason: str) -> None:
        self._failures += 1
        if self._failures == FAILURES or self._is_aborted:
            raise TransferFailedError(reason)


def _read_answer(response: http.client.HTTPResponse) -> _Answer:
    headers = {name.lower(): value for name, value in response.getheaders()}
    return _Answer(response.status, headers, response.read(_REFUSAL))


def _why(error: Exception) -> str:
    match error:
        case TimeoutError():
            return "timeout"
        case ssl.SSLCertVerificationError():
            return "untrusted_certificate"
        case _:
            return "unreachable"
