"""One program of every distribution of numbers: its terms against mpmath, its bytes, its folded gradient."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import exmc_actors.model as ex
from exmc_actors.compiler import compile
from exmc_actors.model.supports import AtLeast, AtMost, Interval, Real, UnitInterval
from exmc_actors.xla import can_fold, is_folded, precise
from tests.model.distributions.cases import USUAL
from tests.model.distributions.oracles import log_density

CASES = {
    f"{name}_{i}": (name, parameters) for name, given in USUAL.items() for i, parameters in enumerate(given)
}


def declared(*, is_varied):
    """A free variable of every continuous distribution, and an observation of every discrete one.

    Varied parameters are multiples of a variable's function that is one everywhere, so that their slopes are
    computed.
    """
    b = ex.Builder()
    origin = b.rv("origin", ex.Normal(0.0, 1.0))
    one = ex.math.exp(0.0 * origin) if is_varied else 1.0
    for label, (name, parameters) in CASES.items():
        leaf = getattr(ex, name)
        distribution = leaf(*(value * one if isinstance(value, float) else value for value in parameters))
        if leaf.is_discrete:
            b.obs(label, distribution, likely(name, parameters))
        else:
            b.rv(label, distribution, centered=True if leaf.is_location_scale else None)
    b.obs("category", ex.Categorical(np.array([0.2, 0.5, 0.3]) * one), [2, 0])
    b.obs("rating", ex.OrderedLogistic(0.3 * one, np.array([-1.0, 1.0]) * one), [2, 0])
    return b.model()


@pytest.fixture(scope="module", params=[False, pytest.param(True, marks=pytest.mark.slow)])
def program(request):
    return compile(declared(is_varied=request.param))


def likely(name, parameters):
    with precise():
        return np.full(2, round(float(getattr(ex, name)(*parameters).mean())))


def placed(support, z):
    """Return the value at an unconstrained number, and the logarithm of its slope."""
    share, log_slope = 1 / (1 + math.exp(-z)), -abs(z) - 2 * math.log1p(math.exp(-abs(z)))
    match support:
        case Real():
            return z, 0.0
        case UnitInterval():
            return share, log_slope
        case Interval():
            width = support.high - support.low
            return support.low + width * share, log_slope + math.log(width)
        case AtMost():
            return support.high - math.exp(z), z
    return (support.low if isinstance(support, AtLeast) else 0.0) + math.exp(z), z


@pytest.mark.slow
@pytest.mark.parametrize("z", [-2.0, 0.3, 1.5])
def test_every_term_is_the_log_density_with_the_jacobian(program, z):
    terms = program.terms(np.full(program.dim, z))
    for label, (name, parameters) in CASES.items():
        distribution = getattr(ex, name)(*parameters)
        if distribution.is_discrete:
            wanted = 2 * log_density(name, likely(name, parameters)[0], *parameters)[0]
        else:
            x, jacobian = placed(distribution.support, z)
            wanted = log_density(name, x, *parameters)[0] + jacobian
        assert terms[label] == pytest.approx(wanted, rel=1e-10, abs=1e-12), label
    assert terms["category"] == pytest.approx(math.log(0.3 * 0.2))


def test_bytes_bring_every_distribution_back():
    model = declared(is_varied=True)
    again = ex.Model.from_bytes(model.to_bytes())
    assert repr(again) == repr(model)
    assert again.key == model.key


@pytest.mark.slow
def test_a_loop_around_the_gradient_folds(program):
    def climb(flat, arguments):
        return lax.fori_loop(
            0, 3, lambda _, z: z + 1e-3 * jax.grad(program.log_density_at)(z, arguments), flat
        )

    with precise():
        text = jax.jit(climb).lower(jnp.zeros(program.dim), program.arguments).compile().as_text()
    assert is_folded(text) == can_fold()
