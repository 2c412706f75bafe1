"""Unreachable cycles are looked for after what makes much that stays, as the host has it."""

import gc
import importlib
import math

import jax
import pytest

import exmc_actors as ex
from exmc_actors.garbage import collected_later
from exmc_actors.tracing import lower


def test_nothing_is_collected_until_the_end_whatever_it_is():
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError), collected_later():
        assert gc.isenabled() or 1 / 0
    assert gc.isenabled()


def test_the_end_of_one_within_another_ends_nothing():
    with collected_later():
        with collected_later():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_host_that_never_collects_goes_on_so():
    gc.disable()
    try:
        with collected_later():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_nothing_is_collected_while_a_model_is_traced_or_a_part_of_the_library_is_loaded(monkeypatch):
    seen = []
    lower(jax.jit(lambda x: seen.append(gc.isenabled()) or x), 1.0)
    monkeypatch.setattr(importlib, "import_module", lambda name: seen.append(gc.isenabled()) or math)
    monkeypatch.setitem(ex._MODULE_OF, "tau", "math")
    assert ex.tau == math.tau
    assert seen == [False, False]
    assert gc.isenabled()
