"""Count effective draws per 1,000 gradients of ``ex.sample``'s defaults, those of the warmup included.

For every model of ``suite``, and those of posteriordb that are asked for, 4 chains of 1,000 draws for each
seed.  The effective draws are the bulk ones of the worst free variable; beside them stand those of the tails,
and of squares, each of its own worst variable, so that what gains one at the cost of the others is seen.
Gradients and draws are the same on every run, so that nothing here depends on how busy the machine is.
Prints a JSON line for each model, then the geometric mean.

Run it as ``python benchmarks/gradients.py``, with ``--models radon sblrc-blr`` for some of them; the latter
needs ``EXMC_POSTERIORDB``, as in ``problems``.  ``--normals 10 50`` is independent normals.
``--step-size 0.8`` makes all draws in steps of that size, and counts no gradients of the warmup; ``--base 2``
or 3 is how many leaves their trajectories double from.
"""

import argparse
import json
import math
import statistics
from contextlib import ExitStack
from unittest import mock

import numpy as np
import problems

import exmc_actors as ex
from exmc_actors.diagnostics.convergence import convergence

LARGEST_R_HAT = 1.01


def measure(program, seed, *, counts_warmup=True):
    """Return what one run is worth, and what it took."""
    tree = ex.sample(program, random_seed=seed, save_warmup=True, progressbar=False)
    free = [tree.posterior[place.name].values for place in program.layout.places]
    quantities = np.concatenate([one.reshape(*one.shape[:2], -1) for one in free], axis=2)
    found = convergence(np.moveaxis(quantities, 2, 0))
    squares = convergence(np.moveaxis((quantities - quantities.mean((0, 1))) ** 2, 2, 0))
    kept, warmup = (int(tree[group]["n_steps"].sum()) for group in ("sample_stats", "warmup_sample_stats"))
    warmup *= counts_warmup
    return {
        "per_1000": 1000.0 * float(found.ess_bulk.min()) / (kept + warmup),
        "tails_per_1000": 1000.0 * float(found.ess_tail.min()) / (kept + warmup),
        "squares_per_1000": 1000.0 * float(squares.ess_bulk.min()) / (kept + warmup),
        "warmup": warmup / (kept + warmup),
        "r_hat": float(found.r_hat.max()),
        "divergences": int(tree.sample_stats["diverging"].sum()),
        "step_size": float(tree.sample_stats["step_size"].mean()),
    }


def summarise(name, runs):
    """Return a model's line: medians, the tenth and ninetieth percentile, the worst seed, what went wrong."""
    worth = [run["per_1000"] for run in runs]
    return {
        "model": name,
        "seeds": len(runs),
        "effective_draws_per_1000_gradients": round(statistics.median(worth), 1),
        "from": round(float(np.quantile(worth, 0.1)), 1),
        "to": round(float(np.quantile(worth, 0.9)), 1),
        "least": round(min(worth), 1),
        "geometric_mean": round(statistics.geometric_mean(worth), 1),
        "of_tails": round(statistics.median(run["tails_per_1000"] for run in runs), 1),
        "of_squares": round(statistics.median(run["squares_per_1000"] for run in runs), 1),
        "share_of_warmup": round(statistics.median(run["warmup"] for run in runs), 3),
        "step_size": round(statistics.median(run["step_size"] for run in runs), 3),
        "runs_over_r_hat_1.01": sum(run["r_hat"] > LARGEST_R_HAT for run in runs),
        "divergences": sum(run["divergences"] for run in runs),
    }


def main():
    """Measure the models that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=list(problems.SUITE), choices=problems.names())
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=100)
    parser.add_argument("--normals", nargs="+", type=int, default=[], help="dimensions; instead of models")
    parser.add_argument("--step-size", type=float, help="of all draws")
    parser.add_argument("--base", type=int, choices=[2, 3], help="of all trajectories")
    options = parser.parse_args()
    problem = {name: problems.Problem(name).ours for name in options.models}
    if options.normals:
        problem = {f"{dim} normals": lambda dim=dim: normals(dim) for dim in options.normals}
    medians, seeds = [], range(options.first_seed, options.first_seed + options.seeds)
    with ExitStack() as patches:
        for patch in fixed(options.step_size, options.base):
            patches.enter_context(patch)
        for name, model in problem.items():
            program = ex.compile(model())
            runs = [measure(program, seed, counts_warmup=options.step_size is None) for seed in seeds]
            line = summarise(name, runs)
            medians.append(line["effective_draws_per_1000_gradients"])
            print(json.dumps(line), flush=True)
    print(json.dumps({"geometric_mean": round(statistics.geometric_mean(medians), 1)}))


def normals(dim):
    """Return the model of independent standard normals."""
    b = ex.Builder()
    b.rv("x", ex.Normal(0.0, 1.0), shape=dim)
    return b.model()


def fixed(step_size, base):
    """Return what puts these in the place of what a run would choose."""
    if step_size is not None:
        yield mock.patch("exmc_actors.warmup.lesson.clear_of_doubling", return_value=math.log(step_size))
    if base is not None:
        yield mock.patch("exmc_actors.kernel.nuts.base_for", return_value=np.int64(base))


if __name__ == "__main__":
    main()
