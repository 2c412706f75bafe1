"""Make ``reference.json``: means with their errors, by a long and careful run of nutpie.

python benchmarks/reference.py simple radon     some problems; all of ``suite`` without names
"""

import json
import sys
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import nutpie

from problems import REFERENCE, SUITE, Problem
from summaries import summarise

DRAWS, WARMUP, TARGET, SEED = 20_000, 2000, 0.95, 2026


def reference_of(name):
    """Return mean and error by label."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = Problem(name).pymc()
        tree = nutpie.sample(
            nutpie.compile_pymc_model(model),
            draws=DRAWS,
            tune=WARMUP,
            chains=4,
            target_accept=TARGET,
            seed=SEED,
            progress_bar=False,
        )
    found = summarise({rv.name: tree.posterior[rv.name].values for rv in model.free_RVs})
    diverging = float(tree.sample_stats["diverging"].mean())
    assert found["rhat"] < 1.01, f"{name}: R-hat {found['rhat']}"
    assert diverging < 0.001, f"{name}: {diverging} of the draws diverge"
    pairs = zip(found["means"].items(), found["errors"].values(), strict=True)
    return {label: [float(f"{mean:.9g}"), float(f"{error:.3g}")] for (label, mean), error in pairs}


def main():
    known = json.loads(REFERENCE.read_text()) if REFERENCE.exists() else {}
    for name in sys.argv[1:] or SUITE:
        known[name] = reference_of(name)
        lines = [f'"{one}": {json.dumps(known[one])}' for one in sorted(known)]
        REFERENCE.write_text("{\n" + ",\n".join(lines) + "\n}\n")
        print(name, flush=True)


if __name__ == "__main__":
    main()
