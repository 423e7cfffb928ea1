"""IRC servers: a room is a channel; who writes does not get an echo.

They are told to be patient with fast writers; nothing else differs from the defaults.
"""

from pathlib import Path
from typing import ClassVar, Final

from typing_extensions import override

from bench.relay.load import LOOPBACK, Link, Manners, Template
from bench.relay.server import Server
from bench.relay.systems.peer import Peer


class Irc(Peer):
    """What both servers understand."""

    durability = "no"
    manners = Manners(echoes=False, alive=b"PONG bench\r\n")

    @override
    def enter(self, server: Server, numbers: range) -> list[Link]:
        # All at once: inspircd greets newcomers once a second.
        links = [self.sign_in(server, number) for number in numbers]
        for link in links:
            _be_greeted(link)
        return links

    @override
    def sign_in(self, server: Server, number: int) -> Link:
        link = Link(server.port)
        link.send(f"NICK m{number}\r\nUSER m{number} 0 * :member\r\n".encode())
        return link

    @override
    def join(self, link: Link, room: int, number: int) -> None:
        link.send(f"JOIN #r{room}\r\n".encode())
        link.read_until(b" 366 ")  # the end of the names
        link.read_until(b"\n")

    @override
    def template(self, room: int, number: int, payload: int) -> Template:
        return Template(f"PRIVMSG #r{room} :".encode(), b"\r\n")


def _be_greeted(link: Link) -> None:
    while True:
        line = link.read_until(b"\n")
        if line.startswith(b"PING"):
            link.send(b"PONG" + line[4:])
        if b" 376 " in line or b" 422 " in line:  # the end of the greeting
            return


class Ngircd(Irc):
    """ngircd."""

    name = "ngircd"
    program = "ngircd"
    _SETTINGS: ClassVar = """\
[Global]
Name = irc.bench.test
Info = bench
Listen = {host}
Ports = {port}
ServerGID = root
ServerUID = root
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxPenaltyTime = 0
[Options]
DNS = no
Ident = no
PAM = no
"""

    @override
    def command(self, folder: Path, port: int) -> list[str]:
        settings = folder / "ngircd.conf"
        settings.write_text(self._SETTINGS.format(host=LOOPBACK, port=port))
        return [self.found() or self.program, "-n", "-f", str(settings)]


_INSPIRCD: Final = """\
<server name="irc.bench.test" description="bench" network="bench">
<admin name="bench" nick="bench" email="bench@bench.test">
<bind address="{host}" port="{port}" type="clients">
<connect allow="*" timeout="30" pingfreq="600" hardsendq="64M" softsendq="64M"
 recvq="1M" threshold="1000000000" commandrate="1000000000" fakelag="no"
 localmax="100000" globalmax="100000" maxchans="100" resolvehostnames="no"
 useident="no">
<performance softlimit="100000" somaxconn="1024">
<log method="file" type="* -USERINPUT -USEROUTPUT" level="default" target="{log}">
"""


class Inspircd(Irc):
    """InspIRCd."""

    name = "inspircd"
    program = "inspircd"

    @override
    def command(self, folder: Path, port: int) -> list[str]:
        settings = folder / "inspircd.conf"
        log = folder / "irc.log"
        settings.write_text(_INSPIRCD.format(host=LOOPBACK, port=port, log=log))
        program = self.found() or self.program
        return [program, "--nofork", "--nopid", "--runasroot", f"--config={settings}"]
