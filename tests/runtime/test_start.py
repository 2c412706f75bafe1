"""Chains start where they are told, at random otherwise, and never where the density is not finite."""

import jax.numpy as jnp
import numpy as np
import pytest

import exmc_actors as ex
from exmc_actors.chain import chain_key
from exmc_actors.runtime import check, executables_for, start_positions
from tests.runtime.conftest import observe, schools, virtual


def started(target, values=None, seed=0):
    program = target if not isinstance(target, ex.Model) else ex.compile(target)
    (position,) = start_positions(program, check(chains=1, random_seed=seed, initvals=values))
    (made,) = executables_for(program, 10).start([(chain_key(seed, 0), position)], program.arguments, 0.8)
    return made


def test_a_given_start_is_used_as_it_is():
    values = {"mu": 3.0, "tau": 2.0, "theta": np.arange(8.0)}
    program = ex.compile(schools())
    state = started(program, values).state
    np.testing.assert_array_equal(state.point.position, program.unconstrain(values))
    assert state.point.log_density == pytest.approx(
        program.log_density(program.unconstrain(values)), rel=1e-12
    )


def test_variables_that_are_not_given_start_at_random_from_the_seed():
    program = ex.compile(schools())
    a, again, other = (
        program.constrain(started(program, {"mu": 3.0}, seed).state.point.position) for seed in (1, 1, 2)
    )
    assert a["mu"] == pytest.approx(3.0, rel=1e-12)
    assert a["tau"] == again["tau"] != other["tau"]


def test_what_is_not_given_starts_where_what_is_given_lets_it():
    b = ex.Builder()
    a = b.rv("a", ex.Normal(0.0, 100.0))
    b.rv("x", ex.Uniform(a, a + 1.0))
    program = ex.compile(b.model())
    start = program.constrain(started(program, {"a": 100.0}).state.point.position)
    assert start["a"] == 100.0
    assert 100.0 < start["x"] < 101.0


def test_what_is_given_may_fit_only_some_values_of_what_is_not():
    b = ex.Builder()
    a = b.rv("a", ex.Normal(0.0, 1.0))
    b.rv("x", ex.Uniform(a, a + 1.0))
    program = ex.compile(b.model())
    for seed in range(5):
        start = program.constrain(started(program, {"x": 1.5}, seed).state.point.position)
        assert start["x"] == pytest.approx(1.5, rel=1e-12)
        assert 0.5 < start["a"] < 1.5
    with pytest.raises(ex.ModelError, match=r"x.*7\.0"):
        started(program, {"x": 7.0})


def test_random_starts_are_between_minus_two_and_two_and_differ_by_chain():
    positions = [started(schools(), seed=seed).state.point.position for seed in range(20)]
    assert np.abs(positions).max() <= 2.0
    assert np.std(positions) == pytest.approx(2 / np.sqrt(3), rel=0.15)


def test_a_random_start_is_tried_again_until_the_density_is_finite():
    # Finite in one of four quadrants only.
    target = ex.LogDensity(lambda q: jnp.where(jnp.all(q > 0), -0.5 * jnp.dot(q, q), -jnp.inf), np.zeros(2))
    target.init = None
    for seed in range(20):
        start = started(target, seed=seed)
        assert start.is_finite
        assert np.all(start.state.point.position > 0)


def test_a_log_density_starts_each_chain_at_another_point_around_its_init():
    init = np.array([30.0, -5.0, 0.0])
    target = ex.LogDensity(lambda q: -0.5 * jnp.dot(q, q), init)
    positions = np.array([started(target, seed=seed).state.point.position for seed in range(40)])
    assert np.abs(positions - init).max() <= 1.0
    assert np.std(positions - init) == pytest.approx(1 / np.sqrt(3), rel=0.15)


def test_a_log_density_starts_exactly_at_its_init_without_jitter_and_elsewhere_where_values_are_given():
    init = np.array([30.0, -5.0, 0.0])
    target = ex.LogDensity(lambda q: -0.5 * jnp.dot(q, q), init, jitter=0)
    np.testing.assert_array_equal(started(target).state.point.position, init)
    np.testing.assert_array_equal(started(target, {"x": init + 1}).state.point.position, init + 1)


def test_a_start_around_an_init_is_tried_again_until_the_density_is_finite():
    target = ex.LogDensity(lambda q: jnp.where(jnp.all(q > 0), -0.5 * jnp.dot(q, q), -jnp.inf), np.zeros(2))
    for seed in range(20):
        start = started(target, seed=seed)
        assert start.is_finite
        assert np.all((start.state.point.position > 0) & (start.state.point.position <= 1.0))


def broken_at_tau():
    b = ex.Builder()
    tau = b.rv("tau", ex.HalfNormal(1.0))
    mu = b.rv("mu", ex.Normal(0.0, 1.0))
    b.obs("y", ex.Normal(mu, 1.0), [0.5])
    b.potential("wall", ex.math.log(-tau))
    return b.model()


def quadrant():
    """Finite where both of x are positive."""
    b = ex.Builder()
    b.rv("mu", ex.Normal(0.0, 1.0))
    x = b.rv("x", ex.Normal(0.0, 1.0), shape=2)
    b.potential("p", ex.math.log(x[0]) + ex.math.log(x[1]))
    return b.model()


@pytest.mark.parametrize("given", [{"mu": 0.5}, {}])
def test_what_is_not_given_is_tried_again_until_the_density_is_finite(given):
    tree = virtual(lambda: observe(model=quadrant(), initvals=given, chains=8)).tree
    assert tree.posterior.sizes["chain"] == 8
    assert "failed_reasons" not in tree.attrs


def test_a_start_that_cannot_be_whatever_is_not_given_names_what_is_given():
    with pytest.raises(ExceptionGroup) as caught:
        virtual(lambda: observe(model=broken_at_tau(), initvals={"mu": 0.5}))
    assert "not finite at 100 random starts (mu as given) of chain 0; not finite: wall (nan)" in str(
        caught.value.exceptions[0]
    )


def test_a_given_start_at_which_the_density_is_not_finite_is_tried_once():
    with pytest.raises(ExceptionGroup) as caught:
        virtual(lambda: observe(model=quadrant(), initvals={"mu": 0.5, "x": [1.0, -1.0]}))
    assert "not finite at the given start of chain 0; not finite: p (nan)" in str(caught.value.exceptions[0])


def test_a_start_that_cannot_be_names_the_term_that_is_not_finite():
    with pytest.raises(ExceptionGroup) as caught:
        virtual(lambda: observe(model=broken_at_tau()))
    error = caught.value.exceptions[0]
    assert isinstance(error, ex.StartError)
    assert "not finite at 100 random starts of chain 0; not finite: wall (nan)" in str(error)
    assert "and 2 more chains" in str(error)


def test_a_given_start_outside_the_support_is_refused_before_anything_starts():
    with pytest.raises(ex.ModelError, match=r"tau.*-1\.0"):
        virtual(lambda: observe(initvals={"mu": 0.0, "tau": -1.0, "theta": np.zeros(8)}))


def test_a_given_start_of_an_unknown_variable_is_refused_with_the_nearest_name():
    with pytest.raises(ex.ModelError, match=r"'tua'.*tau"):
        virtual(lambda: observe(initvals={"tua": 1.0}))
