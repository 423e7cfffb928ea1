"""What keeps a relay from starting, or an operator's command from being carried out."""

from typing import ClassVar

from tertulia.errors import OfflineError, UsageError, VaultError


class CannotListenError(UsageError):
    """The address cannot be listened on."""

    code: ClassVar[str] = "cannot_listen"
    sentence: ClassVar[str] = "cannot listen on {host} port {port}: {reason}"

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(host, port, reason)
        self.host = host
        self.port = port
        self.reason = reason


class FolderError(VaultError):
    """The data folder cannot be made, read or written."""

    code: ClassVar[str] = "folder"
    sentence: ClassVar[str] = "{path}: {reason}"

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(path, reason)
        self.path = str(path)
        self.reason = reason


class ExposedKeyError(FolderError):
    """A file with a private key can be read by other users of the machine."""

    code: ClassVar[str] = "exposed_key"

    def __init__(self, path: object) -> None:
        super().__init__(path, "other users can read this private key (chmod 600)")


class MissingIdentityError(FolderError):
    """There is a store, but the identity that clients know it by is gone."""

    code: ClassVar[str] = "missing_identity"

    def __init__(self, path: object) -> None:
        super().__init__(
            path, "the identity key is missing; bring it back from a backup"
        )


class BadCertificateError(UsageError):
    """The operator's certificate and key cannot be used."""

    code: ClassVar[str] = "bad_certificate"
    sentence: ClassVar[str] = "{certificate} with {key}: {reason}"

    def __init__(self, certificate: object, key: object, reason: str) -> None:
        super().__init__(certificate, key, reason)
        self.certificate = str(certificate)
        self.key = str(key)
        self.reason = reason


class NotRunningError(OfflineError):
    """No relay of this data folder is running."""

    code: ClassVar[str] = "not_running"
    sentence: ClassVar[str] = "no relay is running on {path}"

    def __init__(self, path: object) -> None:
        super().__init__(path)
        self.path = str(path)


class NoRelayError(UsageError):
    """There is no relay in this folder, running or not."""

    code: ClassVar[str] = "no_relay"
    sentence: ClassVar[str] = "there is no relay in {path}"

    def __init__(self, path: object) -> None:
        super().__init__(path)
        self.path = str(path)


class CommandRefusedError(UsageError):
    """An operator's command does not fit what the relay has."""

    code: ClassVar[str] = "command_refused"
    sentence: ClassVar[str] = "{reason}"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
