"""F1 and F3: the daemon, its database server and single backends are killed at random instants of a stream, round after
round. After every round nothing acked may be lost, nothing doubled, every sum exact. At the end the kills must have
been seen to hurt: some commits went unanswered, and had taken place. The long run has 200 rounds, or BAOCAO_ROUNDS."""
import os
import random
import signal
import threading
import time

import pytest
from reports import check_exact, communes, report, send_until_committed

LONG = bool(os.environ.get("BAOCAO_LONG"))
SEED = int(os.environ.get("BAOCAO_SEED") or time.time_ns() % 1_000_000)
ROUNDS, REPORTS, CLIENTS = (int(os.environ.get("BAOCAO_ROUNDS") or 200), 2000, 4) if LONG else (3, 300, 4)


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
    if faults == [kill_daemon]:
        seen = unanswered
    else:  # the daemon itself finds out what became of them
        with daemon.open(f"{daemon.server}/metrics") as answer:
            figures = dict(line.split() for line in answer.read().decode().splitlines() if not line.startswith("#"))
        seen = int(figures["baocaod_writer_found_total"])
        print("commits without an answer:", figures["baocaod_writer_unknown_commits_total"], "- reports of them found stored:", seen)
    if LONG:
        assert seen > 0, "no kill ever hit a commit: the test proved nothing"
