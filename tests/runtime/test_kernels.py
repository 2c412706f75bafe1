"""Another kernel is one of the settings: compiled for itself, folded, recorded, and replayed to the bit."""

import re

import numpy as np
import pytest

import exmc_actors as ex
from exmc_actors.kernel.subtree import MAX_ENERGY_ERROR
from exmc_actors.runtime import check, executables_for
from tests.runtime.conftest import FixedBlocks, draws_of, observe, schools, virtual

WALNUTS = ex.Walnuts(max_error=0.1, max_halvings=6)


def seen(meddle=None, **settings):
    return virtual(lambda: observe(meddle, **({"save_warmup": True, "kernel": WALNUTS} | settings)))


@pytest.fixture(scope="module")
def undisturbed_walnuts():
    return seen()


@pytest.mark.parametrize("sizes", [(1,), (13, 2, 40)])
def test_cutting_into_other_blocks_changes_no_bit(sizes, undisturbed_walnuts):
    cut = seen(block_size=FixedBlocks(sizes))
    assert draws_of(cut.tree) == draws_of(undisturbed_walnuts.tree)


def test_killing_a_chain_changes_no_bit(undisturbed_walnuts):
    killed = []

    async def kill(run):
        async with run.subscribe(overflow=ex.WAIT, from_start=True) as feed:
            async for message in feed:
                if isinstance(message, ex.DrawBlock) and message.phase == "sample":
                    killed.append(await run.kill_chain(1))
                    return

    disturbed = seen(kill)
    assert killed == [True]
    assert disturbed.statistics.chains[1].restarts == 1
    assert draws_of(disturbed.tree) == draws_of(undisturbed_walnuts.tree)


def test_it_is_another_sampler_than_nuts_and_the_result_says_which(undisturbed_walnuts):
    tree = undisturbed_walnuts.tree
    assert tree.attrs["kernel"] == "Walnuts(max_error=0.1, max_halvings=6)"
    assert np.any(tree.sample_stats.n_steps.values >= 2**tree.sample_stats.tree_depth.values)
    nuts, default = seen(kernel=ex.Nuts()).tree, seen(kernel=None).tree
    assert nuts.attrs["kernel"] == "Nuts()"
    assert draws_of(nuts) == draws_of(default)
    assert draws_of(nuts) != draws_of(tree)


def test_each_kernel_is_a_program_of_its_own_and_folds():
    program = ex.compile(schools())
    walnuts = executables_for(program, 10, WALNUTS)
    assert executables_for(program, 10, ex.Walnuts(0.1, 6)) is walnuts
    assert executables_for(program, 10, ex.Walnuts(0.1, 7)) is not walnuts
    assert executables_for(program, 10) is executables_for(program, 10, ex.Nuts())
    assert executables_for(program, 10) is not walnuts
    compiled = walnuts.compile_advance(program.arguments)
    text = compiled.call.as_text()
    assert compiled.is_folded
    assert "scatter(" not in text
    assert "custom-call" not in text


def test_a_block_computes_random_words_and_energy_errors_in_one_place_each():
    """Else XLA computes both again in every loop that uses them, 197 and 5 times; no result would tell."""
    program = ex.compile(schools())
    text = executables_for(program, 10).compile_advance(program.arguments).call.as_text()
    rounds_and_key = 20 + 2  # of one block of threefry for each word
    assert len(re.findall(r"= u32\[\d*\]\S* xor\(", text)) == rounds_and_key
    assert text.count(f"constant({MAX_ENERGY_ERROR:g})") <= 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_walnuts_comes_down_from_a_start_of_an_energy_of_a_hundred_million(seed):
    b = ex.Builder()
    b.rv("x", ex.HalfNormal(1e-4))
    tree = ex.sample(b.model(), kernel=ex.Walnuts(), random_seed=seed, progressbar=False)
    found = ex.summary(tree).loc["x"]
    assert found["ess_bulk"] > 400
    assert tree.posterior["x"].values.mean() == pytest.approx(1e-4 * np.sqrt(2 / np.pi), rel=0.15)


@pytest.mark.parametrize("kernel", ["walnuts", ex.Walnuts, 3, False])
def test_what_is_no_kernel_is_refused_with_a_sentence(kernel):
    with pytest.raises(ex.SettingsError, match=r"kernel must be ex\.Nuts\(\), ex\.Walnuts\(\.\.\.\) or None"):
        check(kernel=kernel)
