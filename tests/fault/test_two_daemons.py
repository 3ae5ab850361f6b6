"""F25 and F26: two daemons on one database are handed the same keys at the same instant, and revisions that cross. One row
a key, one receipt for both, the highest revision counts wherever it landed, every sum exact."""
import os
import random
import shutil
import subprocess
import tempfile
import threading
import time

import pytest
from brp import Client
from conftest import PROVINCE, wait_for
from reports import check_exact, communes, report

LONG = bool(os.environ.get("BAOCAO_LONG"))
SEED = int(os.environ.get("BAOCAO_SEED") or time.time_ns() % 1_000_000)
PAIRS, CROSSINGS = (10000, 5000) if LONG else (300, 150)
ROUNDS_MAX = 40  # until the race was seen to be won on both sides


def start_two(make_daemon, postgres, province=None):
    """Two daemons with one signing key, as two machines of one province have."""
    first = make_daemon(database_url=postgres.url)
    second = make_daemon(database_url=postgres.url)
    for daemon in (first, second):
        daemon.province = province or daemon.province
    first.start()
    return first, second.share_key(first).start()


@pytest.fixture
def pair(make_daemon, postgres):
    return start_two(make_daemon, postgres)


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
    for number in range(ROUNDS_MAX + PAIRS // len(units)):
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


def test_files_put_in_force_by_one_reach_the_other(make_daemon, postgres, programs):
    """Neither undoes what the other was told to do: the second reads the files anew, or waits for a person."""
    folder = tempfile.mkdtemp(prefix="baocao-province-")
    try:
        os.chmod(folder, 0o755)
        province = os.path.join(folder, "shared")
        shutil.copytree(programs.province, province)
        subprocess.run(["chmod", "-R", "u=rwX,go=rX", province], check=True)
        first, second = start_two(make_daemon, postgres, province)
        epoch = lambda: postgres.sql("SELECT value FROM baocao.epoch WHERE name = 'registry'")[0][0]
        before = epoch()
        units = os.path.join(province, "units.yaml")

        def add_unit(code):
            with open(units, encoding="utf-8") as f:
                text = f.read()
            line = f'  - {{code: "{code}", kind: commune, name: Xã Mới, en: New Commune, from: 2025-07-01, parents: {{state: "66"}}}}\n'
            with open(units, "w", encoding="utf-8") as f:
                f.write(text.replace("units:\n", "units:\n" + line, 1))

        def send(daemon, unit, revision):
            with Client(daemon.reports_port) as client:
                return client.submit(report(unit, revision, 5))

        def committed(daemon, unit, revision):
            return lambda: send(daemon, unit, revision).state == "committed"

        add_unit("66.X1")
        assert first.operate("units", "apply").returncode == 0 and epoch() == before + 1
        wait_for(lambda: send(second, "66.X1", 1).state in ("committed", "superseded"))
        assert "reading them anew" in second.log()
        assert send(first, "66.X1", 2).state == "committed" and epoch() == before + 1

        # A folder of its own that nobody changed: the second waits rather than undoing the first.
        own = os.path.join(folder, "own")
        shutil.copytree(province, own)
        subprocess.run(["chmod", "-R", "u=rwX,go=rX", own], check=True)
        second.province = own
        assert second.stop() == 0
        second.start()
        assert epoch() == before + 1
        add_unit("66.X2")
        assert first.operate("units", "apply").returncode == 0 and epoch() == before + 2
        assert send(second, "66.X1", 3).state != "committed"  # kept in its spool, or told to wait
        wait_for(lambda: "bring the same files to both" in second.log())
        assert send(second, "66.X1", 3).state != "committed"
        # The database is there all the same, and nobody waits for it in vain.
        wait_for(lambda: "it answers, but cannot be written to" in second.log())
        assert "database: away" not in second.log()
        assert second.get("/readyz") == (200, {"status": "degraded", "database": "not ready", "reports": "queued"})
        wait_for(lambda: send(second, "66.X1", 3).state == "queued")
        assert send(second, "66.X2", 1).verb == "WAIT"  # its own files know no such unit
        begun = time.monotonic()
        assert send(second, "66.X1", 4).state == "queued" and time.monotonic() - begun < 5
        assert send(first, "66.X2", 1).state == "committed" and epoch() == before + 2
        shutil.copy(units, os.path.join(own, "units.yaml"))
        wait_for(committed(second, "66.X2", 2), 90)
        assert epoch() == before + 2
        assert second.log().count("bring the same files to both") == 1  # it looked again and again
        assert first.operate("verify").returncode == 0

        # What a start puts in force goes for all, so it is said.
        assert "have replaced them" not in first.log() + second.log()
        add_unit("66.X3")
        shutil.copy(units, os.path.join(own, "units.yaml"))
        assert second.stop() == 0
        second.start()
        wait_for(lambda: "have replaced them" in second.log())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_what_the_other_has_put_in_force_is_not_refused_by_older_files(make_daemon, postgres, programs):
    """Until a daemon has looked, a report of a new form is of none that it knows: that is no refusal for ever."""
    folder = tempfile.mkdtemp(prefix="baocao-schemas-")
    try:
        os.chmod(folder, 0o755)
        schemas = os.path.join(folder, "schemas")
        shutil.copytree(programs.schemas, schemas)
        subprocess.run(["chmod", "-R", "u=rwX,go=rX", schemas], check=True)
        first, second = make_daemon(database_url=postgres.url), make_daemon(database_url=postgres.url)
        for daemon in (first, second):
            daemon.schemas, daemon.province = schemas, os.path.join(schemas, "provinces", PROVINCE)
        first.start()
        second.share_key(first).start()
        with open(os.path.join(schemas, "nd73", "nd73-quarterly.v1.yaml"), encoding="utf-8") as f:
            text = f.read()
        with Client(second.reports_port) as client:
            for number in range(3):  # each time before it may have looked by itself
                name = f"nd73-new{number}"
                with open(os.path.join(schemas, "nd73", f"{name}.v1.yaml"), "w", encoding="utf-8") as f:
                    f.write(text.replace("id: nd73-quarterly", f"id: {name}"))
                assert first.operate("units", "apply").returncode == 0
                document = report("24133", 1, 5).replace("form: nd73-quarterly", f"form: {name}")
                answer = client.submit(document)
                assert answer.verb != "NO", answer
                wait_for(lambda: client.submit(document).state == "committed")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
