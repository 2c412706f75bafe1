import numpy as np
import pytest

import exmc_actors.model as ex
from exmc_actors.compiler import rewrite
from exmc_actors.compiler.passes import (
    FEW,
    PASSES,
    apply_passes,
    constant_folding,
    default_transforms,
    gaussian_reduction,
    glm_fusion,
    measurable_operations,
    non_centering,
)
from exmc_actors.model import Identity

from ..conftest import build, eight_schools, radon_like


def transforms(model):
    return {site.name: type(site.transform).__name__ for site in model.free}


def test_passes_run_in_a_fixed_order():
    assert list(PASSES) == [
        measurable_operations,
        non_centering,
        default_transforms,
        constant_folding,
        gaussian_reduction,
        glm_fusion,
    ]


def test_the_transform_follows_from_the_support():
    def declare(b):
        b.rv("real", ex.Normal(0.0, 1.0))
        b.rv("positive", ex.Gamma(1.0, 1.0))
        b.rv("from_zero", ex.Exponential(1.0))
        b.rv("unit", ex.Beta(1.0, 1.0))
        b.rv("between", ex.Uniform("real", 9.0))
        b.rv("own", ex.Exponential(1.0), transform=Identity())

    assert transforms(rewrite(build(declare))) == {
        "real": "Identity",
        "positive": "Log",
        "from_zero": "Log",
        "unit": "Logit",
        "between": "ScaledLogit",
        "own": "Identity",
    }


def hierarchical(entries, per_entry, distribution=ex.Normal, through=lambda x: x, **options):
    """Return a model of ``entries`` levels with ``per_entry`` observations each."""

    def declare(b):
        mu, tau = b.rv("mu", ex.Normal(0.0, 1.0)), b.rv("tau", ex.HalfNormal(1.0))
        parameters = (4.0, mu, tau) if distribution is ex.StudentT else (mu, tau)
        level = b.rv("level", distribution(*parameters), shape=entries, **options)
        if per_entry:
            group = np.repeat(np.arange(entries), per_entry)
            mean = b.det("mean", through(level[group]))
            b.obs("y", ex.Normal(mean, 1.0), np.zeros(group.size))

    return transforms(rewrite(build(declare)))["level"]


@pytest.mark.parametrize(
    ("per_entry", "form"), [(0, "Affine"), (1, "Affine"), (9, "Affine"), (10, "Identity"), (30, "Identity")]
)
def test_a_hierarchical_normal_is_non_centred_while_few_observations_inform_it(per_entry, form):
    assert FEW == 10
    assert hierarchical(5, per_entry) == form


def test_the_count_goes_through_deterministics_and_expressions():
    assert hierarchical(5, 10, through=lambda x: ex.math.exp(x) * 2) == "Identity"


def test_the_count_does_not_go_through_another_free_variable():
    def declare(b):
        tau = b.rv("tau", ex.HalfNormal(1.0))
        upper = b.rv("upper", ex.Normal(0.0, tau))
        lower = b.rv("lower", ex.Normal(upper, tau))
        b.obs("y", ex.Normal(lower, 1.0), np.zeros(100))

    assert transforms(rewrite(build(declare))) == {"tau": "Log", "upper": "Affine", "lower": "Identity"}


def test_centered_overrides_the_count():
    assert hierarchical(5, 1, centered=True) == "Identity"
    assert hierarchical(5, 30, centered=False) == "Affine"
    assert hierarchical(5, 1, distribution=ex.StudentT) == "Identity"
    assert hierarchical(5, 1, distribution=ex.StudentT, centered=False) == "Affine"


def test_a_fixed_scale_makes_no_funnel():
    def declare(b):
        mu = b.rv("mu", ex.Normal(0.0, 1.0))
        b.rv("x", ex.Normal(mu, np.ones(3)))

    assert transforms(rewrite(build(declare)))["x"] == "Identity"


def test_a_scale_that_depends_on_a_variable_through_a_deterministic_makes_one():
    def declare(b):
        v = b.rv("v", ex.Normal(0.0, 3.0))
        scale = b.det("scale", ex.math.exp(v / 2))
        b.rv("x", ex.Normal(0.0, scale), shape=9)

    assert transforms(rewrite(build(declare)))["x"] == "Affine"


def test_a_transform_of_the_users_own_is_kept():
    def declare(b):
        tau = b.rv("tau", ex.HalfNormal(1.0))
        b.rv("x", ex.Normal(0.0, tau), transform=Identity())

    assert transforms(rewrite(build(declare)))["x"] == "Identity"


def test_the_models_of_the_examples():
    assert transforms(rewrite(eight_schools()))["theta"] == "Affine"
    assert transforms(rewrite(radon_like()))["level"] == "Identity"


def test_a_rewritten_model_is_a_model_that_travels():
    again = ex.Model.from_bytes(rewrite(eight_schools()).to_bytes())
    assert again.key == rewrite(again).key == rewrite(eight_schools()).key


def test_each_pass_says_what_it_did():
    model, reports = apply_passes(radon_like())
    assert model.key == rewrite(radon_like()).key
    assert [report.name for report in reports] == [one.__name__ for one in PASSES]
    assert {report.name: report.lines for report in reports if report.lines} == {
        "default_transforms": ("tau: moved by Log", "sigma: moved by Log"),
        "gaussian_reduction": ("y: 919 rows of a linear mean as 2 and 1 for each of 85 groups",),
    }
    assert str(reports[1]) == "non_centering:\n  nothing"
    assert apply_passes(eight_schools())[1][1].lines == (
        "theta: non-centred, 8 observations inform its 8 entries",
    )
    assert apply_passes(eight_schools(centered=False))[1][1].lines == ("theta: non-centred, as asked",)


def test_a_pass_that_does_nothing_returns_the_model_itself():
    model = rewrite(eight_schools())
    for one in (constant_folding, gaussian_reduction, glm_fusion):
        assert one(model).model is model
