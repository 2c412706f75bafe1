"""Run every test as a host application would: JAX's global 64-bit mode off, and still off afterwards."""

import threading

import jax
import pytest
from hypothesis import settings

from exmc_actors.compiler.functions import functions_of
from exmc_actors.xla import precise, prepare
from tests import correctness_report

# Before any test makes a backend: loops fold only in a process where this came first.
prepare()

# The same examples in every run, and no limit on one example's time: compiling takes what it takes.
settings.register_profile("project", deadline=None, derandomize=True)
settings.load_profile("project")


def pytest_configure(config):
    # Not by `pytest_plugins`, which pytest takes only from a conftest beside its configuration.
    config.pluginmanager.register(correctness_report)


@pytest.fixture(autouse=True)
def _host_settings_stay():
    assert not jax.config.jax_enable_x64
    yield
    assert not jax.config.jax_enable_x64


@pytest.fixture(autouse=True, scope="module")
def _compiled_programs_go():
    """Let go of what a file has compiled: a thousand programs of native code fill the memory of a machine."""
    yield
    functions_of.cache_clear()
    jax.clear_caches()


@pytest.fixture
def no_thread_is_left():
    """Hold a test to ending every thread of the library's that it began."""
    before = {thread.name for thread in threading.enumerate()}
    yield
    left = {thread.name for thread in threading.enumerate()} - before
    assert not [name for name in left if name.startswith("exmc_actors")]


@pytest.fixture
def exact():
    """Open the library's own numerical context for tests of pure array code."""
    with precise():
        yield
