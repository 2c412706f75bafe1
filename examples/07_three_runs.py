"""Three runs in one runtime: one waits in the queue, one goes first, and a subscriber watches all."""

import argparse

import numpy as np
import trio

import exmc_actors as ex

CITIES = {"Basel": 11.2, "Oslo": 6.9, "Rome": 16.4}


def model(y):
    b = ex.Builder()
    mu = b.rv("mu", ex.Normal(10.0, 10.0))
    sigma = b.rv("sigma", ex.HalfNormal(5.0))
    b.obs("y", ex.Normal(mu, sigma), y)
    return b.model()  # of the same shapes for all: it is compiled once


class Averages:
    """A subscriber of one's own: the mean of each run, as its draws come."""

    def __init__(self):
        self.sums, self.counts = {}, {}

    async def watch(self, run):
        """Follow a run from its first draw, whenever that is; lose nothing."""
        async with run.subscribe(overflow=ex.WAIT, from_start=True, var_names="mu") as feed:
            async for message in feed:
                if isinstance(message, ex.DrawBlock) and message.phase == "sample":
                    self.sums[run.name] = self.sums.get(run.name, 0.0) + message.draws["mu"].sum()
                    self.counts[run.name] = self.counts.get(run.name, 0) + len(message)


async def main(draws):
    averages, random = Averages(), np.random.default_rng(1)
    async with ex.open_runtime(at_once=4) as rt, trio.open_nursery() as nursery:
        for city, mean in CITIES.items():
            run = await rt.start_run(
                model(random.normal(mean, 3.0, size=30)),
                name=city,
                priority=1 if city == "Rome" else 0,  # begins before Oslo, and gets cores before Basel
                draws=draws,
                random_seed=1,
            )
            nursery.start_soon(averages.watch, run)
        await rt.run("Rome").opened()
        for status in rt.runs():
            print(f"{status.name}: {status.state}")
        for city in CITIES:
            tree = await rt.run(city).result()
            mean = averages.sums[city] / averages.counts[city]
            print(f"{city}: {mean:.2f} as it came, {float(tree.posterior['mu'].mean()):.2f} in the result")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer draws")
    trio.run(main, 2000 if parser.parse_args().quick else 100_000)
