"""What PyTensor computes in double precision is computed so here, and its functions of tails are known."""

import numpy as np
import pytest

import exmc_actors as ex

pm = pytest.importorskip("pymc", reason="PyMC is not installed: pip install 'exmc-actors[pymc]'")
pt = pytest.importorskip("pytensor.tensor")
pytestmark = pytest.mark.filterwarnings("ignore:PyTensor could not link to a BLAS")


def effects(of_effects):
    """Return a model whose effects come after a zero that PyTensor fills in."""
    with pm.Model() as model:
        free = pm.Normal("free", 0.0, 100.0, shape=3)
        pm.Normal("y", of_effects(pt.set_subtensor(pt.zeros(4)[1:], free)), 0.01, observed=np.zeros(4))
    return model


def factor():
    with pm.Model() as model:
        pm.LKJCholeskyCov("factor", n=2, eta=2.0, sd_dist=pm.Exponential.dist(1.0), compute_corr=False)
    return model


MODELS = {
    "switch": lambda: effects(lambda x: pt.switch(x > 10.0, x, 0.5)),
    "clip": lambda: effects(lambda x: pt.clip(x, 0.0, 1e5)),
    "power": lambda: effects(lambda x: x**2.5),
    "a matrix of single precision": lambda: effects(lambda x: pt.dot(np.eye(4, dtype="float32"), x)),
    "factor": factor,
}


@pytest.mark.parametrize("name", MODELS)
def test_nothing_is_computed_in_single_precision_that_pymc_computes_in_double(name):
    model = MODELS[name]()
    target = ex.from_pymc(model)
    assert "f32" not in str(target._density.recorded_log_density.jaxpr)
    at = np.array([1.0, 10.0, 0.5]) / 3.0 if name == "factor" else np.array([100.0, 1000.0, 50.0]) / 3.0
    expected = model.compile_logp(mode="FAST_COMPILE")({model.value_vars[0].name: at})
    assert target.log_density(at) == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.slow
def test_the_tails_of_a_normal_are_those_of_pymc_in_value_and_slope():
    with pm.Model() as model:
        mu = pm.Normal("mu", 0.0, 10.0)
        pm.Censored("y", pm.Normal.dist(mu, 1.0), lower=-1.0, upper=1.0, observed=[-1.0, 0.5, 1.0])
        pm.Truncated("z", pm.Normal.dist(mu, 1.0), lower=0.0, observed=[0.5])
    target = ex.from_pymc(model)
    log_density, gradient = model.compile_logp(mode="FAST_COMPILE"), model.compile_dlogp(mode="FAST_COMPILE")
    for at in (-5.0, -1.0, 0.0, 2.0, 5.0):
        value, slope = target.log_density_and_grad([at])
        assert value == pytest.approx(float(log_density({"mu": at})), rel=1e-10)
        np.testing.assert_allclose(slope, gradient({"mu": at}), rtol=1e-8)
