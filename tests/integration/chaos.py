"""A proxy that makes a line as bad as lines in the country can be: slow, chopped, cut, flipping bits."""
import random
import socket
import threading
import time


class Chaos:
    """Forwards to a port. delay: seconds each way; chop: most octets a write; and after so many octets each time, cut:
    the connection is reset; flip: a bit on the way up is turned; stall: nothing goes for `pause` seconds. While hold_up or
    hold_down is set nothing goes that way, and nobody is told: what is lost to a firewall, until it is found again. keep:
    what was passed on is kept in up and down."""

    def __init__(self, port, delay=0.0, chop=65536, cut=0, flip=0, stall=0, pause=0.3, seed=1, keep=False):
        self.target, self.delay, self.chop = port, delay, chop
        self.cut, self.flip, self.stall, self.pause = cut, flip, stall, pause
        self.random = random.Random(seed)
        self.passed = {"cut": 0, "flip": 0, "stall": 0}
        self.cuts = self.flips = self.stalls = self.chops = self.connections = self.held = 0
        self.hold_up = self.hold_down = False
        self.keep, self.up, self.down = keep, bytearray(), bytearray()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = True
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.open = False
        self.listener.close()

    def _accept(self):
        while self.open:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            try:
                far = socket.create_connection(("127.0.0.1", self.target), 10)
            except OSError:
                near.close()
                continue
            for one, other, up in ((near, far, True), (far, near, False)):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._carry, args=(one, other, up), daemon=True).start()

    def _happens(self, what, every, octets):
        self.passed[what] += octets
        if not every or self.passed[what] < every:
            return False
        self.passed[what] = 0
        return True

    def _damage(self, octets):
        if not self._happens("flip", self.flip, len(octets)):
            return octets
        self.flips += 1
        damaged = bytearray(octets)
        damaged[self.random.randrange(len(damaged))] ^= 1 << self.random.randrange(8)
        return bytes(damaged)

    def _carry(self, one, other, up):
        """Octets wait in a queue until their time has come, so that a delay costs no throughput."""
        queue, wake = [], threading.Condition()

        def write():
            while True:
                with wake:
                    while not queue:
                        wake.wait()
                    when, octets = queue.pop(0)
                time.sleep(max(0, when - time.monotonic()))
                self.held += self.hold_up if up else self.hold_down
                while self.hold_up if up else self.hold_down:
                    time.sleep(0.02)
                try:
                    if octets is None:
                        other.shutdown(socket.SHUT_WR)
                        return
                    self.chops += len(octets) > self.chop
                    for at in range(0, len(octets), self.chop):
                        other.sendall(octets[at:at + self.chop])
                    if self.keep:
                        (self.up if up else self.down).extend(octets)
                except OSError:
                    return

        threading.Thread(target=write, daemon=True).start()
        while True:
            try:
                octets = one.recv(4096)
            except OSError:
                octets = b""
            if octets and self._happens("cut", self.cut, len(octets)):
                self.cuts += 1
                for end in (one, other):  # what waits in the queues is lost with it
                    try:
                        end.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        pass
                octets = b""
            if octets and self._happens("stall", self.stall, len(octets)):
                self.stalls += 1
                time.sleep(self.pause)
            with wake:
                queue.append((time.monotonic() + self.delay, (self._damage(octets) if up else octets) or None))
                wake.notify()
            if not octets:
                return
