"""XMPP servers: a room is a multi-user chat that keeps an archive.

Everybody signs in anonymously, over plain TCP. The archive is written in the server's
own time: neither waits for the disk before it delivers.
"""

from pathlib import Path
from typing import Final

from typing_extensions import override

from bench.relay.load import LOOPBACK, Link, Manners, Template
from bench.relay.server import Server
from bench.relay.systems.peer import Peer

_STREAM: Final = (
    b"<stream:stream xmlns='jabber:client' version='1.0' to='localhost' "
    b"xmlns:stream='http://etherx.jabber.org/streams'>"
)
_BIND: Final = (
    b"<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
)
_SESSION: Final = (
    b"<iq type='set' id='session'>"
    b"<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>"
)
_ANONYMOUS: Final = (
    b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>"
)


class Xmpp(Peer):
    """What both servers understand."""

    durability = "later"
    manners = Manners(alive=b" ")
    rooms = "rooms.localhost"

    @override
    def sign_in(self, server: Server, number: int) -> Link:
        link = Link(server.port)
        link.send(_STREAM)
        link.read_until(b"</stream:features>")
        link.send(_ANONYMOUS)
        if b"<success" not in link.read_until(b"/>", b"</failure>"):
            raise ConnectionError("signing in failed")
        link.send(_STREAM)
        link.read_until(b"</stream:features>")
        for request in (_BIND, _SESSION):
            link.send(request)
            if b"error" in link.read_until(b"</iq>", b"/>"):
                raise ConnectionError("no resource")
        link.send(b"<presence/>")
        return link

    @override
    def join(self, link: Link, room: int, number: int) -> None:
        join = (
            f"<presence to='r{room}@{self.rooms}/m{number}'>"
            "<x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x>"
            "</presence>"
        )
        link.send(join.encode())
        link.read_until(b"<subject", b"</error>")  # comes last

    @override
    def template(self, room: int, number: int, payload: int) -> Template:
        head = f"<message to='r{room}@{self.rooms}' type='groupchat'><body>"
        return Template(head.encode(), b"</body></message>")


_PROSODY: Final = """\
run_as_root = true
data_path = "{folder}"
modules_enabled = {{ "roster", "saslauth", "disco" }}
modules_disabled = {{ "s2s", "posix" }}
c2s_require_encryption = false
c2s_ports = {{ {port} }}
c2s_interfaces = {{ "{host}" }}
log = {{ error = "{folder}/errors" }}
VirtualHost "localhost"
  authentication = "anonymous"
Component "rooms.localhost" "muc"
  modules_enabled = {{ "muc_mam" }}
  muc_log_by_default = true
  muc_log_presences = false
  muc_room_locking = false
  max_history_messages = 0
  storage_archive_item_limit = 1000000000
"""


class Prosody(Xmpp):
    """Prosody."""

    name = "prosody"
    program = "prosody"

    @override
    def command(self, folder: Path, port: int) -> list[str]:
        settings = folder / "prosody.cfg.lua"
        settings.write_text(_PROSODY.format(folder=folder, port=port, host=LOOPBACK))
        return [self.found() or self.program, "-F", "--config", str(settings)]


_EJABBERD: Final = """\
hosts: [localhost]
loglevel: error
listen:
  - {{port: {port}, ip: "{host}", module: ejabberd_c2s, starttls: false, shaper: none,
     max_stanza_size: infinity}}
auth_method: [anonymous]
anonymous_protocol: sasl_anon
access_rules: {{c2s: {{allow: all}}}}
shaper_rules: {{c2s_shaper: none}}
modules:
  mod_mam: {{default: always}}
  mod_muc:
    host: rooms.localhost
    max_users: 10000
    max_user_conferences: 1000
    history_size: 0
    default_room_options: {{mam: true, max_users: 10000}}
"""


class Ejabberd(Xmpp):
    """ejabberd, as an Erlang node without a name, so that it leaves no daemon."""

    name = "ejabberd"
    program = "erl"

    @override
    def lacks(self) -> str | None:
        return super().lacks() or (None if _libraries() else "ejabberd")

    @override
    def command(self, folder: Path, port: int) -> list[str]:
        settings = folder / "ejabberd.yml"
        settings.write_text(_EJABBERD.format(port=port, host=LOOPBACK))
        paths = [path for library in _libraries() for path in ("-pa", str(library))]
        return [
            *("env", f"EJABBERD_CONFIG_PATH={settings}"),
            *(f"EJABBERD_LOG_PATH={folder}/ejabberd.log", f"SPOOL_DIR={folder}"),
            *(self.found() or self.program, "-noinput", "-start_epmd", "false"),
            *(*paths, "-mnesia", "dir", f'"{folder}/database"', "-s", "ejabberd"),
        ]


def _libraries() -> list[Path]:
    """Return where Debian keeps ejabberd's compiled modules."""
    return sorted(Path("/usr/lib").glob("*/ejabberd*/ebin"))
