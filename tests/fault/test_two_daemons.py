"""F25 and F26: two daemons on one database are handed the same keys at the same instant, and revisions that cross. One row
a key, one receipt for both, the highest revision counts wherever it landed, every sum exact."""
import os
import random
import shutil
import threading
import time

import pytest
from brp import Client
from conftest import USER
from reports import check_exact, communes, report

LONG = bool(os.environ.get("BAOCAO_LONG"))
SEED = int(os.environ.get("BAOCAO_SEED") or time.time_ns() % 1_000_000)
PAIRS, CROSSINGS = (10000, 5000) if LONG else (300, 150)
ROUNDS_MAX = 40  # until the race was seen to be won on both sides


@pytest.fixture
def pair(make_daemon, postgres):
    """Two daemons with one signing key, as two machines of one province have."""
    first = make_daemon(database_url=postgres.url).start()
    second = make_daemon(database_url=postgres.url)
    key = os.path.join(second.state, "audit.key")
    shutil.copy(os.path.join(first.state, "audit.key"), key)
    os.chmod(key, 0o600)
    if USER:
        shutil.chown(key, USER)
    return first, second.start()


class Side(threading.Thread):
    """Hands documents to one daemon, from the moment that both sides are ready."""

    def __init__(self, daemon, documents, ready):
        super().__init__(daemon=True)
        self.of, self.documents, self.ready, self.answers, self.error = daemon, documents, ready, [], None
        self.start()

    def run(self):
        try:
            with Client(self.of.reports_port) as client:
                self.ready.wait(60)
                self.answers = client.submit_all(self.documents)
        except BaseException as error:  # told by hand_in()
            self.error = error


def hand_in(daemons, documents):
    """Both lists at once, each to its daemon: the answers of both."""
    ready = threading.Barrier(2)
    sides = [Side(daemon, mine, ready) for daemon, mine in zip(daemons, documents)]
    for side in sides:
        side.join(600)
        assert not side.is_alive()
        if side.error:
            raise side.error
    return [side.answers for side in sides]


def whole(daemon, postgres, reports=None):
    check_exact(postgres.sql, reports)
    for words in (["verify"], ["verify", "--audit"]):
        done = daemon.operate(*words)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_same_key_at_the_same_instant(pair, postgres):
    dice = random.Random(SEED)
    print("BAOCAO_SEED =", SEED)
    units, sent, won = communes(), {}, [0, 0]
    for number in range(ROUNDS_MAX):
        fresh = {}
        while len(fresh) < min(len(units), max(PAIRS - len(sent), 1)):
            press = dice.randrange(1000)
            key = units[len(fresh)], number + 1
            fresh[key] = press, report(*key, press)
        documents = [document for _, document in fresh.values()]
        answers = hand_in(pair, [documents, documents])
        for key, one, other in zip(fresh, *answers):
            assert one.verb == other.verb == "OK", (key, one, other)
            assert one.receipt == other.receipt and one.chain == other.chain and one.at == other.at, (key, one, other)
            assert sorted((one.dup, other.dup)) == ["0", "1"], (key, one, other)
            won[one.dup == "1"] += 1
        sent.update(fresh)
        if len(sent) >= PAIRS and all(won):
            break
    assert len(sent) >= PAIRS and all(won), f"no race was seen: {won} of {len(sent)}"
    # The highest revision of each unit is what counts, and nothing stands twice.
    whole(pair[0], postgres, sent)


def test_crossing_revisions_on_two_daemons(pair, postgres):
    dice = random.Random(SEED + 1)
    print("BAOCAO_SEED =", SEED)
    units, next_revision, sent, crossed, done = communes(), {}, {}, [0, 0], 0
    for _ in range(ROUNDS_MAX * max(1, CROSSINGS // len(units))):
        halves = [[], []]
        for unit in units:
            first = next_revision.get(unit, 1)
            revisions = list(range(first, first + dice.randrange(2, 5)))
            next_revision[unit] = revisions[-1] + 1
            dice.shuffle(revisions)
            for revision in revisions:
                press = dice.randrange(1000)
                sent[unit, revision] = press, report(unit, revision, press)
                halves[dice.randrange(2)].append((unit, revision))
            done += 1
        for half in halves:
            dice.shuffle(half)
        answers = hand_in(pair, [[sent[key][1] for key in half] for half in halves])
        for side in (0, 1):
            for key, answer in zip(halves[side], answers[side]):
                assert answer.verb == "OK" and answer.state in ("committed", "superseded"), (key, answer)
                crossed[side] += answer.state == "superseded"
        if done >= CROSSINGS and all(crossed):
            break
    assert all(crossed), f"no revision came behind a higher one: {crossed}"
    whole(pair[1], postgres, sent)
    counted = dict(postgres.sql("SELECT u.code, o.revision FROM baocao.obligation o JOIN baocao.unit u USING (unit)"
                                " WHERE o.revision IS NOT NULL"))
    assert counted == {unit: next_revision[unit] - 1 for unit in units}
