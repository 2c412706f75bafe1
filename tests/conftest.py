"""Run every test as a host application would: JAX's global 64-bit mode off, and still off afterwards."""

import jax
import pytest

from exmc_actors.xla import precise


@pytest.fixture(autouse=True)
def _host_settings_stay():
    assert not jax.config.jax_enable_x64
    yield
    assert not jax.config.jax_enable_x64


@pytest.fixture
def exact():
    """Open the library's own numerical context for tests of pure array code."""
    with precise():
        yield
