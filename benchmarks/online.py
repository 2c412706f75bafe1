"""Measure what online estimates cost: nanoseconds for each draw of each quantity, and milliseconds a summary.

Blocks of independent normal draws of four chains go through ``Online.observe``, in turns; the best turn
counts, since whatever else the machine does only adds to it.

``python benchmarks/online.py`` takes half a minute and prints a JSON line a size.
"""

import argparse
import json
import time

import numpy as np

from exmc_actors.diagnostics.online import Online
from exmc_actors.messages import STATS, DrawBlock

CHAINS, TILES = 4, 16
"""A turn brings each chain so many times 256 draws."""
SIZES = (2, 10, 100, 1000)


def blocks(quantities, draws, size, first, rng):
    """Return blocks of all chains, in turns."""
    for at in range(first, first + draws, size):
        for chain in range(CHAINS):
            stats = {name: rng.normal(size=size) for name in STATS} | {"diverging": np.zeros(size, bool)}
            yield DrawBlock(chain, "sample", at, {"x": rng.normal(size=(size, quantities))}, stats)


def measure(quantities, size, turns, lags):
    rng = np.random.default_rng(1)
    online = Online(CHAINS, lags=lags)
    draws, took, summed = 256 * TILES, [], []
    for turn in range(turns):
        made = list(blocks(quantities, draws, size, turn * draws, rng))
        began = time.perf_counter()
        for block in made:
            online.observe(block)
        took.append(time.perf_counter() - began)
        began = time.perf_counter()
        online.summary()
        summed.append(time.perf_counter() - began)
    return {
        "quantities": quantities,
        "block": size,
        "lags": lags,
        "ns_per_draw_and_quantity": round(min(took) / (CHAINS * draws * quantities) * 1e9, 1),
        "us_per_draw": round(min(took) / (CHAINS * draws) * 1e6, 3),
        "summary_ms": round(min(summed) * 1e3, 1),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    parser.add_argument("--block", type=int, default=128)
    parser.add_argument("--turns", type=int, default=4)
    options = parser.parse_args()
    for quantities in options.sizes:
        for lags in (0, 50):
            print(json.dumps(measure(quantities, options.block, options.turns, lags)), flush=True)


if __name__ == "__main__":
    main()
