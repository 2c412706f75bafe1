"""A rule ends a run at the same draw, whatever happens meanwhile; a time limit changes no value."""

import pytest
import trio

import exmc_actors as ex
import supervision as sv
from exmc_actors import stopper
from exmc_actors.diagnostics.stopping import Rule
from exmc_actors.opening import open_run
from exmc_actors.runtime import inline
from exmc_actors.runtime.journal import BlockEntry, read
from exmc_actors.runtime.protocol import GiveUp
from tests.runtime.conftest import FixedBlocks, after_commits, draws_of, schools, virtual

OPTIONS = {"draws": 3000, "tune": 150, "chains": 3, "random_seed": 11}


async def sampled(stop, meddle=None, sizes=(64,), **options):
    blocks = FixedBlocks(sizes)
    async with (
        open_run(
            **options or {"model": schools(), **OPTIONS}, stop=stop, runner=inline, block_size=blocks
        ) as run,
        trio.open_nursery() as nursery,
    ):
        if meddle is not None:
            nursery.start_soon(meddle, run)
        return await run.result()


CONVERGED = ex.Converged(rhat=1.03, ess=300)


@pytest.fixture(scope="module")
def whole(nothing_is_gathered):
    return virtual(lambda: sampled(None))


@pytest.fixture(scope="module")
def stopped(nothing_is_gathered):
    return virtual(lambda: sampled(CONVERGED))


def test_a_run_that_has_converged_ends_and_says_so(stopped, whole):
    kept = stopped.posterior.sizes["draw"]
    assert 100 <= kept < OPTIONS["draws"]
    assert kept % 100 == 0
    assert stopped.attrs["stopped"] == "converged: R-hat at most 1.03, effective draws at least 300"
    assert "stopped" not in whole.attrs
    for name, values in stopped.posterior.data_vars.items():
        assert values.values.tobytes() == whole.posterior[name][:, :kept].values.tobytes()


def test_it_has_not_converged_before(stopped):
    from exmc_actors.diagnostics.stopping import judged_at

    kept = stopped.posterior.sizes["draw"]
    for number in judged_at(OPTIONS["draws"]):
        draws = {name: values.values[:, :number] for name, values in stopped.posterior.data_vars.items()}
        found = CONVERGED.reason(draws, {})
        assert (found is not None) == (number >= kept)
        if number >= kept:
            break


@pytest.mark.parametrize("sizes", [(17,), (300,), (5, 900)])
def test_it_ends_at_the_same_draw_however_chains_are_cut(stopped, sizes):
    assert draws_of(virtual(lambda: sampled(CONVERGED, sizes=sizes))) == draws_of(stopped)


@pytest.mark.parametrize(
    "path",
    [("engine", "recorder"), ("engine", "chains", "chain 1", "actor"), ("views", "stopper"), ("engine",)],
)
def test_it_ends_at_the_same_draw_whatever_dies(stopped, path):
    async def kill(run):
        run.supervisor.child(*path).exit(sv.KILL)

    assert draws_of(virtual(lambda: sampled(CONVERGED, after_commits(1, 5, kill)))) == draws_of(stopped)


def test_a_stopped_run_in_a_store_stays_stopped_until_more_is_asked_for(stopped, whole, tmp_path):
    first = virtual(lambda: sampled(CONVERGED, model=schools(), store=tmp_path, **OPTIONS))
    assert draws_of(first) == draws_of(stopped)
    assert ex.load(tmp_path).attrs["stopped"] == stopped.attrs["stopped"]
    assert draws_of(virtual(lambda: sampled(None, resume=tmp_path))) == draws_of(stopped)
    assert draws_of(virtual(lambda: sampled(None, resume=tmp_path, draws=3000))) == draws_of(whole)
    assert draws_of(virtual(lambda: sampled(None, resume=tmp_path))) == draws_of(whole)


AT_ONCE = ex.Converged(rhat=50.0, ess=1)
"""Holds after the first 100 draws."""


@pytest.mark.parametrize("size", [7, 24, 40, 500])
def test_a_rule_is_judged_although_the_chains_are_at_their_ends_by_then(size, tmp_path):
    options = OPTIONS | {"draws": 120, "model": schools(), "store": tmp_path}
    tree = virtual(lambda: sampled(AT_ONCE, sizes=(size,), **options))
    assert tree.posterior.sizes["draw"] == 100
    assert ex.load(tmp_path).posterior.sizes["draw"] == 100
    again = virtual(lambda: sampled(None, resume=tmp_path))
    assert draws_of(again) == draws_of(tree)


@pytest.mark.parametrize("path", [("engine", "recorder"), ("engine",), ("views",)])
def test_a_rule_is_carried_out_although_whoever_does_it_dies_meanwhile(path):
    async def runner(function, **_):
        await trio.sleep(0.01)
        if getattr(function, "func", None) is stopper._reason:
            await trio.sleep(0.5)
            if not killed:
                killed.append(path)
                run_of[0].supervisor.child(*path).exit(sv.KILL)
        return function()

    async def main():
        options = OPTIONS | {"draws": 1000}
        sizes = FixedBlocks((20,))
        async with open_run(schools(), **options, stop=AT_ONCE, runner=runner, block_size=sizes) as run:
            run_of.append(run)
            with trio.fail_after(1e4):
                return await run.result()

    killed, run_of = [], []
    tree = virtual(main)
    assert killed == [path]
    assert tree.posterior.sizes["draw"] == 100


def test_a_stopped_run_whose_store_is_damaged_gets_back_what_it_lost(tmp_path):
    options = OPTIONS | {"draws": 160, "model": schools(), "store": tmp_path}
    tree = virtual(lambda: sampled(AT_ONCE, sizes=(13,), **options))
    blocks = [entry for entry in read(tmp_path).records if isinstance(entry, BlockEntry)]
    lost = next(one for one in blocks if one.chain == 1 and one.transitions >= 190)
    journal = tmp_path / "000001.journal"
    data = bytearray(journal.read_bytes())
    data[lost.place.first + 40] ^= 1
    journal.write_bytes(data)
    with pytest.warns(ex.StoreWarning, match="damaged"):
        again = virtual(lambda: sampled(None, resume=tmp_path))
    assert draws_of(again) == draws_of(tree)
    assert again.attrs["stopped"] == tree.attrs["stopped"]


def test_a_run_that_was_stopped_commits_nothing_more():
    async def main():
        sizes = FixedBlocks((20,))
        async with open_run(schools(), **OPTIONS, stop=AT_ONCE, runner=inline, block_size=sizes) as run:
            async with run.subscribe(overflow=ex.WAIT, from_start=True) as feed:
                heard = [message async for message in feed]
            await run.result()
            async with run.subscribe(from_start=True, capacity=10**6) as feed:
                return heard, [message async for message in feed]

    heard, there = virtual(main)
    assert len(heard) == len(there)


def test_too_many_divergences_end_a_run():
    b = ex.Builder()
    v = b.rv("v", ex.Normal(0.0, 3.0))
    b.rv("x", ex.Normal(0.0, ex.math.exp(v / 2.0)), shape=9, centered=True)
    rule = ex.MaxDivergences(10) | ex.Converged(ess=1e6)
    # Steps so long that many diverge, whichever draws this processor makes.
    tree = virtual(lambda: sampled(rule, model=b.model(), target_accept=0.3, **OPTIONS))
    number = int(tree.sample_stats["diverging"].sum())
    assert number > 10
    assert tree.attrs["stopped"] == f"{number} draws diverged, more than 10"


def gradients(tree, number):
    kept = tree.sample_stats["n_steps"].values[:, :number].sum()
    return int(kept + tree.warmup_sample_stats["n_steps"].values.sum())


@pytest.mark.parametrize("sizes", [(64,), (17,), (5, 900)])
def test_a_budget_of_gradients_ends_a_run_where_it_is_found_to_be_spent(sizes, whole):
    options = {"model": schools(), **OPTIONS, "save_warmup": True}
    spent = gradients(virtual(lambda: sampled(ex.MaxGradients(1), **options)), 100)
    tree = virtual(lambda: sampled(ex.MaxGradients(2 * spent), sizes=sizes, **options))
    kept = tree.posterior.sizes["draw"]
    assert 100 < kept < OPTIONS["draws"]
    assert gradients(tree, kept - 100) < 2 * spent <= gradients(tree, kept)
    assert tree.attrs["stopped"] == f"{gradients(tree, kept)} gradients were spent, of {2 * spent}"
    assert tree.posterior["mu"].values.tobytes() == whole.posterior["mu"][:, :kept].values.tobytes()


class Slow(FixedBlocks):
    """Blocks that take time."""

    async def __call__(self, function, **_):
        await trio.sleep(1.0)
        return function()


def test_time_runs_out_and_what_is_there_is_kept(whole):
    async def main():
        options = {"model": schools(), **OPTIONS, "cores": 1}
        async with open_run(
            **options, stop=ex.MaxTime("1 min"), runner=Slow(), block_size=FixedBlocks((64,))
        ) as run:
            began = trio.current_time()
            tree = await run.result()
            return tree, trio.current_time() - began

    tree, took = virtual(main)
    assert 55.0 < took < 65.0
    kept = tree.posterior.sizes["draw"]
    assert 0 < kept < OPTIONS["draws"]
    assert tree.attrs["stopped"] == "the time of 60 s was over"
    assert tree.posterior["mu"].values.tobytes() == whole.posterior["mu"][:, :kept].values.tobytes()


@pytest.mark.parametrize("draws", [100, 3000])  # of which the first are never judged
def test_time_that_runs_out_in_the_warmup_is_named_as_the_reason(draws):
    async def main():
        options = {"model": schools(), **OPTIONS, "cores": 1, "draws": draws}
        async with open_run(
            **options, stop=ex.MaxTime(5), runner=Slow(), block_size=FixedBlocks((64,))
        ) as run:
            with pytest.raises(
                ex.RunFailed, match=r"before every chain had a draw: the time of 5 s was over\."
            ):
                await run.result()

    virtual(main)


def test_a_run_that_the_user_ends_has_no_other_reason():
    async def main():
        options = {"model": schools(), **OPTIONS, "cores": 1}
        async with open_run(
            **options, stop=ex.MaxTime("1 min"), runner=Slow(), block_size=FixedBlocks((64,))
        ) as run:
            await trio.sleep(50.0)
            await run.abort()
            return await run.result()

    assert "stopped" not in virtual(main).attrs


def test_time_goes_on_while_whoever_watches_it_is_started_again():
    async def main():
        options = {"model": schools(), **OPTIONS, "cores": 1}
        async with open_run(
            **options, stop=ex.MaxTime("1 min"), runner=Slow(), block_size=FixedBlocks((64,))
        ) as run:
            await trio.sleep(50.0)
            run.supervisor.child("views", "stopper").exit(sv.KILL)
            await run.result()
            return run.statistics().elapsed

    assert 55.0 < virtual(main) < 65.0


def test_a_chain_that_gives_up_behind_the_draws_that_are_enough_has_them(whole):
    class TwoHundred(Rule):
        def reason(self, draws, stats, warmup_steps=0):
            return "enough" if draws["mu"].shape[1] >= 200 else None

    async def break_chain(run):
        async with run.subscribe(overflow=ex.WAIT, chains=2, from_start=True) as feed:
            async for message in feed:
                if message.phase == "sample":
                    await run.supervisor.child("engine", "recorder").call(GiveUp(2, "broken"))
                    assert run._log.enough is None
                    return

    tree = virtual(lambda: sampled(TwoHundred(), break_chain, sizes=(300,)))
    assert tree.attrs["stopped"] == "enough"
    assert "failed_reasons" not in tree.attrs
    assert tree.posterior["mu"].values.tobytes() == whole.posterior["mu"][:, :200].values.tobytes()


def test_a_rule_that_never_holds_changes_nothing(whole):
    rule = ex.Converged(ess=1e9) | ex.MaxTime("99 h") | ex.MaxDivergences(10**9)
    assert draws_of(virtual(lambda: sampled(rule))) == draws_of(whole)
