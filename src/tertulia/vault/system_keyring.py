"""The keyring of the operating system, where there is a good one.

A backend counts only if its authors recommend it: those that store nothing, always fail
or keep plain text do not. Backends talk to other programs, which may ask a person, fail
in ways of their own, or never answer: each call runs in a thread of its own that is
waited for only so long.
"""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING, Final, TypeVar

from tertulia.crypto import Secret
from tertulia.vault.errors import UnusableKeyringError

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

T = TypeVar("T")

_SERVICE: Final = "tertulia"


@dataclass(frozen=True, slots=True)
class SystemKeyring:
    """Keeps secrets by name.

    `patience` is in seconds: long enough for a person to unlock the keyring.
    """

    patience: float = 30.0

    def get(self, name: str) -> Secret | None:
        """Return a secret, None if there is none; raise UnusableKeyringError."""
        stored = self._stored(name)
        try:
            return None if stored is None else Secret(bytes.fromhex(stored))
        except ValueError:
            raise UnusableKeyringError("it holds something else") from None

    def put(self, name: str, secret: Secret) -> None:
        """Keep a secret and make sure it is there; raise UnusableKeyringError."""
        text = secret.reveal().hex()
        self._wait(lambda: _backend().set_password(_SERVICE, name, text))
        if self.get(name) != secret:
            raise UnusableKeyringError("it does not keep what it is given")

    def remove(self, name: str) -> None:
        """Forget a secret, if it is there; raise UnusableKeyringError."""
        if self._stored(name) is not None:
            self._wait(lambda: _backend().delete_password(_SERVICE, name))

    def _stored(self, name: str) -> str | None:
        return self._wait(lambda: _backend().get_password(_SERVICE, name))

    def _wait(self, work: Callable[[], T]) -> T:
        outcome: Future[T] = Future()
        Thread(target=_settle, args=(outcome, work), daemon=True).start()
        try:
            return outcome.result(self.patience)
        except UnusableKeyringError:
            raise
        except TimeoutError:
            raise UnusableKeyringError("it does not answer") from None
        except Exception as error:
            raise UnusableKeyringError(f"{type(error).__name__}: {error}") from error


SYSTEM_KEYRING: Final = SystemKeyring()


def _settle(outcome: Future[T], work: Callable[[], T]) -> None:
    try:
        outcome.set_result(work())
    except Exception as error:  # noqa: BLE001 - it goes to the one who waits
        outcome.set_exception(error)


def _backend() -> "KeyringBackend":
    # Looking for a backend takes a while, and most commands never need one.
    import keyring.core  # noqa: PLC0415
    from keyring.backends.chainer import ChainerBackend  # noqa: PLC0415

    chosen = keyring.core.get_keyring()
    candidates = chosen.backends if isinstance(chosen, ChainerBackend) else [chosen]
    for backend in candidates:
        if keyring.core.recommended(backend):
            return backend
    raise UnusableKeyringError("there is none")
