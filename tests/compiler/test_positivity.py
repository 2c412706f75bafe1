import numpy as np
import pytest

import exmc_actors.model as ex
from exmc_actors.compiler.passes import default_transforms
from exmc_actors.compiler.positivity import Positivity
from exmc_actors.compiler.structure import split

m = ex.math
POSITIVE = {
    "a positive variable": lambda p, u: p,
    "a number": lambda p, u: ex.as_expression(2.0),
    "an exponential": lambda p, u: m.exp(u),
    "a root of a sum": lambda p, u: m.sqrt(p * p + 1.0 / p),
    "a power": lambda p, u: p**-0.5,
    "a choice": lambda p, u: m.where(m.gt(u, 0.0), p, m.exp(u)),
    "an entry": lambda p, u: m.stack([p, m.softplus(u)])[np.array([1, 0])],
}
NOT_KNOWN = {
    "a variable": lambda p, u: u,
    "a difference": lambda p, u: p - 1.0,
    "a negative multiple": lambda p, u: -2.0 * p,
    "a multiple by an array": lambda p, u: p * np.ones(2),
    "a logarithm": lambda p, u: m.log(p),
    "a choice": lambda p, u: m.where(m.gt(u, 0.0), u, p),
    "what a scan gives": lambda p, u: m.scan(lambda x, _: (x, ()), p, length=3)[0],
}
PRIORS = [
    (ex.HalfNormal(1.0), True),
    (ex.Beta(2.0, 2.0), True),
    (ex.Uniform(0.0, 9.0), True),
    (ex.Truncated(ex.Normal(0.0, 1.0), lower=0.0), True),
    (ex.Uniform(-1.0, 9.0), False),
    (ex.Truncated(ex.Normal(0.0, 1.0), upper=0.0), False),
]


def known(declare):
    """Return whether the sigma of the last variable is known to be positive."""
    b = ex.Builder()
    positive, number = b.rv("positive", ex.Gamma(2.0, 2.0)), b.rv("number", ex.Normal(0.0, 1.0))
    b.rv("x", ex.Normal(0.0, declare(b, positive, number)))
    terms = split(default_transforms(b.model()).model)[0].terms
    return Positivity(terms).holds(terms[-1].distribution.sigma)


@pytest.mark.parametrize("make", POSITIVE.values(), ids=POSITIVE)
def test_is_known(make):
    assert known(lambda b, p, u: make(p, u))
    assert known(lambda b, p, u: b.det("derived", make(p, u)))


@pytest.mark.parametrize("make", NOT_KNOWN.values(), ids=NOT_KNOWN)
def test_is_not_known(make):
    assert not known(lambda b, p, u: make(p, u))
    assert not known(lambda b, p, u: b.det("derived", make(p, u)))


def test_an_array_that_is_the_parameter_was_looked_at_when_it_was_declared():
    assert known(lambda b, p, u: np.ones(3))


@pytest.mark.parametrize(("prior", "is_positive"), PRIORS)
def test_a_variable_is_positive_where_its_support_is(prior, is_positive):
    assert known(lambda b, p, u: b.rv("scale", prior)) == is_positive


def test_long_chains_of_deterministics_are_walked_once():
    def declare(b, p, u):
        before = last = p
        for number in range(400):  # each uses the two before it
            before, last = last, b.det(f"h{number}", 0.5 * before + 0.5 * last)
        return last

    assert known(declare)
