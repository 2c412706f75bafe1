"""Pictures by kind: what they show, what is refused, and that the host's matplotlib stays as it was."""

import subprocess
import sys

import matplotlib
import numpy as np
import pytest
import xarray as xr

from exmc_actors.errors import SettingsError
from exmc_actors.plots import KINDS, plot

PNG = b"\x89PNG\r\n"


@pytest.fixture
def schools(draws, tree_of, stats_of, dataset):
    """Of everything a little: two quantities, divergences, predictions of a vector, counts and a number."""
    rng = np.random.default_rng(0)
    predicted = {
        "y": draws(40),
        "count": rng.poisson(3.0, (4, 60, 40)),
        "number": draws(seed=3),
    }
    observed = {"y": ("i", rng.normal(size=40)), "count": ("i", rng.poisson(3.0, 40)), "number": 0.1}
    return tree_of(
        {"mu": draws(), "tau": np.exp(draws(seed=1))},
        sample_stats=stats_of((0, 5), (3, 50)),
        posterior_predictive=dataset(predicted),
        observed_data=xr.Dataset(observed),
    )


def host_settings():
    """All but the backend, which matplotlib chooses when it is asked for."""
    return {name: matplotlib.rcParams[name] for name in matplotlib.rcParams if name != "backend"}


def texts(figure):
    """Everything that is written in a figure."""
    return "\n".join(text.get_text() for text in figure.findobj(matplotlib.text.Text))


def test_a_picture_leaves_the_hosts_matplotlib_as_it_was(schools, tmp_path):
    before = host_settings()
    figure = plot(schools, "trace", out=tmp_path / "trace.png")
    assert (tmp_path / "trace.png").read_bytes().startswith(PNG)
    assert host_settings() == before
    assert "mu" in texts(figure)
    assert "divergence" in texts(figure)
    assert figure._repr_png_().startswith(PNG)


def test_no_window_toolkit_and_no_pyplot_is_needed():
    code = """
import sys
import numpy as np, xarray as xr
import exmc_actors as ex
tree = xr.DataTree.from_dict({"posterior": xr.Dataset({"mu": (("chain", "draw"), np.eye(4))})})
ex.plot(tree, "forest")
print("matplotlib.pyplot" in sys.modules)
"""
    program = [sys.executable, "-W", "error", "-c", code]
    ran = subprocess.run(program, capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


def test_the_hosts_style_changes_no_picture_and_a_picture_is_the_same_each_time(schools, tmp_path):
    plot(schools, "forest", out=tmp_path / "first.svg")
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "black", "svg.fonttype": "path"}):
        plot(schools, "forest", out=tmp_path / "second.svg")
    assert (tmp_path / "first.svg").read_bytes() == (tmp_path / "second.svg").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("suffix", [".png", ".svg", ".PNG"])
def test_every_kind_is_drawn_and_written(schools, tmp_path, kind, suffix):
    out = tmp_path / f"picture{suffix}"
    figure = plot(schools, kind, out=out)
    assert figure.axes
    assert out.stat().st_size > 3_000
    assert out.read_bytes().startswith(PNG if suffix != ".svg" else b"<?xml")


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "ppc"])
@pytest.mark.parametrize(
    "odd",
    [
        np.ones((4, 60)),
        np.full((4, 60), np.nan),
        np.where(np.arange(240).reshape(4, 60) == 9, np.inf, 1.0),
        np.random.default_rng(0).standard_cauchy((4, 60)) ** 3,
        1e300 * np.random.default_rng(0).normal(size=(4, 60)),
        1e308 * np.sin(np.arange(240.0)).reshape(4, 60),
        np.random.default_rng(0).poisson(2.0, (4, 60)),
    ],
    ids=["constant", "nan", "an-infinity", "heavy", "huge", "too-huge", "whole"],
)
def test_odd_draws_are_no_reason_to_fail(draws, tree_of, stats_of, kind, odd):
    figure = plot(tree_of({"mu": draws(), "odd": odd}, sample_stats=stats_of((0, 1))), kind)
    assert figure._repr_png_()


@pytest.mark.slow
@pytest.mark.parametrize(("chains", "length"), [(1, 60), (4, 1), (4, 3), (30, 10)])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "ppc"])
def test_few_draws_and_few_or_many_chains_are_drawn(draws, tree_of, stats_of, kind, chains, length):
    variables = {name: draws(seed=seed, chains=chains, draws=length) for seed, name in enumerate("ab")}
    tree = tree_of(variables, sample_stats=stats_of(chains=chains, draws_each=length))
    assert plot(tree, kind)._repr_png_()


def test_names_are_text_whatever_they_hold(draws, tree_of, tmp_path):
    names = ["<script>alert(1)", r"$x_\bad$", "a" * 90]
    out = tmp_path / "forest.svg"
    plot(tree_of({name: draws(seed=i) for i, name in enumerate(names)}), "forest", out=out)
    text = out.read_text()
    assert "&lt;script&gt;alert(1)" in text
    assert "<script" not in text
    assert r"$x_\bad$" in text
    assert f"{'a' * 16}\u2026{'a' * 15}" in text


def test_divergences_are_marked_and_counted_among_the_pairs(schools):
    figure = plot(schools, "pair")
    assert "divergence (2)" in texts(figure)
    (marked,) = [
        line for line in figure.axes[2].lines if line.get_color() == "#d5331a" and len(line.get_xdata())
    ]
    assert sorted(marked.get_xdata()) == sorted(schools.posterior["mu"].values[[0, 3], [5, 50]])


def test_many_draws_are_thinned_among_the_pairs_and_it_is_said(draws, tree_of, stats_of):
    tree = tree_of(
        {"a": draws(draws=3000), "b": draws(seed=1, draws=3000)},
        sample_stats=stats_of((1, 2999), draws_each=3000),
    )
    figure = plot(tree, "pair")
    assert "One draw in 6 is shown." in texts(figure)
    assert "divergence (1)" in texts(figure)


@pytest.mark.parametrize("kind", ["trace", "pair", "forest"])
def test_draws_that_no_axis_reaches_are_left_out_and_it_is_said(draws, tree_of, kind):
    values = draws()
    values[1, 3:5] = 1e308, -1e308
    figure = plot(tree_of({"mu": values, "tau": draws(seed=1)}), kind)
    assert figure._repr_png_()
    assert "2 draws are not shown: they lie beyond 1e+307" in texts(figure)


def test_predictions_that_no_axis_reaches_are_left_out(draws, tree_of, dataset):
    values = draws(40)
    values[0, 3] = 1e308
    observed = xr.Dataset({"y": ("y_dim_0", 1.7e308 * np.linspace(-1.0, 1.0, 40))})
    tree = tree_of({"mu": draws()}, posterior_predictive=dataset({"y": values}), observed_data=observed)
    assert plot(tree, "ppc")._repr_png_()


def test_what_is_left_out_stands_below_the_picture(draws, tree_of, dataset):
    apart = dataset({"theta": draws(50, chains=1)})
    tree = tree_of({"theta": draws(50)}, failed_posterior=apart)
    figure = plot(tree, "forest")
    assert "40 of 50 quantities are shown, those with the highest R-hat." in texts(figure)
    assert "Chain 0 gave up, and is not shown." in texts(figure)


def refused(sentence, *arguments, **options):
    with pytest.raises(SettingsError, match=sentence):
        plot(*arguments, **options)


def test_mistakes_get_a_sentence(draws, tree_of, stats_of, dataset, tmp_path):
    tree = tree_of({"mu": draws(), "tau": draws(seed=1)})
    refused("kind 'trcae' is unknown: did you mean 'trace'. There are trace, rank, pair", tree, "trcae")
    refused("kind 3 is unknown: There are", tree, 3)
    refused("var_names has 'tua', which the posterior lacks: did you mean 'tau'", tree, var_names="tua")
    refused(r"out must end with \.png or \.svg, got 'a\.pdf': write a\.png", tree, out="a.pdf")
    refused("out '.*' cannot be written: give a file in a folder", tree, out=tmp_path / "no/a.png")
    refused("no posterior_predictive: make it by tree = ex.sample_posterior_predictive", tree, "ppc")
    predicted = tree_of({"mu": draws()}, posterior_predictive=dataset({"y": draws(3)}))
    refused(
        "var_names has 'yy', which posterior_predictive lacks: did you mean 'y'", predicted, "ppc", ["yy"]
    )
    refused("no prediction is named, so that nothing would be plotted", predicted, "ppc", [])
    refused("var_names must be a name, a list of names, or None, got 3", tree, "trace", 3)
    refused("a pair plot needs two quantities at least, got mu", tree, "pair", "mu")
    refused("the tree has no energy in sample_stats", tree, "energy")
    with_energy = tree_of({"mu": draws()}, sample_stats=stats_of())
    refused("energy is of all variables together: leave out var_names", with_energy, "energy", "mu")
    refused("an xarray.DataTree is expected, got 'runs/first': write ex.load", "runs/first")


def test_without_matplotlib_one_sentence_says_what_to_install(draws, tree_of, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    refused(r"ex.plot needs matplotlib, .*: pip install 'exmc-actors\[plots\]'", tree_of({"mu": draws()}))
