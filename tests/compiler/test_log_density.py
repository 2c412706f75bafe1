import jax.numpy as jnp
import numpy as np
import pytest

from exmc_actors.compiler import LogDensity
from exmc_actors.errors import ModelError


def bowl(x):
    return -0.5 * jnp.sum(x**2)


def test_a_function_of_one_vector_has_the_face_of_a_program():
    target = LogDensity(bowl, [1, 2])
    assert (target.dim, target.names, target.arguments) == (2, ("x",), ())
    assert target.log_density([3.0, 4.0]) == -12.5
    value, slope = target.log_density_and_grad([3.0, 4.0])
    assert value == -12.5
    np.testing.assert_array_equal(slope, [-3.0, -4.0])
    np.testing.assert_array_equal(target.constrain([3.0, 4.0])["x"], [3.0, 4.0])
    np.testing.assert_array_equal(target.unconstrain({"x": [3.0, 4.0]}), [3.0, 4.0])
    assert target.terms([3.0, 4.0]) == {"x": -12.5}
    assert target.init.dtype == np.float64
    assert target.observed_data == target.constant_data == target.dims == target.coords == {}


def test_the_key_is_that_of_the_function_object():
    assert LogDensity(bowl, [0.0]).key == LogDensity(bowl, [1.0]).key
    assert LogDensity(bowl, [0.0]).key != LogDensity(lambda x: bowl(x), [0.0]).key


def test_one_function_of_vectors_of_two_lengths_has_two_keys():
    assert LogDensity(bowl, np.zeros(2)).key != LogDensity(bowl, np.zeros(5)).key
    assert LogDensity(bowl, np.zeros(5)).key == LogDensity(bowl, np.ones(5)).key


def test_a_function_that_cannot_be_hashed_will_do():
    class Unhashable:
        __hash__ = None

        def __call__(self, x):
            return bowl(x)

    assert LogDensity(Unhashable(), [0.0]).log_density([2.0]) == -2.0


@pytest.mark.parametrize(
    ("fn", "init", "sentence"),
    [
        (3, [0.0], "LogDensity takes a function of one vector, got 3"),
        (bowl, 0.0, r"init must be a vector with at least one entry, got shape \(\)"),
        (bowl, [], "init must be a vector with at least one entry"),
        (bowl, [0.0, np.nan], r"entry \[1\] is nan"),
        (bowl, ["a"], "init must be an array of numbers"),
    ],
)
def test_what_is_not_a_density_is_refused(fn, init, sentence):
    with pytest.raises(ModelError, match=sentence):
        LogDensity(fn, init)


@pytest.mark.parametrize("jitter", [-1.0, np.inf, np.nan, "wide"])
def test_a_jitter_that_is_no_distance_is_refused(jitter):
    with pytest.raises(ModelError, match="jitter must be a finite number from 0 on, got"):
        LogDensity(bowl, [0.0], jitter=jitter)


def test_a_function_that_returns_an_array_is_refused():
    with pytest.raises(ModelError, match=r"must be one number, got shape \(2,\): sum over its entries"):
        LogDensity(lambda x: x, [0.0, 1.0]).log_density([0.0, 0.0])


@pytest.mark.parametrize("kind", [jnp.int32, jnp.bool_, jnp.complex128])
def test_a_function_that_returns_no_floating_point_number_is_refused(kind):
    target = LogDensity(lambda x: jnp.sum(x).astype(kind), [0.0])
    with pytest.raises(ModelError, match=r"must be a floating-point number, got one of dtype"):
        target.log_density([0.0])


def test_a_function_may_return_less_than_double_precision():
    target = LogDensity(lambda x: bowl(x.astype(jnp.float32)), [0.0])
    assert target.log_density([2.0]) == -2.0


def test_values_that_are_not_finite_are_refused():
    with pytest.raises(ModelError, match=r"x: entry \[0\] is inf, where no chain can be: it must be finite"):
        LogDensity(bowl, [0.0]).unconstrain({"x": [np.inf]})
