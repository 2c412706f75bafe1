"""What a result needs is loaded ahead of it, in a thread that delays nobody but who is interrupted."""

import signal
import subprocess
import sys
import threading

import pytest

from exmc_actors import ahead as module
from exmc_actors.ahead import Ahead


@pytest.fixture
def loads(monkeypatch):
    """Note what is loaded, in the place of loading."""
    seen = []
    monkeypatch.setattr(module, "load_libraries", lambda: seen.append(None))
    return seen


def test_it_loads_when_it_is_told_to(loads):
    Ahead().load()
    assert len(loads) == 1


def test_nothing_is_loaded_once_the_call_has_ended(loads):
    ahead = Ahead()
    ahead.end()
    ahead.load()
    assert loads == []


def test_the_end_waits_for_what_is_being_loaded(monkeypatch):
    ahead, begun, may_end, seen = Ahead(), threading.Event(), threading.Event(), []

    def load():
        begun.set()
        may_end.wait(60.0)
        seen.append("loaded")

    def end():
        ahead.end()
        seen.append("ended")

    monkeypatch.setattr(module, "load_libraries", load)
    threads = [threading.Thread(target=one) for one in (ahead.load, end)]
    threads[0].start()
    assert begun.wait(60.0)
    threads[1].start()
    may_end.set()
    for thread in threads:
        thread.join()
    assert seen == ["loaded", "ended"]


@pytest.mark.parametrize("error", [ImportError, ValueError, AttributeError])
def test_what_cannot_be_loaded_is_left_to_who_needs_it(monkeypatch, error):
    def fail():
        raise error

    monkeypatch.setattr(module, "load_libraries", fail)
    Ahead().load()


def test_ctrl_c_while_it_loads_ends_the_process_by_that_signal():
    code = """
import signal, time
import exmc_actors as ex
import exmc_actors.ahead

def load():
    print("loading", flush=True)
    until = time.monotonic() + 1.0
    while time.monotonic() < until:  # as imports do, each of which makes Python forget a Ctrl-C
        exec("1 + 1")

exmc_actors.ahead.load_libraries = load
signal.signal(signal.SIGINT, signal.default_int_handler)
builder = ex.Builder()
builder.rv("x", ex.Normal(0.0, 1.0))
ex.sample(builder.model(), draws=10, chains=1, tune=10, random_seed=1, progressbar=False)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "loading\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert errors.splitlines()[-1] == "KeyboardInterrupt"
    assert process.returncode == -signal.SIGINT
