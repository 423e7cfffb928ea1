"""The keyring of the system, played by backends of keyring's own kind."""

from collections.abc import Callable
from threading import Event

import keyring.core
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import chainer, fail, null
from typing_extensions import override

from tertulia.crypto import Secret
from tertulia.vault import SystemKeyring, UnusableKeyringError

SECRET = Secret(bytes(range(32)))


class Backend(KeyringBackend):
    """A good keyring."""

    priority = 5

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}

    @override
    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    @override
    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    @override
    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


class PlainTextBackend(Backend):
    """One that its authors do not recommend."""

    priority = 0.5  # type: ignore[assignment]


class ForgetfulBackend(Backend):
    """One that keeps nothing."""

    @override
    def set_password(self, service: str, username: str, password: str) -> None:
        return


class HangingBackend(Backend):
    """One that waits for somebody who does not come."""

    def __init__(self) -> None:
        super().__init__()
        self.end = Event()

    @override
    def get_password(self, service: str, username: str) -> str | None:
        self.end.wait(60)
        return None


class Backends:
    """Sets which backend the library finds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def use(self, backend: KeyringBackend) -> None:
        self._monkeypatch.setattr(keyring.core, "_keyring_backend", backend)


@pytest.fixture
def backends(monkeypatch: pytest.MonkeyPatch) -> Backends:
    return Backends(monkeypatch)


def test_a_secret_is_kept_under_its_name(backends: Backends) -> None:
    backend = Backend()
    backends.use(backend)
    system = SystemKeyring()
    assert system.get("mine") is None
    system.put("mine", SECRET)
    assert system.get("mine") == SECRET
    assert system.get("another") is None
    assert backend.kept == {("tertulia", "mine"): SECRET.reveal().hex()}
    system.remove("mine")
    system.remove("mine")
    assert backend.kept == {}


@pytest.mark.parametrize("make", [null.Keyring, fail.Keyring, PlainTextBackend])
def test_a_backend_that_protects_nothing_is_none(
    backends: Backends, make: Callable[[], KeyringBackend]
) -> None:
    backend = make()
    backends.use(backend)
    with pytest.raises(UnusableKeyringError, match="there is none"):
        SystemKeyring().put("mine", SECRET)
    if isinstance(backend, Backend):
        assert backend.kept == {}


def test_of_several_backends_only_a_good_one_is_used(
    backends: Backends, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, good = PlainTextBackend(), Backend()
    chosen: list[list[KeyringBackend]] = [[plain, good], [plain]]
    chain: Callable[[], KeyringBackend] = chainer.ChainerBackend
    backends.use(chain())
    monkeypatch.setattr(chainer.ChainerBackend, "backends", chosen[0])
    SystemKeyring().put("mine", SECRET)
    assert (len(plain.kept), len(good.kept)) == (0, 1)
    monkeypatch.setattr(chainer.ChainerBackend, "backends", chosen[1])
    with pytest.raises(UnusableKeyringError, match="there is none"):
        SystemKeyring().get("mine")


def test_a_keyring_that_forgets_is_not_trusted(backends: Backends) -> None:
    backends.use(ForgetfulBackend())
    with pytest.raises(UnusableKeyringError, match="does not keep"):
        SystemKeyring().put("mine", SECRET)


def test_a_keyring_that_hangs_is_left_behind(backends: Backends) -> None:
    backend = HangingBackend()
    backends.use(backend)
    with pytest.raises(UnusableKeyringError, match="does not answer"):
        SystemKeyring(patience=0.01).get("mine")
    backend.end.set()


def test_whatever_a_backend_raises_is_one_error(
    backends: Backends, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: str) -> None:
        raise RuntimeError("the bus is gone")

    backend = Backend()
    monkeypatch.setattr(backend, "get_password", refuse)
    backends.use(backend)
    with pytest.raises(UnusableKeyringError, match="RuntimeError: the bus is gone"):
        SystemKeyring().get("mine")


def test_what_is_no_key_is_said(backends: Backends) -> None:
    backend = Backend()
    backend.kept["tertulia", "mine"] = "open sesame"
    backends.use(backend)
    with pytest.raises(UnusableKeyringError, match="something else"):
        SystemKeyring().get("mine")
    SystemKeyring().remove("mine")
    assert backend.kept == {}
