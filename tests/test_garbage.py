"""Searches of the whole process for unreachable cycles wait for what makes much that stays."""

import gc
import importlib
import math
import subprocess
import sys
import threading

import pytest

import exmc_actors as ex
from exmc_actors import garbage
from exmc_actors.garbage import _Postponement, collected_later


@pytest.fixture(autouse=True)
def postponement(monkeypatch):
    """Return one that no thread of another test's uses, and leave the process's thresholds as they are."""
    before, fresh = gc.get_threshold(), _Postponement()
    gc.set_threshold(500, 7, 9)
    monkeypatch.setattr(garbage, "_postponement", fresh)
    yield fresh
    gc.set_threshold(*before)


def searches_all():
    return gc.get_threshold()[2] < 1000


def test_all_is_not_searched_until_the_end_whatever_that_is():
    def fail():
        with collected_later():
            assert not searches_all()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert gc.get_threshold() == (500, 7, 9)


def test_what_is_young_is_collected_as_ever():
    with collected_later():
        assert gc.get_threshold()[:2] == (500, 7)
        assert gc.isenabled()


def test_the_end_of_one_of_two_ends_nothing():
    may_end, is_in = threading.Event(), threading.Event()

    def first():
        with collected_later():
            is_in.set()
            may_end.wait(60.0)

    other = threading.Thread(target=first)
    other.start()
    is_in.wait(60.0)
    with collected_later():
        may_end.set()
        other.join()
        assert not searches_all()
    assert gc.get_threshold() == (500, 7, 9)


def test_thresholds_that_the_host_sets_meanwhile_stay():
    with collected_later():
        gc.set_threshold(900, 9, 9)
    assert gc.get_threshold() == (900, 9, 9)


def test_who_is_forked_meanwhile_searches_as_the_host_did(postponement):
    with collected_later():
        postponement.begin_anew()  # as in the child
        assert gc.get_threshold() == (500, 7, 9)
        with collected_later():
            assert not searches_all()
        assert gc.get_threshold() == (500, 7, 9)
    assert gc.get_threshold() == (500, 7, 9)


def test_a_host_that_never_collects_goes_on_so():
    gc.disable()
    try:
        with collected_later():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_all_is_not_searched_while_a_part_of_the_library_is_loaded(monkeypatch):
    seen = []
    monkeypatch.setattr(importlib, "import_module", lambda name: seen.append(searches_all()) or math)
    monkeypatch.setitem(ex._MODULE_OF, "tau", "a part that is not loaded")
    assert ex.tau == math.tau
    assert seen == [False, True]


def test_a_part_that_is_loaded_changes_no_threshold(postponement, monkeypatch):
    monkeypatch.setattr(postponement, "begin", None)
    assert ex.Normal is ex.Normal


def test_all_is_not_searched_while_a_model_is_traced():
    code = """
import gc
import jax
from exmc_actors.tracing import lower
seen = []
lower(jax.jit(lambda x: seen.append(gc.get_threshold()) or x), 1.0)
print(seen[0][2] > 1000, gc.get_threshold()[2] < 1000)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["True", "True"]
