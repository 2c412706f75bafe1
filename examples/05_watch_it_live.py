"""Two subscribers to one run: one that loses nothing, one that is slow and slows nobody; and a kill."""

import argparse

import trio

import exmc_actors as ex


def model():
    b = ex.Builder()
    mu = b.rv("mu", ex.Normal(0.0, 5.0))
    sigma = b.rv("sigma", ex.HalfNormal(2.0))
    b.obs("y", ex.Normal(mu, sigma), [4.9, 5.6, 4.2, 5.1, 6.0])
    return b.model()


async def running_mean(run):
    """Lose nothing: the chains wait for this subscriber if they must."""
    total, count = 0.0, 0
    async with run.subscribe(overflow=ex.WAIT, from_start=True) as feed:
        async for message in feed:
            if isinstance(message, ex.DrawBlock) and message.phase == "sample":
                total, count = total + message.draws["mu"].sum(), count + len(message)
    print(f"mean of mu over all {count} draws, as they came: {total / count:.2f}")


async def slow_spectator(run):
    """Be late for everything: the oldest messages are dropped and counted."""
    async with run.subscribe(overflow=ex.DROP_OLDEST, capacity=2) as feed:
        async for _ in feed:
            await trio.sleep(0.02)
        statistics = feed.statistics()
    print(f"the spectator saw {statistics.delivered} messages and missed some: {statistics.dropped > 0}")


async def saboteur(run):
    """Kill chain 1 at its first draw, and see it come back."""
    async with run.subscribe(overflow=ex.WAIT, from_start=True) as feed:
        async for message in feed:
            match message:
                case ex.DrawBlock(chain=1, phase="sample", first=0):
                    await run.kill_chain(1)
                case ex.ChainRestarted(chain=chain, first=first):
                    print(f"chain {chain} was killed and goes on with draw {first}")
                    return


async def main(draws):
    async with (
        ex.open_run(model(), draws=draws, chains=4, random_seed=1) as run,
        trio.open_nursery() as nursery,
    ):
        for watch in (running_mean, slow_spectator, saboteur):
            nursery.start_soon(watch, run)
        tree = await run.result()
    print(f"mean of mu in the result: {float(tree.posterior['mu'].mean()):.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer draws")
    trio.run(main, 20_000 if parser.parse_args().quick else 500_000)
