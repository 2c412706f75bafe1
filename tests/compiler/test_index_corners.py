"""Indexing where there is nothing, or only one number, to index by."""

import numpy as np

import exmc_actors as ex


def three():
    b = ex.Builder()
    return b, b.rv("theta", ex.Normal(0.0, 1.0), shape=3)


def test_a_scalar_input_chooses_an_entry():
    b, theta = three()
    b.det("chosen", theta[b.data("which", 2)])
    program = ex.compile(b.model())
    assert program.constrain([1.0, 2.0, 5.0])["chosen"] == 5.0
    assert program.with_data(which=0).constrain([1.0, 2.0, 5.0])["chosen"] == 1.0


def test_an_empty_index_chooses_nothing_and_has_a_gradient():
    b, theta = three()
    b.obs("y", ex.Normal(theta[np.zeros(0, int)], 1.0), np.zeros(0))
    value, gradient = ex.compile(b.model()).log_density_and_grad(np.ones(3))
    assert np.isfinite(value)
    np.testing.assert_allclose(gradient, -1.0)
