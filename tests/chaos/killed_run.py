"""Sample into a folder, or go on there, until somebody kills this process.

``python -m tests.chaos.killed_run DIR`` says ``open`` once the chains are on their way, and at the end the
digest of all draws.
"""

import hashlib
import sys
from pathlib import Path

import trio

from exmc_actors.opening import open_run
from exmc_actors.runtime.journal import journal
from tests.runtime.conftest import draws_of, schools

OPTIONS = {"draws": 9000, "tune": 600, "chains": 3, "random_seed": 5}


class ManyBlocks:
    """Commits often, so that there is much to interrupt."""

    def choose(self, chain, at_most):
        return min(at_most, 20)

    def observe(self, chain, transitions, seconds):
        pass

    def foresee(self, chain, seconds, at_most):
        pass

    def fits_at_once(self, seconds):
        return False


async def main(folder):
    how = (
        {"resume": folder}
        if journal.holds_a_run(folder)
        else {"model": schools(), "store": folder, **OPTIONS}
    )
    async with open_run(**how, save_warmup=True, block_size=ManyBlocks()) as run:
        print("open", flush=True)
        return await run.result()


def digest(tree):
    """Return one digest of every draw."""
    parts = draws_of(tree)
    return hashlib.sha256(b"".join(parts[name] for name in sorted(parts))).hexdigest()


if __name__ == "__main__":
    print(digest(trio.run(main, Path(sys.argv[1]))), flush=True)
