"""A proxy before PostgreSQL that cuts the line: at COMMIT, before the server has it, or after it was carried out and before
the daemon is told; or where a statement is prepared."""
import socket
import threading

COMMIT = b"w_commit"  # the name of the daemon's prepared statement
ENCRYPTION = (80877103, 80877104)  # asks for TLS or GSSAPI; the startup message follows, without a type as well


def number(octets):
    return int.from_bytes(octets[:4], "big")


class Cutter:
    """Forwards to a port. While armed, every other commit is cut, in the two ways by turns, which carried_out and withheld
    count. cut_preparing: how many more times preparing a statement of that name is cut; prepared: the names of all that
    were asked to be."""

    def __init__(self, port):
        self.target, self.armed = port, False
        self.commits = self.carried_out = self.withheld = 0
        self.cut_preparing, self.prepared = {}, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    @property
    def cuts(self):
        return self.carried_out + self.withheld

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.target), 10)
            except OSError:
                near.close()
                continue
            Line(self, near, far)


class Line:
    """One connection of the daemon."""

    def __init__(self, cutter, near, far):
        self.cutter, self.near, self.far = cutter, near, far
        self.typed = self.deaf = False  # deaf: what the server says does not reach the daemon any more
        for end in (near, far):
            end.settimeout(None)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for way in (self.up, self.down):
            threading.Thread(target=self.carry, args=(way,), daemon=True).start()

    def carry(self, way):
        try:
            way()
        except OSError:
            pass
        self.end()

    def end(self):
        for end in (self.near, self.far):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def messages(self):
        """Whole messages of the daemon: (type, octets)."""
        octets = b""
        while True:
            more = self.near.recv(65536)
            if not more:
                return
            octets += more
            while len(octets) >= 5:
                size = number(octets[1:]) + 1 if self.typed else number(octets)
                if len(octets) < size:
                    break
                message, octets = octets[:size], octets[size:]
                kind = message[:1] if self.typed else b""
                self.typed = self.typed or number(message[4:]) not in ENCRYPTION
                yield kind, message

    def is_cut(self, kind, message):
        """Is it the preparing of a statement whose turn it is to be cut?"""
        if kind != b"P":
            return False
        name = message[5:].split(b"\0", 1)[0].decode()
        self.cutter.prepared.append(name)
        left = self.cutter.cut_preparing.get(name, 0)
        self.cutter.cut_preparing[name] = max(0, left - 1)
        return left > 0

    def up(self):
        for kind, message in self.messages():
            if self.is_cut(kind, message):
                return
            if kind == b"B" and message[5:].split(b"\0", 2)[1] == COMMIT and self.cutter.armed:
                self.cutter.commits += 1
                if self.cutter.commits % 4 == 0:
                    self.cutter.withheld += 1
                    return
                self.deaf = self.cutter.commits % 4 == 2
            self.far.sendall(message)

    def down(self):
        unheard = b""
        while True:
            octets = self.far.recv(65536)
            if not octets:
                return
            if not self.deaf:
                self.near.sendall(octets)
                continue
            unheard += octets
            if b"COMMIT\0" in unheard:
                self.cutter.carried_out += 1
                return
