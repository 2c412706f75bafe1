import jax
import jax.numpy as jnp
import numpy as np
import pytest

from exmc_actors.elsewhere.recording import Recorder
from exmc_actors.xla import precise


def test_arrays_that_functions_close_over_become_arguments_each_once(exact):
    data, recorder = np.arange(3.0), Recorder()
    first = recorder.record(lambda x: jnp.sum(data * x), np.zeros(3))
    second = recorder.record(jax.jit(lambda x: {"a": data + x}), np.zeros(3))
    assert [argument.tolist() for argument in recorder.arguments] == [[0.0, 1.0, 2.0]]
    other = (np.ones(3),)
    assert first(other, jnp.array([1.0, 2.0, 3.0])) == 6.0
    np.testing.assert_array_equal(second(other, jnp.zeros(3))["a"], 1.0)


def test_what_was_recorded_stays_in_double_precision_and_runs_no_python():
    calls = []

    def function(x):
        calls.append(1)
        return jnp.exp(x) * 1.0

    with precise():
        recording = Recorder().record(function, np.zeros(()))
    assert calls == [1]
    with precise():
        assert recording((), jnp.asarray(1.0)).dtype == np.float64
    assert calls == [1]


def test_a_key_of_random_numbers_is_kept_as_it_is(exact):
    key = jax.random.key(0)
    recorder = Recorder()
    recording = recorder.record(lambda x: x + jax.random.normal(key), np.zeros(()))
    assert recorder.arguments == ()
    assert recording((), jnp.asarray(0.0)) == jax.random.normal(key)


@jax.custom_jvp
def doubled(x):
    return 2.0 * x


doubled.defjvp(lambda primals, tangents: (doubled(*primals), 3.0 * tangents[0]))

POSITIONS = np.array([[2, 0], [2, 1]])
FUNCTIONS = {
    "positions": lambda x: jnp.sum(jnp.sin(x[POSITIONS]) * np.arange(4.0).reshape(2, 2)),
    "rows": lambda x: jnp.sum(jnp.sin(jnp.outer(x, x)[POSITIONS]) * np.arange(3.0)),
    "negative": lambda x: jnp.sum(x[np.array([-1, 0])] ** 2),
    "one": lambda x: x[1] ** 2,
    "two axes": lambda x: jnp.sum(jnp.outer(x, x)[np.array([0, 2]), np.array([1, 1])] ** 2),
    "last axis": lambda x: jnp.sum(jnp.outer(x, jnp.exp(x))[:, np.array([0, 2, 2])] ** 2),
    "taken": lambda x: jnp.sum(jnp.take(x, np.array([0, 1]), mode="clip") ** 3),
    "loop": lambda x: jax.lax.fori_loop(0, 3, lambda i, s: s + x[i] ** 2, 0.0),
    "branch": lambda x: jax.lax.cond(x[0] > 0, jnp.sum, lambda y: jnp.sum(y**2), x),
    "own derivative": lambda x: jnp.sum(doubled(x[POSITIONS])),
    "solve": lambda x: jnp.sum(jnp.linalg.cholesky(jnp.outer(x, x) + 5.0 * jnp.eye(3))),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_recording_has_the_value_and_the_derivatives_of_its_function(exact, name):
    function, recorder, x = FUNCTIONS[name], Recorder(), jnp.array([0.3, -1.2, 0.7])
    recording = recorder.record(function, x)
    recorded = lambda x: recording(recorder.arguments, x)  # noqa: E731
    ours, expected = (jax.jit(jax.value_and_grad(f))(x) for f in (recorded, function))
    np.testing.assert_allclose(ours[0], expected[0], rtol=1e-14)
    np.testing.assert_allclose(ours[1], expected[1], rtol=1e-13)


def test_positions_that_are_outside_give_what_jax_gives(exact):
    function = lambda x, at: x.at[at].get(mode="fill")  # noqa: E731
    recording = Recorder().record(function, np.zeros(3), np.zeros(2, int))
    np.testing.assert_array_equal(recording((), jnp.arange(3.0), jnp.array([1, 7])), [1.0, np.nan])


def test_indexing_by_positions_leaves_no_scatter_in_the_derivative(exact):
    recorder = Recorder()
    recording = recorder.record(FUNCTIONS["positions"], np.zeros(3))
    gradient = jax.jit(jax.grad(lambda x: recording(recorder.arguments, x)))
    assert "scatter" not in gradient.lower(np.zeros(3)).as_text()
    assert "scatter" in jax.jit(jax.grad(FUNCTIONS["positions"])).lower(np.zeros(3)).as_text()
