"""Asking the hub over HTTP as any client would: heads and bodies as they are."""
import base64
import http.client
import json
import ssl

from conftest import wait_for


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode("utf-8")

    def __repr__(self):
        return f"<{self.status} {dict(self.headers)} {self.body[:400]!r}>"


def ask(daemon, method, path, body=None, token=None, user=None, ca=None, **headers):
    """One request. token: as Bearer, or as the password of `user`. headers: content_type="…" and so on."""
    head = {name.replace("_", "-"): value for name, value in headers.items()}
    if token and user is not None:
        head["Authorization"] = "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()
    elif token:
        head["Authorization"] = f"Bearer {token}"
    if ca:
        context = ssl.create_default_context(cafile=ca)
        connection = http.client.HTTPSConnection("127.0.0.1", daemon.http_port, timeout=60, context=context)
    else:
        connection = http.client.HTTPConnection("127.0.0.1", daemon.http_port, timeout=60)
    try:
        connection.request(method, path, body.encode() if isinstance(body, str) else body, head)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def add_token(daemon, *words):
    """A new secret of `baocaod token add`; a running daemon believes it within seconds."""
    made = daemon.operate("token", "add", "--name", "thử", *words)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def wait_for_token(daemon, secret, **options):
    wait_for(lambda: ask(daemon, "GET", "/v1/forms?limit=1", token=secret, **options).status == 200, every=0.5)
    return secret


def make_token(daemon, *words, **options):
    """A new secret that the running daemon believes."""
    return wait_for_token(daemon, add_token(daemon, *words), **options)
