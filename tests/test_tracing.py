"""Models are traced by turns, in which the host's threads have Python's lock often, and its settings stay."""

import os
import subprocess
import sys
import threading

import jax
import pytest

from exmc_actors import tracing
from exmc_actors.tracing import lower


def nobody_traces():
    """Return whether another thread would have its turn at once."""
    has_turn = []

    def ask():
        has_turn.append(tracing._turns.lock.acquire(blocking=False))
        if has_turn[0]:
            tracing._turns.lock.release()

    other = threading.Thread(target=ask)
    other.start()
    other.join()
    return has_turn[0]


def test_one_thread_of_the_process_traces_at_a_time():
    inside, most, second_is_in = [], [], threading.Event()

    def first(x):
        inside.append(None)
        other.start()
        second_is_in.wait(0.3)  # which ends this at once where both may trace
        most.append(len(inside))
        inside.pop()
        return x

    def second(x):
        inside.append(None)
        second_is_in.set()
        most.append(len(inside))
        inside.pop()
        return x

    other = threading.Thread(target=lower, args=(jax.jit(second), 1.0))
    lower(jax.jit(first), 1.0)
    other.join()
    assert most == [1, 1]


def test_what_is_traced_may_wait_for_another_thread_that_traces(monkeypatch):
    monkeypatch.setattr(tracing, "_TURN_WAITS", 0.1)

    def outer(x):
        other = threading.Thread(target=lower, args=(jax.jit(lambda x: x + 1.0), 1.0))
        other.start()
        other.join()
        return x

    before = sys.getswitchinterval()
    lower(jax.jit(outer), 1.0)
    assert sys.getswitchinterval() == before
    assert nobody_traces()


def test_what_is_traced_may_trace_within_its_turn():
    seen = []

    def outer(x):
        lower(jax.jit(lambda x: x + 1.0), 1.0)
        seen.append(nobody_traces())
        return x

    lower(jax.jit(outer), 1.0)
    assert seen == [False]
    assert nobody_traces()


@pytest.mark.parametrize("hosts", [0.005, 0.0033, 0.0002])
def test_turns_are_short_while_a_model_is_traced_and_the_hosts_own_again_afterwards(hosts):
    seen, before = [], sys.getswitchinterval()

    def traced(x):
        seen.append(sys.getswitchinterval())
        raise ZeroDivisionError

    try:
        sys.setswitchinterval(hosts)
        as_it_was = sys.getswitchinterval()
        with pytest.raises(ZeroDivisionError):
            lower(jax.jit(traced), 1.0)
        assert sys.getswitchinterval() == as_it_was
    finally:
        sys.setswitchinterval(before)
    assert seen == [pytest.approx(min(as_it_was, 0.001))]


def test_who_traces_within_or_beside_a_longer_trace_leaves_turns_short(monkeypatch):
    monkeypatch.setattr(tracing, "_TURN_WAITS", 0.1)
    seen = []

    def longer(x):
        lower(jax.jit(lambda x: x + 1.0), 1.0)
        beside = threading.Thread(target=lower, args=(jax.jit(lambda x: x + 2.0), 1.0))
        beside.start()
        beside.join()
        seen.append(sys.getswitchinterval())
        return x

    before = sys.getswitchinterval()
    lower(jax.jit(longer), 1.0)
    assert seen == [pytest.approx(0.001)]
    assert sys.getswitchinterval() == before


def test_a_switch_interval_that_the_host_sets_meanwhile_stays():
    before = sys.getswitchinterval()
    try:
        lower(jax.jit(lambda x: sys.setswitchinterval(0.02) or x), 1.0)
        assert sys.getswitchinterval() == pytest.approx(0.02)
    finally:
        sys.setswitchinterval(before)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a system without fork")
def test_who_is_forked_while_a_model_is_traced_traces_at_once_and_has_the_hosts_settings():
    code = """
import gc, os, sys, threading
import jax
from exmc_actors import tracing

begun, may_end = threading.Event(), threading.Event()

def traced(x):
    begun.set()
    may_end.wait(60.0)
    return x

before = sys.getswitchinterval(), gc.get_threshold()
other = threading.Thread(target=tracing.lower, args=(jax.jit(traced), 1.0))
other.start()
begun.wait(60.0)
child = os.fork()
if child == 0:
    is_free = tracing._turns.lock.acquire(blocking=False)
    os._exit(0 if is_free and (sys.getswitchinterval(), gc.get_threshold()) == before else 1)
_, status = os.waitpid(child, 0)
may_end.set()
other.join()
print(status, (sys.getswitchinterval(), gc.get_threshold()) == before)
"""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == ["0", "True"]
