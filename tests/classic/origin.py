"""The first programs, written again from what their report says, faults included.

Nothing here is shared with the package: it is the other side of the wire, against which
ours is tested, byte for byte. Runs as `origin.py server PORT` and `origin.py client IP
PORT NAME`; the real ones had a fixed port and asked for the rest.
"""

import socket
import sys
import threading

KEY = 10


def encrypt(text: str, key: int = KEY) -> str:
    """Its fault: `isalpha` is true for letters outside of A to Z."""
    result = ""
    for character in text:
        if character.isalpha():
            first = ord("A") if character.isupper() else ord("a")
            result += chr((ord(character) - first + key) % 26 + first)
        else:
            result += character
    return result


def decrypt(text: str, key: int = KEY) -> str:
    return encrypt(text, -key)


def print_now(text: str) -> None:
    print(text, flush=True)  # noqa: T201 -- a program of its own


class OriginServer:
    def __init__(self, port: int) -> None:
        self.clients: list[socket.socket] = []
        self.listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen()

    def serve(self) -> None:
        print_now(f"El servidor se encuentra en: {self.listener.getsockname()[0]}")
        print_now(f"Puerto: {self.listener.getsockname()[1]}")
        print_now("Esperando conexión con clientes...")
        while True:
            client, address = self.listener.accept()
            print_now(f"Conexión establecida desde {address}")
            self.clients.append(client)
            threading.Thread(target=self.attend, args=(client, address)).start()

    def attend(self, client: socket.socket, address: tuple[str, int]) -> None:
        while True:
            try:
                message = client.recv(1024)  # b"" forever, once the client has gone
                if message:
                    text = message.decode("utf-8")
                    print_now(f"Mensaje recibido desde {address}: {text}")
                    self.send_to_others(message, client)
            except OSError:
                print_now(f"Conexión cerrada desde {address}")
                self.clients.remove(client)
                self.send_to_others(f"{client} se ha ido".encode(), client)
                client.close()
                break

    def send_to_others(self, message: bytes, sender: socket.socket) -> None:
        for client in self.clients:
            if client is not sender:
                client.send(message)


class OriginClient:
    def __init__(self, ip: str, port: int, name: str) -> None:
        self.name = name
        self.socket = socket.create_connection((ip, port))

    def talk(self) -> None:
        threading.Thread(target=self.receive, daemon=True).start()
        while True:
            text = sys.stdin.readline().rstrip("\n")
            if text.upper() == "FIN":
                break
            self.send(text)
        self.socket.close()

    def send(self, text: str) -> None:
        self.socket.send(encrypt(f"{self.name}: {text}").encode("utf-8"))

    def receive(self) -> None:
        while True:
            message = self.socket.recv(1024)
            if not message:
                break
            print_now(decrypt(message.decode("utf-8")))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["server", port]:
            OriginServer(int(port)).serve()
        case ["client", ip, port, name]:
            OriginClient(ip, int(port), name).talk()
        case _:
            sys.exit(__doc__)
