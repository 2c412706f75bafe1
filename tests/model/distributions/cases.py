"""Parameters and points for every distribution: usual ones, and strategies that reach tails and edges."""

import math

from hypothesis import strategies as st


def sized(low, high):
    """Return positive numbers whose logarithms to base ten are spread from ``low`` to ``high``."""
    return st.floats(low, high).map(lambda exponent: 10.0**exponent)


def signed(low, high):
    """Return numbers of both signs, and zero."""
    return st.one_of(st.just(0.0), sized(low, high), sized(low, high).map(lambda size: -size))


def counts(high):
    """Return whole numbers from zero, small and large alike."""
    return st.one_of(st.integers(0, 5), st.floats(0, math.log10(high)).map(lambda e: int(10**e))).map(float)


PLACE, SCALE, SHAPE = signed(-3, 4), sized(-4, 4), sized(-2, 4)
PROBABILITY = st.one_of(st.sampled_from([0.25, 0.5]), sized(-12, -0.1), sized(-12, -0.1).map(lambda p: 1 - p))
UNIT = st.one_of(sized(-15, -0.1), sized(-12, -0.1).map(lambda x: 1 - x))
STEPS = signed(-8, 6)


def around(*parameters, mu=0, sigma=1):
    """Return points that lie some scales away from a place."""

    def row(drawn):
        *given, step = drawn
        return (given[mu] + given[sigma] * step, *given)

    return st.tuples(*parameters, STEPS).map(row)


def at_scale(*parameters, scale):
    """Return positive points, some of them many times the scale away."""
    return st.tuples(*parameters, sized(-12, 3)).map(
        lambda drawn: (drawn[-1] * scale(*drawn[:-1]), *drawn[:-1])
    )


def at(points, *parameters):
    """Return points that do not depend on the parameters."""
    return st.tuples(points, *parameters)


def within(*parameters):
    """Return numbers of successes in so many trials."""
    drawn = st.tuples(counts(1e6), st.floats(0, 1), *parameters)
    return drawn.map(lambda row: (float(round(row[0] * row[1])), row[0], *row[2:]))


def between(low, high, x):
    return low + (high - low) * x


UNIFORM = st.tuples(PLACE, SCALE, st.floats(0, 1)).map(lambda t: (t[0], t[0] + t[1] + abs(t[0]), t[2]))
TRUNCATED = st.tuples(PLACE, SCALE, signed(-3, 3), sized(-3, 3), UNIT)

ROWS = {
    "Normal": around(PLACE, SCALE),
    "HalfNormal": at_scale(SCALE, scale=lambda sigma: sigma),
    "Exponential": at_scale(SCALE, scale=lambda rate: 1 / rate),
    "Uniform": UNIFORM.map(lambda t: (min(between(*t), t[1]), t[0], t[1])),
    "Cauchy": around(PLACE, SCALE),
    "HalfCauchy": at_scale(SCALE, scale=lambda sigma: sigma * 1e3),
    "LogNormal": st.tuples(signed(-3, 1), sized(-1, 1), signed(-8, 1)).map(
        lambda t: (math.exp(t[0] + t[1] * t[2]), t[0], t[1])
    ),
    "Gamma": at_scale(SHAPE, SCALE, scale=lambda alpha, beta: max(alpha, 1) / beta),
    "InverseGamma": at_scale(SHAPE, SCALE, scale=lambda alpha, beta: 1e3 * beta),
    "ChiSquared": at_scale(SHAPE, scale=lambda nu: max(nu, 1)),
    "Beta": at(UNIT, SHAPE, SHAPE),
    "Kumaraswamy": at(UNIT, sized(-2, 2), sized(-2, 2)),
    "StudentT": around(SHAPE, PLACE, SCALE, mu=1, sigma=2),
    "HalfStudentT": at_scale(SHAPE, SCALE, scale=lambda nu, sigma: sigma * 1e3),
    # At its corner it has no slope.
    "Laplace": around(PLACE, SCALE).filter(lambda row: row[0] != row[1]),
    "Logistic": around(PLACE, SCALE),
    "Weibull": st.tuples(sized(-1, 1.5), SCALE, signed(-3, 1)).map(
        lambda t: (t[1] * math.exp(t[2] / t[0]), t[0], t[1])
    ),
    "Gumbel": st.tuples(PLACE, SCALE, st.one_of(sized(-8, 6), sized(-8, 2).map(lambda z: -z))).map(
        lambda t: (t[0] + t[1] * t[2], t[0], t[1])
    ),
    "Pareto": st.tuples(SHAPE, SCALE, sized(-8, 6)).map(lambda t: (t[1] * (1 + t[2]), t[0], t[1])),
    "VonMises": at(st.floats(-math.pi, math.pi), signed(-3, 1), sized(-6, 8)),
    "TruncatedNormal": TRUNCATED.map(
        lambda t: (
            between(t[0] + t[1] * t[2], t[0] + t[1] * (t[2] + t[3]), t[4]),
            t[0],
            t[1],
            t[0] + t[1] * t[2],
            t[0] + t[1] * (t[2] + t[3]),
        )
    ).filter(lambda row: row[3] < row[0] < row[4]),
    "Bernoulli": at(st.sampled_from([0.0, 1.0]), PROBABILITY),
    "BernoulliLogit": at(st.sampled_from([0.0, 1.0]), signed(-6, 3)),
    "Binomial": within(PROBABILITY),
    "BetaBinomial": within(sized(-3, 8), sized(-3, 8)),
    "Poisson": at(counts(1e6), sized(-8, 6)),
    "NegativeBinomial": at(counts(1e6), sized(-8, 6), sized(-3, 10)),
    "Geometric": at(counts(1e6).map(lambda k: k + 1), PROBABILITY),
    "ZeroInflatedPoisson": at(counts(1e4), PROBABILITY, sized(-8, 2.5)),
}
"""A point and parameters, for each distribution."""

USUAL = {
    "Normal": [(0.4, 1.7)],
    "HalfNormal": [(1.7,)],
    "Exponential": [(0.8,)],
    "Uniform": [(-0.5, 1.5)],
    "Cauchy": [(0.4, 1.7)],
    "HalfCauchy": [(1.7,)],
    "LogNormal": [(0.4, 0.7)],
    "Gamma": [(2.3, 0.7), (0.5, 3.0)],
    "InverseGamma": [(3.3, 0.7), (0.5, 3.0)],
    "ChiSquared": [(1.0,), (7.5,)],
    "Beta": [(2.3, 0.7), (30.0, 50.0)],
    "Kumaraswamy": [(2.3, 0.7), (0.6, 5.0)],
    "StudentT": [(3.1, 0.4, 1.7), (40.0, 0.4, 1.7)],
    "HalfStudentT": [(3.1, 1.7), (1.0, 0.4)],
    "Laplace": [(0.4, 1.7)],
    "Logistic": [(0.4, 1.7)],
    "Weibull": [(1.5, 0.8), (0.7, 3.0)],
    "Gumbel": [(0.4, 1.7)],
    "Pareto": [(3.5, 0.8), (0.9, 2.0)],
    "VonMises": [(0.4, 1.7), (-2.5, 0.0), (3.0, 900.0)],
    "TruncatedNormal": [
        (0.4, 1.7),
        (0.4, 1.7, -1.0),
        (0.4, 1.7, None, 2.0),
        (0.4, 1.7, -1.0, 2.0),
        (0.0, 1.0, 8.0),
        (0.0, 1.0, None, -40.0),
        (0.0, 1.0, -9.0, -7.0),
        (0.0, 1.0, 7.0, 7.05),
    ],
    "Bernoulli": [(0.3,), (0.0,), (1.0,)],
    "BernoulliLogit": [(-0.7,)],
    "Binomial": [(7, 0.3), (1, 0.5), (400, 0.9), (0, 0.3), (5, 1.0)],
    "BetaBinomial": [(7, 2.3, 0.7), (200, 0.5, 0.4)],
    "Poisson": [(0.4,), (9.0,), (250.0,), (0.0,)],
    "NegativeBinomial": [(3.0, 0.7), (60.0, 12.0), (2.0, 1e7)],
    "Geometric": [(0.3,), (0.01,), (1.0,)],
    "ZeroInflatedPoisson": [(0.3, 4.0), (1.0, 0.2), (0.0, 2.0)],
}
"""Parameters to sum, to average and to draw under."""

OUTSIDE = {
    "HalfNormal": [-1.0],
    "Exponential": [-1e-9],
    "Uniform": [1.6],
    "HalfCauchy": [-2.0],
    "LogNormal": [0.0],
    "Gamma": [0.0],
    "InverseGamma": [0.0, -1.0],
    "ChiSquared": [0.0],
    "Beta": [0.0, 1.0],
    "Kumaraswamy": [0.0, 1.0],
    "HalfStudentT": [-1e-9],
    "Weibull": [0.0, -1.0],
    "Pareto": [0.7, 0.0],
    "VonMises": [3.2, -4.0],
    "Bernoulli": [-1.0, 0.5, 2.0],
    "BernoulliLogit": [-1.0, 0.5, 2.0],
    "Binomial": [-1.0, 0.5, 8.0],
    "BetaBinomial": [-1.0, 0.5, 8.0],
    "Poisson": [-1.0, 0.5],
    "NegativeBinomial": [-1.0, 0.5],
    "Geometric": [0.0, 1.5],
    "ZeroInflatedPoisson": [-1.0, 0.5],
}
"""Points outside the support under the first of the usual parameters."""
