"""A run in a folder loses nothing, whatever ends it, and goes on to the bits that it would have had."""

import jax.numpy as jnp
import numpy as np
import pytest
import trio

import exmc_actors as ex
import supervision as sv
from exmc_actors.messages import DrawBlock
from exmc_actors.opening import open_run
from exmc_actors.runtime.journal import read
from tests.runtime.conftest import SETTINGS, FixedBlocks, after_commits, draws_of, observe, virtual
from tests.runtime.stored import WITHIN, Cut, begin, begun, lay_out, went_on


def test_a_store_changes_no_bit(tmp_path, undisturbed):
    assert draws_of(virtual(lambda: begin(tmp_path))) == undisturbed
    loaded = draws_of(ex.load(tmp_path))
    assert loaded == {name: bits for name, bits in undisturbed.items() if name in loaded}


@pytest.mark.parametrize("commits", [0, 1, 2, 3, 5, 6, 8, 11, 14])
def test_a_run_that_was_cut_off_goes_on_to_the_same_bits(commits, tmp_path, undisturbed):
    begun(tmp_path, commits, chain=commits % SETTINGS["chains"])
    assert draws_of(went_on(tmp_path)) == undisturbed


def test_a_run_may_be_cut_off_again_and_again(tmp_path, undisturbed):
    begun(tmp_path, 1)

    async def one_commit_more():
        async def stop(run):
            raise Cut

        async with open_run(resume=tmp_path, **WITHIN, block_size=FixedBlocks((4,))) as run:
            already = sum(
                isinstance(message, DrawBlock) and message.chain == 1 for message in run._log.messages
            )
            await after_commits(1, already + 1, stop)(run)

    for _ in range(12):
        try:
            virtual(one_commit_more)
        except* Cut:
            pass
    assert draws_of(went_on(tmp_path)) == undisturbed


def test_a_finished_run_is_only_read(tmp_path, undisturbed):
    virtual(lambda: begin(tmp_path))
    before = (tmp_path / "000001.journal").stat().st_size
    assert draws_of(went_on(tmp_path)) == undisturbed
    assert (tmp_path / "000001.journal").stat().st_size == before


def test_a_finished_run_can_be_made_longer(tmp_path):
    virtual(lambda: begin(tmp_path))
    longer = draws_of(virtual(lambda: observe(save_warmup=True, draws=100)).tree)
    assert draws_of(went_on(tmp_path, draws=100)) == longer
    assert draws_of(went_on(tmp_path)) == longer


def test_the_speed_of_a_run_that_goes_on_is_of_what_it_makes_since(tmp_path):
    virtual(lambda: begin(tmp_path))

    async def main():
        async with open_run(resume=tmp_path, draws=300, **WITHIN, block_size=FixedBlocks((1,))) as run:
            await run.pause()
            await trio.sleep(1.0)
            return run.statistics()

    statistics = virtual(main)
    for chain in statistics.chains:
        assert chain.index < 300
        assert chain.draws_per_second <= (chain.index - SETTINGS["draws"]) / statistics.elapsed


def test_what_it_is_to_have_may_be_numbers_of_numpy(tmp_path, whole):
    lay_out(tmp_path, whole)
    more = {"draws": np.int64(70), "chains": np.int32(4), "cores": np.uint8(1)}
    assert dict(went_on(tmp_path, **more).posterior.sizes)["draw"] == 70
    assert dict(went_on(tmp_path).posterior.sizes)["chain"] == 4


def test_chains_may_die_in_a_run_that_goes_on(tmp_path, undisturbed):
    begun(tmp_path, 6)

    async def main():
        async with open_run(resume=tmp_path, **WITHIN, block_size=FixedBlocks((3,))) as run:
            assert await run.kill_chain(2)
            run.supervisor.child("engine", "recorder").exit(sv.KILL)
            return await run.result()

    assert draws_of(virtual(main)) == undisturbed


def normal(x):
    return -jnp.sum(x * x) / 2


def test_a_function_is_given_again(tmp_path):
    target = ex.LogDensity(normal, np.zeros(3))

    async def main(**options):
        async with open_run(**options, **WITHIN) as run:
            return await run.result()

    options = {"draws": 30, "chains": 2, "random_seed": 1}
    tree = virtual(lambda: main(model=target, store=tmp_path, **options))
    assert draws_of(ex.load(tmp_path))["posterior/x"] == draws_of(tree)["posterior/x"]
    longer = virtual(lambda: main(model=target, **options | {"draws": 50}))
    again = virtual(lambda: main(resume=tmp_path, model=target, draws=50))
    assert draws_of(again) == draws_of(longer)
    with pytest.raises(ex.StoreError, match="is of a function of your own, which is not stored"):
        virtual(lambda: main(resume=tmp_path))
    with pytest.raises(ex.StoreError, match="has 3 dimensions"):
        virtual(lambda: main(resume=tmp_path, model=ex.LogDensity(normal, np.zeros(4))))


def test_a_run_whose_draws_another_processor_made_goes_on_only_when_told_to(tmp_path, monkeypatch, caplog):
    begun(tmp_path, 6)
    caplog.clear()
    monkeypatch.setattr(
        "exmc_actors.runtime.durability.numerics",
        lambda: {"jax": "99", "jaxlib": "99", "processor": "abacus"},
    )
    with pytest.raises(ex.StoreError, match=r"processor was .* and is abacus.*say anyway=True"):
        went_on(tmp_path)
    assert not caplog.records  # refused before there are actors, whose ends would be told
    went_on(tmp_path, anyway=True)
    assert read(tmp_path).maker["processor"] == "abacus"


def test_a_model_with_the_same_expression_twice_goes_on_to_the_same_bits(tmp_path):
    """The bytes of a model hold equal expressions once."""

    def twice():
        b = ex.Builder()
        x = b.rv("x", ex.Normal(0.0, 1.0), shape=3)
        b.potential(
            "p",
            ex.math.sum(ex.math.exp(x * 0.5) * 0.1)
            - ex.math.sum(ex.math.exp(x * 0.5) * ex.math.exp(x * 0.5)),
        )
        return b.model()

    async def main(**options):
        async with open_run(**options, **WITHIN) as run:
            return await run.result()

    options = {"draws": 60, "chains": 2, "random_seed": 3}
    whole_run = virtual(lambda: main(model=twice(), **options))
    virtual(lambda: main(model=twice(), store=tmp_path, **options | {"draws": 20}))
    assert draws_of(virtual(lambda: main(resume=tmp_path, draws=60))) == draws_of(whole_run)
