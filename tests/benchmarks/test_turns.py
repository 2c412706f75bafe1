"""Peers take turns in orders in which none always comes after the same one."""

import runpy
from itertools import pairwise
from pathlib import Path

import pytest

turns = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "turns.py"))["turns"]

PEERS = ["ours", "ours_rows", "nutpie", "numpyro", "blackjax", "pymc"]


@pytest.mark.parametrize("count", range(7))
@pytest.mark.parametrize("seed", range(1, 9))
def test_every_peer_has_its_turn_for_every_seed(count, seed):
    assert sorted(turns(PEERS[:count], seed)) == sorted(PEERS[:count])


@pytest.mark.parametrize("count", [2, 4, 6])
def test_each_peer_comes_after_each_other_one_once(count):
    peers = PEERS[:count]
    followed = [pair for seed in range(1, count + 1) for pair in pairwise(turns(peers, seed))]
    assert sorted(followed) == sorted((a, b) for a in peers for b in peers if a != b)
