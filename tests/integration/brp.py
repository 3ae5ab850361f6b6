"""A client of BRP/1, written from lib/wire/protocol.md alone."""
import hashlib
import socket
import ssl
import urllib.parse
import zlib

DAMAGE = ("HASH", "INFLATE", "RAW")


class Ended(Exception):
    """The server closed, or ended the talk with BYE or NO 0; args[0] is the frame, or None."""


class Frame:
    def __init__(self, verb, txn, keys, body):
        self.verb, self.txn, self.keys, self.body = verb, txn, keys, body

    def __getattr__(self, name):
        return self.__dict__["keys"].get(name)

    def __repr__(self):
        return f"<{self.verb} {self.txn} {self.keys} {self.body[:200]!r}>"

    @property
    def findings(self):  # (line, column, code, path, sentence)
        rows = []
        for line in self.body.decode("utf-8").splitlines():
            place, code, path, sentence = line.split("\t", 3)
            rows.append((*map(int, place.split(":")), code, path, sentence))
        return rows


def head(verb, txn, length, **keys):
    """A head line. A key whose name begins with must_ is written with '!'."""
    words = [verb, str(txn), str(length)]
    for name, value in keys.items():
        if value is not None:
            name = "!" + name[5:] if name.startswith("must_") else name
            words.append(name + "=" + urllib.parse.quote(str(value), safe="!$&'()*+,-./:;<=>?@[]^_`{|}~\"#\\"))
    return " ".join(words).encode("ascii") + b"\n"


def connect_tls(host, port, ca, cert=None, key=None, timeout=30):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["brp/1"])
    context.load_verify_locations(ca)
    if cert:
        context.load_cert_chain(cert, key)
    return context.wrap_socket(socket.create_connection((host, port), timeout), server_hostname=host)


class Client:
    """One connection. Requests give their number; answers are taken by number, in whatever order they come."""

    def __init__(self, port, host="127.0.0.1", hello=True, sock=None, timeout=30, **keys):
        self.sock = sock or socket.create_connection((host, port), timeout)
        self.sock.settimeout(timeout)
        self.input = b""
        self.txn = 0
        self.answers = {}
        self.told = []
        self.limits = None
        if hello:
            self.limits = self.answer(self.send("HELLO", v=1, agent="brp.py/1", lang=keys.pop("lang", "en"), **keys))
            if self.limits.verb != "OK":
                raise Ended(self.limits)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def raw(self, octets):
        self.sock.sendall(octets)

    def send(self, verb, body=b"", **keys):
        self.txn += 1
        self.raw(head(verb, self.txn, len(body), **keys) + body + b"\n")
        return self.txn

    def report(self, document, pack=True, **keys):
        """Sends a document; keys given override what is true of it."""
        if isinstance(document, str):
            document = document.encode("utf-8")
        truth = {"sha256": hashlib.sha256(document).hexdigest()}
        body = document
        if pack:
            body = zlib.compress(document)
            truth.update(enc="deflate", raw=len(document))
        return self.send("REPORT", keys.pop("body", body), **{**truth, **keys})

    def _more(self):
        octets = self.sock.recv(65536)
        if not octets:
            raise Ended(None)
        self.input += octets

    def read(self):
        """The next frame, whatever it is."""
        while b"\n" not in self.input:
            self._more()
        line, self.input = self.input.split(b"\n", 1)
        verb, txn, length, *words = line.decode("ascii").split(" ")
        keys = dict(word.lstrip("!").split("=", 1) for word in words)
        while len(self.input) < int(length) + 1:
            self._more()
        body, rest = self.input[:int(length)], self.input[int(length):]
        assert rest[:1] == b"\n", "no line feed after the body"
        self.input = rest[1:]
        return Frame(verb, int(txn), {k: urllib.parse.unquote(v) for k, v in keys.items()}, body)

    def answer(self, txn):
        """The answer to a request."""
        while txn not in self.answers:
            frame = self.read()
            if frame.txn:
                self.answers[frame.txn] = frame
            elif frame.verb in ("BYE", "NO"):
                raise Ended(frame)
            else:
                self.told.append(frame)
        return self.answers.pop(txn)

    def ask(self, verb, **keys):
        return self.answer(self.send(verb, **keys))

    def submit(self, document, **keys):
        """Sends one document and waits; repeats it when it was damaged on the way."""
        for _ in range(3):
            answer = self.answer(self.report(document, **keys))
            if answer.code not in DAMAGE:
                break
        return answer

    def submit_all(self, documents):
        """Sends many within the windows; gives the answers in the documents' order."""
        items, room = int(self.limits.items), int(self.limits.bytes)
        open_now, results = [], {}
        for number, document in enumerate(documents):
            size = 2 * len(document.encode("utf-8") if isinstance(document, str) else document) + 64
            while open_now and (len(open_now) >= items or sum(o[2] for o in open_now) + size > room):
                txn, which, _ = open_now.pop(0)
                results[which] = self.answer(txn)
            open_now.append((self.report(document), number, size))
        for txn, which, _ in open_now:
            results[which] = self.answer(txn)
        return [results[i] for i in range(len(results))]
