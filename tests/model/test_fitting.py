"""What is declared fits together, or is refused by the entry, the shape or the bound that does not."""

import numpy as np
import pytest

import exmc_actors.model as ex
from exmc_actors.model import Affine, Log, ScaledLogit

from .conftest import refuses


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: ex.Normal(0.0, 0), "Normal: sigma must be positive, got 0"),
        (lambda: ex.Normal(float("nan"), 1.0), "Normal: mu must be finite, got nan"),
        (
            lambda: ex.Normal(0.0, np.array([1.0, -2.0])),
            r"Normal: entry \[1\] of sigma must be positive, got -2.0",
        ),
        (lambda: ex.HalfNormal(-1.0), "HalfNormal: sigma must be positive"),
        (lambda: ex.Exponential(0.0), "Exponential: rate must be positive"),
        (lambda: ex.Gamma(0.0, 1.0), "Gamma: alpha must be positive"),
        (lambda: ex.Beta(1.0, -1.0), "Beta: beta must be positive"),
        (lambda: ex.StudentT(0, 0, 1), "StudentT: nu must be positive"),
        (lambda: ex.Cauchy(0, np.inf), "Cauchy: sigma must be positive, got inf"),
        (lambda: ex.HalfCauchy(0), "HalfCauchy: sigma must be positive"),
        (lambda: ex.LogNormal(0, 0), "LogNormal: sigma must be positive"),
        (lambda: ex.Uniform(2.0, 1.0), r"Uniform: low must be below high, got Uniform\(2.0, 1.0\)"),
        (lambda: ex.Uniform(np.zeros(2), np.ones(3)), r"shapes \(2,\) and \(3,\) do not fit together"),
    ],
)
def test_impossible_parameters_are_refused_at_once(make, sentence):
    with refuses(sentence):
        make()


def test_shapes_must_fit(b):
    with refuses(
        r"x: Normal\(<array \(3,\)>, 1.0\) has parameters of shape \(3,\), which do not fit shape \(4,\)"
    ):
        b.rv("x", ex.Normal(np.zeros(3), 1.0), shape=4)
    with refuses(r"y: .* which do not fit shape \(2,\)"):
        b.obs("y", ex.Normal(np.zeros(3), 1.0), [1.0, 2.0])
    theta = b.rv("theta", ex.Normal("mu", "tau"), shape=8)
    with refuses(
        r"d: theta \+ <array \(3,\)> cannot be computed: shapes \(8,\) and \(3,\) do not fit together"
    ):
        b.det("d", theta + np.zeros(3))
    with refuses(r"shape must be a length or a tuple of lengths, got 'x'"):
        b.rv("z", ex.Flat(), shape="x")
    with refuses(r"shape must be a length or a tuple of lengths, got -1"):
        b.rv("z", ex.Flat(), shape=-1)


def test_dims_must_be_known_and_fit(b):
    with refuses(
        r"x: unknown dim 'scool': did you mean 'school'\? Known: school. Give its labels to the builder"
    ):
        b.rv("x", ex.Flat(), dims="scool")
    with refuses(r"x: dims \('school',\) say shape \(8,\), the value has shape \(3,\)"):
        b.rv("x", ex.Flat(), dims="school", shape=3)
    with refuses(r"y: dims \('school', 'school'\) say shape \(8, 8\), the value has shape \(8,\)"):
        b.obs("y", ex.Flat(), np.zeros(8), dims=("school", "school"))
    with refuses(r"dims must be a name or a tuple of names, got 3"):
        b.det("d", "mu", dims=3)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (np.inf, r"y: entry \[1\] is inf: data must be finite numbers"),
        (
            -1.0,
            r"y: entry \[1\] is -1.0, outside the support of Exponential\(1.0\): it must be zero or positive",
        ),
    ],
)
def test_an_impossible_observation_is_refused_by_its_entry(b, value, sentence):
    with refuses(sentence):
        b.obs("y", ex.Exponential(1.0), [1.0, value])


def test_bounds_that_are_known_are_checked(b):
    with refuses(r"entry \[0\] is 2, outside the support of Uniform\(0, 1\): it must be between 0 and 1"):
        b.obs("y", ex.Uniform(0, 1), [2])
    with refuses(r"entry \[1, 0\] is 5.0"):
        b.obs("y", ex.Uniform(np.zeros(2), 1.0), [[0.0, 1.0], [5.0, 1.0]])
    b.obs("y", ex.Uniform(0, "tau"), [2])


@pytest.mark.parametrize(
    ("make", "y", "sentence"),
    [
        (lambda n: ex.Binomial(n, 0.5), [1, 4], r"entry \[1\] is 4, .* a whole number from 0 to n"),
        (lambda n: ex.Truncated(ex.Normal(0, 1), lower=n), [2.0, 2.5], r"entry \[1\] is 2.5, .* n or more"),
        (lambda n: ex.Censored(ex.Normal(0, 1), upper=n), [2.5, 1.0], r"entry \[0\] is 2.5, .* -inf and n"),
    ],
)
def test_data_must_lie_within_bounds_that_are_named_data(b, make, y, sentence):
    n = b.data("n", [2, 3])
    with refuses(f"^y: {sentence}"):
        b.obs("y", make(n), y)


def test_data_that_stay_may_lie_outside_bounds_that_are_replaced(b):
    b.obs("y", ex.Binomial(b.data("n", [2, 3]), 0.5), [2, 3])
    np.testing.assert_array_equal(b.model().with_data(n=[1, 1]).constant_data["n"], [1, 1])


def test_positions_must_be_integers_within_the_axis(b):
    theta = b.rv("theta", ex.Normal("mu", "tau"), shape=8)
    county = b.data("county", np.array([0, 7, -8]))
    b.det("fine", theta[county])
    with refuses(
        r"d: theta\[<array \(2,\)>\] cannot be computed: entry \[1\] of index <array \(2,\)> is 8, outside"
    ):
        b.det("d", theta[np.array([0, 8])])
    with refuses(r"index -9 is outside an axis of 8 entries"):
        b.det("d", theta[-9])
    with refuses("an index must be integers that are known beforehand, got mu"):
        b.det("d", theta["mu"])
    with refuses("an index must be integers, got float64: convert it by array.astype"):
        b.det("d", theta[np.array([0.0])])
    with refuses(r"an index must be integers, got booleans: write numpy\.flatnonzero\(mask\)"):
        b.det("d", theta[np.ones(8, bool)])
    with refuses(r"an index with 2 position\(s\) and 0 '...' does not fit a value of shape \(8,\)"):
        b.det("d", theta[0, 1])
    with refuses("the step of a slice cannot be 0"):
        b.det("d", theta[::0])


def test_transforms_must_lead_onto_the_support(b):
    b.rv("x", ex.HalfNormal(1.0), transform=Log())
    b.rv("z", ex.Normal("mu", "tau"), transform=Affine("mu", "tau"))
    with refuses(
        r"Log does not lead onto the support of Normal\(0, 1\), whose values are finite: leave transform= out"
    ):
        b.rv("y", ex.Normal(0, 1), transform=Log())
    with refuses(r"ScaledLogit does not lead onto the support of Uniform\(0, 1\)"):
        b.rv("y", ex.Uniform(0, 1), transform=ScaledLogit(0, 2))
    with refuses("transform must be a transform such as Log"):
        b.rv("y", ex.Normal(0, 1), transform="log")
    with refuses("Affine: scale must be positive, got -1"):
        b.rv("y", ex.Normal(0, 1), transform=Affine(0, -1))
    with refuses("parameters that do not fit shape"):
        b.rv("y", ex.Normal(0, 1), transform=Affine(np.zeros(2), 1))


def test_centered_is_for_location_scale_variables(b):
    with refuses(r"y: centered= is for Normal, StudentT and Cauchy, got Exponential\(1.0\): leave it out"):
        b.rv("y", ex.Exponential(1.0), centered=False)
    with refuses("centered= and transform= exclude each other"):
        b.rv("y", ex.Normal(0, 1), transform=Affine(0, 1), centered=True)
    with refuses("centered must be True, False or None, got 'yes'"):
        b.rv("y", ex.Normal(0, 1), centered="yes")
