"""F1 and F3: the daemon, its database server and single backends are killed at random instants of a stream, round after
round. After every round nothing acked may be lost, nothing doubled, every sum exact. The long run has 200 rounds, or
BAOCAO_ROUNDS. A kill hardly ever meets the instant between a COMMIT and its answer, so a proxy cuts the line just there."""
import os
import random
import signal
import threading
import time

import pytest
from cutter import Cutter
from reports import check_exact, communes, report, send_until_committed

LONG = bool(os.environ.get("BAOCAO_LONG"))
SEED = int(os.environ.get("BAOCAO_SEED") or time.time_ns() % 1_000_000)
ROUNDS, REPORTS, CLIENTS = (int(os.environ.get("BAOCAO_ROUNDS") or 200), 2000, 4) if LONG else (3, 300, 4)
CUTS = ROUNDS if LONG else 12


class Client(threading.Thread):
    """Sends its share until all is committed."""

    def __init__(self, daemon, reports):
        super().__init__(daemon=True)
        self.of, self.reports, self.receipts, self.unanswered, self.error = daemon, reports, {}, [], None
        self.start()

    def run(self):
        try:
            send_until_committed(self.of, self.reports, keep=self.receipts, unanswered=self.unanswered)
        except BaseException as error:  # told by the test
            self.error = error


def kill_daemon(daemon, postgres):
    daemon.kill(signal.SIGKILL)
    daemon.start()


def kill_server(daemon, postgres):
    postgres.kill()
    postgres.start()


def stop_server_at_once(daemon, postgres):
    postgres.restart("immediate")


def end_backends(daemon, postgres):
    postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'baocaod%'")


@pytest.mark.parametrize("faults", [[kill_daemon], [kill_server, stop_server_at_once, end_backends]],
                         ids=["daemon", "database"])
def test_kills_at_random_instants(make_daemon, postgres, faults):
    dice = random.Random(SEED)
    print("BAOCAO_SEED =", SEED)
    daemon = make_daemon(database_url=postgres.url).start()
    units, everything, receipts, unanswered = communes(), {}, {}, 0
    for number in range(ROUNDS):
        made = {}
        for i in range(REPORTS):
            press = dice.randrange(1000)
            key = units[i % len(units)], 1 + number * -(-REPORTS // len(units)) + i // len(units)
            made[key] = press, report(*key, press)
        keys = list(made)
        clients = [Client(daemon, {k: made[k] for k in keys[c::CLIENTS]}) for c in range(CLIENTS)]
        kills = 0
        while any(c.is_alive() for c in clients) and kills < 3:
            time.sleep(dice.uniform(0.02, 0.4))
            dice.choice(faults)(daemon, postgres)
            kills += 1
        for client in clients:
            client.join(300)
            assert not client.is_alive()
            if client.error:
                raise client.error
            receipts.update(client.receipts)
            unanswered += len(client.unanswered)
        assert kills > 0
        everything.update(made)
        if not LONG or number % 20 == 19 or number == ROUNDS - 1:
            check_exact(postgres.sql, everything)
    assert len(set(receipts.values())) == len(everything)
    some = dict(list(everything.items())[:200])
    again = send_until_committed(daemon, some)
    assert all(receipts[key] == receipt for key, receipt in again.items())
    if faults != [kill_daemon]:  # the daemon itself finds out what became of them
        print(unknown_and_found(daemon), "commits without an answer, reports of them found stored")
    else:
        print(unanswered, "reports were committed although nobody was told")


def unknown_and_found(daemon):
    with daemon.open(f"{daemon.server}/metrics") as answer:
        figures = dict(line.split() for line in answer.read().decode().splitlines() if not line.startswith("#"))
    return tuple(int(figures[f"baocaod_writer_{name}_total"]) for name in ("unknown_commits", "found"))


class Stream(threading.Thread):
    """Sends ten reports at a time, the next revision each time, until `enough`."""

    def __init__(self, daemon, units, enough):
        super().__init__(daemon=True)
        self.of, self.units, self.enough, self.made, self.receipts, self.error = daemon, units, enough, {}, {}, None
        self.start()

    def run(self):
        revision = 0
        try:
            while not self.enough():
                revision += 1
                some = {(u, revision): (revision % 1000, report(u, revision, revision % 1000)) for u in self.units}
                self.made.update(some)
                send_until_committed(self.of, some, keep=self.receipts)
        except BaseException as error:  # told by the test
            self.error = error


def test_commits_whose_answer_is_lost(make_daemon, postgres):
    """F3: some of them took place and some did not, and the daemon finds out of each report which."""
    units, everything, receipts = communes(), {}, {}
    with Cutter(postgres.port) as line:
        daemon = make_daemon(database_url=f"postgresql://postgres@127.0.0.1:{line.port}/postgres").start()
        line.armed = True
        streams = [Stream(daemon, units[10 * c:10 * c + 10], lambda: line.cuts >= CUTS) for c in range(CLIENTS)]
        for stream in streams:
            stream.join(1800 if LONG else 300)
            assert not stream.is_alive()
            if stream.error:
                raise stream.error
            everything.update(stream.made)
            receipts.update(stream.receipts)
        line.armed = False
        daemon.wait_ready()
        unknown, found = unknown_and_found(daemon)
        print(f"{line.carried_out} commits carried out and not told, {line.withheld} withheld: {unknown} unknown, {found} reports found")
        assert min(line.carried_out, line.withheld) >= CUTS // 2 - 1, "the cuts were of one kind: the test proved nothing"
        assert unknown >= CUTS and found >= line.carried_out
        check_exact(postgres.sql, everything)
        assert send_until_committed(daemon, everything) == receipts
