"""The processes that share many seeds."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scheduler.lab.chaos import pool
from scheduler.lab.chaos.run import Verdict

PLAY = (sys.executable, "-m", "scheduler", "chaos", "--seeds", "1..100000", "--jobs", "2")


def players_of(pid: int) -> set[int]:
    """Processes that it has begun."""
    return {int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def is_there(pid: int) -> bool:
    """Whether it runs: what has ended and nobody has waited for is not there."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def until(condition: Callable[[], bool]) -> None:
    """These are processes of their own: there is no virtual clock in them."""
    deadline_s = time.perf_counter() + 60
    while not condition():
        assert time.perf_counter() < deadline_s
        time.sleep(0.05)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are counted in /proc")
def test_players_end_with_who_has_begun_them() -> None:
    """Killed in the middle of its seeds, the command leaves nobody behind that waits for more."""
    with subprocess.Popen(PLAY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as command:
        try:
            # Two that play, and one that tracks what they share.
            until(lambda: len(players_of(command.pid)) == 3)
            players = players_of(command.pid)
        finally:
            command.kill()
    until(lambda: not any(map(is_there, players)))


def test_seeds_are_handed_out_as_they_are_played(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not all at once, since there may be millions; each is told, in order."""
    taken = list[int]()

    def seeds() -> Iterator[int]:
        for seed in range(2_003):
            taken.append(seed)
            yield seed

    monkeypatch.setattr(pool, "ProcessPoolExecutor", lambda jobs, **_: ThreadPoolExecutor(jobs))
    monkeypatch.setattr(pool, "verdict_of", lambda seed: Verdict(seed=seed))
    told = pool.verdicts(seeds(), jobs=2)
    assert next(told).seed == 0
    assert len(taken) < 500
    assert [each.seed for each in told] == list(range(1, 2_003))
