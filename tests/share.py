"""A pytest plugin for two runs side by side: they share the collected files out between them, one from the front and one
from the back, so that both end at about the same time however long a file takes. A file is whole with one of them, since
its fixtures may live as long as it does.

BAOCAO_SHARE: an empty folder that both know, in which each file taken leaves a name; BAOCAO_SHARE_FROM: front or back.
"""
import hashlib
import itertools
import os
import signal

FOLDER = os.environ["BAOCAO_SHARE"]
BACK = os.environ["BAOCAO_SHARE_FROM"] == "back"
if BACK:  # a shell starts what it leaves in the background deaf to Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)


def take(path):
    """Whether the file is ours: whoever is first to make its name in the folder."""
    name = hashlib.sha256(str(path).encode()).hexdigest()
    try:
        os.close(os.open(os.path.join(FOLDER, name), os.O_CREAT | os.O_EXCL))
        return True
    except FileExistsError:
        return False


def ours(items):
    """The tests of the files that we get, each file taken when its turn comes."""
    files = [list(group) for _, group in itertools.groupby(items, key=lambda item: item.path)]
    for group in reversed(files) if BACK else files:
        if take(group[0].path):
            yield from group


def pytest_runtestloop(session):
    """pytest's own loop, over tests that are not known beforehand."""
    if session.testsfailed and not session.config.option.continue_on_collection_errors:
        raise session.Interrupted(f"{session.testsfailed} errors while collecting")
    if session.config.option.collectonly:
        return True
    left = ours(session.items)
    item = next(left, None)
    while item:
        following = next(left, None)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)
        item = following
    return True
