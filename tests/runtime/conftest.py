"""Run the runtime under virtual time, with blocks computed inline, and faults put in at its seams."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import trio
from trio.testing import MockClock

import exmc_actors as ex
from exmc_actors.chain import empty_state
from exmc_actors.messages import STATS, WAIT, DrawBlock
from exmc_actors.opening import open_run
from exmc_actors.runtime import Feed, Log, Settings, history, inline, request
from exmc_actors.runtime.recorder import Recorder

Y = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
SIGMA = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])
SETTINGS = {"draws": 60, "tune": 40, "chains": 3, "random_seed": 11}


def schools(y=Y):
    b = ex.Builder()
    mu = b.rv("mu", ex.Normal(0.0, 5.0))
    tau = b.rv("tau", ex.HalfNormal(5.0))
    theta = b.rv("theta", ex.Normal(mu, tau), shape=8)
    b.obs("y", ex.Normal(theta, SIGMA), y)
    return b.model()


@pytest.fixture(autouse=True, scope="module")
def nothing_is_gathered():
    """Under virtual time no block takes any; the model server would serve all chains together, always."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(request, "GATHERED", 0.0)
        yield


@dataclass
class FixedBlocks:
    """Cut chains into blocks of given sizes, over and over."""

    sizes: tuple[int, ...] = (7,)
    at_once: bool = False
    """Whether a whole warmup may be one block."""
    made: int = 0

    def choose(self, chain, at_most):
        self.made += 1
        return min(at_most, self.sizes[self.made % len(self.sizes)])

    def observe(self, chain, transitions, seconds):
        pass

    def foresee(self, chain, seconds, at_most):
        pass

    def fits_at_once(self, seconds):
        return self.at_once


def virtual(main, *args):
    """Run under virtual time."""
    return trio.run(main, *args, clock=MockClock(autojump_threshold=0))


@dataclass
class Observed:
    """All that a run showed."""

    tree: object
    messages: list = field(default_factory=list)
    statistics: object = None


async def observe(meddle=None, **settings):
    """Run the schools to the end and return what was seen; ``meddle(run)`` runs beside it."""
    options = SETTINGS | {"runner": inline, "block_size": FixedBlocks()} | settings
    seen = Observed(None)
    model = options.pop("model", None) or schools()

    async def listen(run):
        async with run.subscribe(overflow=ex.WAIT, from_start=True) as feed:
            async for message in feed:
                seen.messages.append(message)

    async with open_run(model, **options) as run, trio.open_nursery() as nursery:
        nursery.start_soon(listen, run)
        if meddle is not None:
            nursery.start_soon(meddle, run)
        seen.tree = await run.result()
        seen.statistics = run.statistics()
    return seen


def opened(**options):
    """Open a run of the schools that keeps its warmup."""
    return open_run(
        schools(), **SETTINGS, save_warmup=True, runner=inline, block_size=FixedBlocks(), **options
    )


def after_commits(chain, commits, act):
    """Return a meddler that acts as soon as a chain has made so many commits."""

    async def meddle(run):
        seen = 0
        # Until ``act`` the chains wait for every message to be read: none is further than was seen of it.
        async with run.subscribe(overflow=WAIT, capacity=1, from_start=True) as feed:
            while seen < commits:
                message = await anext(feed, None)
                if message is None:  # the run ended before
                    return
                seen += isinstance(message, DrawBlock) and message.chain == chain
        await act(run)

    return meddle


def added_after(commits, meddle=None, **options):
    """Run to the end, and add two chains when chain 1 has made so many commits."""

    async def act(run):
        await run.pause()  # or the others would have ended meanwhile
        assert await run.add_chains(2) == range(3, 5)
        if meddle is not None:
            await meddle(run)
        await run.resume()

    return virtual(lambda: observe(after_commits(1, commits, act), save_warmup=True, **options))


@pytest.fixture(scope="module")
def with_five(nothing_is_gathered):
    """What was seen of a run with two added chains: their draws are these, whenever they are added."""
    return added_after(0)


def recorder_that_dies_at(deadly):
    """Return the ``parts`` of a run whose recorder crashes at a message, once, and what it will raise."""
    deaths = [RuntimeError("the recorder dies")]

    class Dying(Recorder):
        async def handle_call(self, message):
            if message == deadly and deaths:
                raise deaths.pop()
            return await super().handle_call(message)

    def exchange(parts):
        return replace(parts, program=lambda program: Dying if program is Recorder else program)

    return exchange, deaths


def draws_of(tree):
    """Return every array of the posterior and of the statistics, as bytes."""
    return {
        f"{group}/{name}": array.values.tobytes()
        for group in ("posterior", "sample_stats", "warmup_posterior")
        if group in tree
        for name, array in tree[group].data_vars.items()
    }


@pytest.fixture(scope="session")
def undisturbed():
    """The draws that every disturbed run must repeat to the bit."""
    return draws_of(virtual(lambda: observe(save_warmup=True)).tree)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, nothing_is_gathered):
    """Return the bytes of a journal of a finished run."""
    folder = tmp_path_factory.mktemp("whole")
    virtual(lambda: observe(save_warmup=True, store=folder))
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def nothing_kept(monkeypatch):
    """Keep no block in memory that lies in a journal."""
    monkeypatch.setattr(history, "RECENT_BYTES", 0)


@pytest.fixture
def feed():
    """The feed of a chain that nobody runs: ``commit`` does what its recorder would."""
    return Feed(Log(Settings(draws=1000, tune=0, chains=1)))


def commit(feed, count, chain=0):
    """Commit blocks of one draw each."""
    for _ in range(count):
        done = feed.log.chains[chain].transitions
        stats = {name: np.zeros(1) for name in STATS}
        feed.log.commit(DrawBlock(chain, "sample", done, {}, stats), done, empty_state(1))
    feed.wake()


async def read(subscription, count):
    """Return where in their chains the next blocks begin."""
    return [(await anext(subscription)).first for _ in range(count)]
