"""Measure microseconds a gradient inside a folded loop, before and after each pass, and nutpie's beside it.

One core, one loop of leapfrog steps for each: what a sampler spends on the model, with nothing of the sampler
in it.  Each repetition runs every variant in turn; the median and the least are reported.  Before anything is
timed, the log densities agree to 1e-9 at 200 points; nutpie's up to a constant and to 1e-8, since PyMC rounds
some constants to single precision.  nutpie is measured where it is installed.  Prints a JSON line for each
model, then a table of medians.

Run it with ``make bench``, or ``python benchmarks/log_density.py radon logistic`` for some of the models.
"""

import json
import os
import platform
import statistics
import sys
import time
from contextlib import suppress
from functools import partial
from importlib.metadata import version

if hasattr(os, "sched_setaffinity"):  # before any library counts the processors
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

import jax
import numpy as np
import suite

from exmc_actors.compiler import traced
from exmc_actors.compiler.known_logarithms import with_known_logarithms
from exmc_actors.compiler.passes import PASSES, apply_passes, default_transforms
from exmc_actors.compiler.structure import split
from exmc_actors.xla import is_folded, precise

NutpieGradient = None
with suppress(ImportError):
    from nutpie_gradient import NutpieGradient

FIRST = PASSES.index(default_transforms) + 1
"""How many passes every program needs: those up to the default transforms."""
REPETITIONS, SECONDS, STEP, POINTS = 25, 0.02, 1e-5, 200


class Variant:
    """A model after some of the passes, compiled as a loop of leapfrog steps."""

    def __init__(self, model, knows_logarithms=False):
        self._structure, self.arguments = split(model)
        self._knows_logarithms = knows_logarithms
        self.key, self.dim = self._structure.key, self._structure.layout.size
        with precise():
            self._value = jax.jit(self._density)
            loop = jax.jit(self._leapfrogs)
            start = np.zeros(self.dim)
            self._loop = loop.lower(start, STEP, np.int64(1), self.arguments).compile()
        self.folded = is_folded(self._loop.as_text())

    def _density(self, position, arguments):
        density = partial(traced.log_density, self._structure)
        if self._knows_logarithms:
            return with_known_logarithms(density, position, arguments)
        return density(position, arguments)

    def _leapfrogs(self, position, step_size, count, arguments):
        gradient = jax.value_and_grad(self._density)

        def step(_, state):
            position, momentum, slope, _ = state
            momentum = momentum + 0.5 * step_size * slope
            position = position + step_size * momentum
            value, slope = gradient(position, arguments)
            return position, momentum + 0.5 * step_size * slope, slope, value

        value, slope = gradient(position, arguments)
        return jax.lax.fori_loop(0, count, step, (position, 0.0 * position, slope, value))

    def value(self, position):
        """Return the log density."""
        with precise():
            return float(self._value(position, self.arguments))

    def leapfrogs(self, position, step_size, count):
        """Take that many steps from rest."""
        with precise():
            return jax.block_until_ready(self._loop(position, step_size, np.int64(count), self.arguments))


def variants_of(name):
    """Return the variants by the pass that made them, without those that a pass left as they were."""
    model = suite.MODELS[name](**suite.DATA[name]())
    variants, reports = {}, []
    for count in range(FIRST, len(PASSES) + 1):
        rewritten, reports = apply_passes(model, PASSES[:count])
        variant = Variant(rewritten)
        if variant.key not in [one.key for one in variants.values()]:
            variants["rows" if count == FIRST else reports[-1].name] = variant
    variants["known_logarithms"] = Variant(rewritten, knows_logarithms=True)
    lines = [line for report in reports[FIRST:] for line in report.lines]
    return variants, lines


def check(variants, peer):
    """Refuse to time what does not compute the same."""
    rng = np.random.default_rng(1)
    points = rng.uniform(-1.0, 1.0, (POINTS, next(iter(variants.values())).dim))
    wanted = np.array([variants["rows"].value(point) for point in points])
    for one in variants.values():
        np.testing.assert_allclose([one.value(point) for point in points], wanted, rtol=1e-9)
    if peer:
        theirs = np.array([peer.value(point) for point in points])
        np.testing.assert_allclose(theirs + np.median(wanted - theirs), wanted, rtol=1e-8)


def microseconds(timed, dim):
    """Return the times a gradient of each, by repetition."""
    start = np.full(dim, 0.1)
    counts = {}
    for name, one in timed.items():
        one.leapfrogs(start, STEP, 10)
        began = time.perf_counter()
        one.leapfrogs(start, STEP, 100)
        counts[name] = max(20, int(100 * SECONDS / (time.perf_counter() - began)))
    times = {name: [] for name in timed}
    for _ in range(REPETITIONS):
        for name, one in timed.items():
            began = time.perf_counter()
            one.leapfrogs(start, STEP, counts[name])
            times[name].append(1e6 * (time.perf_counter() - began) / counts[name])
    return times


def measure(name):
    variants, lines = variants_of(name)
    peer = NutpieGradient(name, suite.DATA[name]()) if NutpieGradient else None
    check(variants, peer)
    dim = next(iter(variants.values())).dim
    times = microseconds({**variants, **({"nutpie": peer} if peer else {})}, dim)
    medians = {who: round(statistics.median(values), 3) for who, values in times.items()}
    last = list(variants)[-1]
    return {
        "model": name,
        "dim": dim,
        "microseconds": medians,
        "least": {who: round(min(values), 3) for who, values in times.items()},
        "folded": variants[last].folded,
        "nutpie_over_ours": round(medians["nutpie"] / medians[last], 1) if peer else None,
        "passes": lines,
        "machine": platform.machine(),
        "python": platform.python_version(),
        "jax": version("jax"),
        "nutpie": version("nutpie") if peer else None,
    }


def main():
    rows = []
    for name in sys.argv[1:] or suite.MODELS:
        rows.append(measure(name))
        print(json.dumps(rows[-1]), flush=True)
    columns = ["rows", *(one.__name__ for one in PASSES[FIRST:]), "known_logarithms", "nutpie"]
    print(
        "".join(
            ["\nus a gradient".ljust(16), *(column.rjust(20) for column in columns), "over ours".rjust(12)]
        )
    )
    for row in rows:
        cells = [f"{row['microseconds'].get(column, '') or '':>20}" for column in columns]
        print(row["model"].ljust(15) + "".join(cells) + f"{row['nutpie_over_ours'] or '':>12}")


if __name__ == "__main__":
    main()
