"""Sample the eight schools with this library and with NumPyro, in one run and turn by turn; print JSON lines.

Both get the same non-centred model, 4 chains of 1,000 draws, and their own defaults for everything else.
A repetition is the whole call in a warm process: what a second call costs, compiling left out.  Effective
draws are ArviZ's smallest bulk ESS over all parameters.  The ratio of medians is what to quote.

Run it with ``make bench``.
"""

import json
import os
import platform
import statistics
import time
from importlib.metadata import version

import numpy as np
from arviz_stats.base.array import array_stats

import exmc_actors as ex

Y = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
SIGMA = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])
CHAINS, DRAWS, SEEDS = 4, 1000, (1, 2, 3, 4, 5)
NAMES = ("mu", "tau", "theta")


def ours():
    b = ex.Builder()
    mu = b.rv("mu", ex.Normal(0.0, 5.0))
    tau = b.rv("tau", ex.HalfNormal(5.0))
    z = b.rv("z", ex.Normal(0.0, 1.0), shape=8)
    theta = b.det("theta", mu + tau * z)
    b.obs("y", ex.Normal(theta, SIGMA), Y)
    model = b.model()

    def sample(seed):
        tree = ex.sample(model, draws=DRAWS, chains=CHAINS, random_seed=seed, progressbar=False)
        return {name: tree.posterior[name].values for name in NAMES}

    return sample


def numpyros():
    import jax
    import numpyro
    import numpyro.distributions as dist

    numpyro.set_host_device_count(os.cpu_count())

    def model():
        mu = numpyro.sample("mu", dist.Normal(0.0, 5.0))
        tau = numpyro.sample("tau", dist.HalfNormal(5.0))
        z = numpyro.sample("z", dist.Normal(0.0, 1.0).expand([8]))
        theta = numpyro.deterministic("theta", mu + tau * z)
        numpyro.sample("y", dist.Normal(theta, SIGMA), obs=Y)

    mcmc = numpyro.infer.MCMC(
        numpyro.infer.NUTS(model), num_warmup=1000, num_samples=DRAWS, num_chains=CHAINS, progress_bar=False
    )

    def sample(seed):
        mcmc.run(jax.random.key(seed))
        return {name: np.asarray(mcmc.get_samples(group_by_chain=True)[name]) for name in NAMES}

    return sample


def effective_draws(posterior):
    flat = [values.reshape(CHAINS, DRAWS, -1) for values in posterior.values()]
    scalars = np.concatenate(flat, axis=2).transpose(2, 0, 1)
    assert np.all(np.asarray(array_stats.rhat(scalars)) < 1.03), (
        "this run did not converge: it does not count"
    )
    return float(np.min(array_stats.ess(scalars, method="bulk")))


def main():
    samplers = {"exmc_actors": ours(), "numpyro": numpyros()}
    for sample in samplers.values():
        sample(0)  # compiles
    seconds = {name: [] for name in samplers}
    per_second = {name: [] for name in samplers}
    for seed in SEEDS:
        for name, sample in samplers.items():
            began = time.perf_counter()
            posterior = sample(seed)
            seconds[name].append(time.perf_counter() - began)
            per_second[name].append(effective_draws(posterior) / seconds[name][-1])
    for name in samplers:
        row = {
            "sampler": name,
            "version": version("exmc-actors" if name == "exmc_actors" else name),
            "seconds": round(statistics.median(seconds[name]), 4),
            "ess_per_second": round(statistics.median(per_second[name])),
            "spread": [round(min(per_second[name])), round(max(per_second[name]))],
            "machine": platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "jax": version("jax"),
        }
        print(json.dumps(row))
    medians = [statistics.median(per_second[name]) for name in samplers]
    print(f"effective draws a second, ours over NumPyro's: {medians[0] / medians[1]:.1f}")


if __name__ == "__main__":
    main()
