"""A run whose process is killed again and again ends with the same bits, and loses no committed draw.

``EXMC_KILLS`` says how often; the seed of the moments is fixed.
"""

import os
import random
import subprocess
import sys
import time

import pytest

from exmc_actors.runtime.journal import BlockEntry, read
from tests.chaos.killed_run import OPTIONS

KILLS = int(os.environ.get("EXMC_KILLS", "20"))
SEED = 20261128
LONGEST = 0.7
"""Seconds between a run's first sign of life and the kill, at most."""
WHILE_OPENING = 0.2
"""The part of the kills that comes before it."""


def start(folder, cache):
    environment = os.environ | {"EXMC_CACHE_DIR": str(cache)}
    command = [sys.executable, "-m", "tests.chaos.killed_run", str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def finish(process):
    """Return what a process says at its end."""
    out, _ = process.communicate()
    assert process.returncode == 0, out
    return out.split()[-1]


def kill_at_random(process, chance):
    """Kill a process at a random moment; return whether it had not ended by itself."""
    if chance.random() < WHILE_OPENING:
        time.sleep(chance.uniform(0.0, 3.0))
    else:
        process.stdout.readline()
        time.sleep(chance.uniform(0.0, LONGEST))
    process.kill()
    process.communicate()
    return process.returncode == -9


def committed(folder):
    """Return where committed blocks begin and end, of each chain; each begins once."""
    kept = read(folder)
    assert kept.damages == ()
    blocks = [entry for entry in kept.records if isinstance(entry, BlockEntry)]
    begins = [(entry.chain, entry.transitions) for entry in blocks]
    assert len(begins) == len(set(begins))
    return {(entry.chain, entry.transitions, entry.length) for entry in blocks}


def is_complete(blocks):
    return sum(length for _, _, length in blocks) == OPTIONS["chains"] * (OPTIONS["tune"] + OPTIONS["draws"])


@pytest.mark.slow
@pytest.mark.timeout(120 + 15 * KILLS)
def test_a_process_may_be_killed_at_any_moment(tmp_path):
    print(f"seed {SEED}, {KILLS} kills")
    chance = random.Random(SEED)
    expected = finish(start(tmp_path / "whole", tmp_path / "cache"))
    kills, in_the_midst, runs = 0, 0, 0
    while kills < KILLS:
        folder, before = tmp_path / f"run {runs}", set()
        runs += 1
        # There is nothing to interrupt any more in a run that is complete.
        while kills < KILLS and not is_complete(before):
            if not kill_at_random(start(folder, tmp_path / "cache"), chance):
                break
            kills += 1
            if (folder / "head").exists():
                now = committed(folder)
                assert before <= now
                in_the_midst += before < now and not is_complete(now)
                before = now
        assert finish(start(folder, tmp_path / "cache")) == expected
        assert before <= committed(folder)
    assert in_the_midst >= KILLS // 10
    print(f"{runs} runs of {OPTIONS} were killed {kills} times, {in_the_midst} times after some new commits")
