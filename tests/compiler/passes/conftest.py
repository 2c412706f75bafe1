"""Rewritten models against the rows that they were declared with."""

import jax
import numpy as np

from exmc_actors.compiler import compile, traced
from exmc_actors.compiler.passes import PASSES, apply_passes, default_transforms
from exmc_actors.compiler.structure import split
from exmc_actors.xla import is_folded, precise

NEEDED = PASSES[: PASSES.index(default_transforms) + 1]


class Plain:
    """A model after the passes that every program needs, and no other."""

    def __init__(self, model):
        self._structure, self._arguments = split(apply_passes(model, NEEDED)[0])
        with precise():
            self._both = jax.jit(jax.value_and_grad(self._sum, has_aux=True))

    def _sum(self, flat, arguments):
        terms = traced.log_terms(self._structure, flat, arguments)
        return sum(terms.values()), terms

    def __call__(self, flat):
        with precise():
            (value, terms), slope = self._both(flat, self._arguments)
        return float(value), np.array(slope), {name: float(term) for name, term in terms.items()}


def assert_same(model, points=2, spread=1.0):
    """Hold the program to the plain one: value, gradient and terms; return the program."""
    program, plain = compile(model), Plain(model)
    rng = np.random.default_rng(0)
    for _ in range(points):
        flat = spread * rng.normal(size=program.dim)
        value, slope, terms = plain(flat)
        assert_close(program.log_density_and_grad(flat), (value, slope))
        for name, term in program.terms(flat).items():
            np.testing.assert_allclose(term, terms[name], rtol=1e-10, atol=1e-10 * max(1.0, abs(value)))
    return program


def assert_close(one, other):
    """Compare values to 1e-10, and gradients to 1e-10 of their largest entry."""
    np.testing.assert_allclose(one[0], other[0], rtol=1e-10)
    np.testing.assert_allclose(one[1], other[1], rtol=1e-10, atol=1e-10 * np.max(np.abs(other[1])))


def folds(program):
    """Say whether a loop of gradients is one native kernel."""

    def loop(flat, arguments, count):
        def step(_, q):
            return q + 1e-9 * jax.grad(program.log_density_at)(q, arguments)

        return jax.lax.fori_loop(0, count, step, flat)

    with precise():
        lowered = jax.jit(loop).lower(np.zeros(program.dim), program.arguments, np.int64(3))
        return is_folded(lowered.compile().as_text())


def reports(model):
    """Return the lines of each pass, by its name."""
    return {report.name: report.lines for report in apply_passes(model)[1]}
