"""The executables of a program are traced in turn and compiled beside each other; nobody idles meanwhile."""

import threading

import pytest

import exmc_actors as ex
from exmc_actors.runtime import executables
from exmc_actors.runtime.executables import Executables
from tests.runtime.conftest import schools


@pytest.fixture
def traced(monkeypatch):
    """Note the name of every function that is traced."""
    names, lower = [], executables.lower

    def noted(function, *example):
        names.append(function.__name__)
        return lower(function, *example)

    monkeypatch.setattr(executables, "lower", noted)
    return names


@pytest.fixture
def fresh():
    """Return executables of which none is made, and the arguments of a call."""
    program = ex.compile(schools())
    made = Executables(program, 10, ex.Nuts(), None)
    return made, made.put(program.arguments)


def test_what_takes_longest_to_compile_is_traced_first(fresh, traced):
    made, arguments = fresh
    made.compile(arguments)
    assert traced == ["advance", "start"]
    assert made.are_compiled


@pytest.fixture
def held(fresh, monkeypatch):
    """Compile nothing until it is let go of; return what tells of both."""
    made, _ = fresh
    begun, may_end = threading.Semaphore(0), threading.Event()

    def compiled(traced, compiled=made._compiled):
        begun.release()
        assert may_end.wait(60.0)
        return compiled(traced)

    for once in (made._advance, made._start):
        monkeypatch.setattr(once, "_compiled", compiled)
    return begun, may_end


def test_what_is_done_meanwhile_is_done_when_all_is_traced_and_while_it_is_compiled(fresh, traced, held):
    (made, arguments), (begun, may_end), seen = fresh, held, []

    def meanwhile():
        assert begun.acquire(timeout=60.0)
        assert begun.acquire(timeout=60.0)
        seen.extend(traced)
        assert not made.are_compiled
        may_end.set()

    made.compile(arguments, meanwhile)
    assert seen == ["advance", "start"]
    assert made.are_compiled


def test_who_comes_later_does_not_wait_with_what_is_to_be_done_meanwhile(fresh, traced, held):
    (made, arguments), (begun, may_end), is_done = fresh, held, threading.Event()
    first = threading.Thread(target=made.compile, args=(arguments,))
    first.start()
    assert begun.acquire(timeout=60.0)
    assert begun.acquire(timeout=60.0)
    second = threading.Thread(target=made.compile, args=(arguments, is_done.set))
    second.start()
    assert is_done.wait(60.0)
    assert not made.are_compiled
    may_end.set()
    first.join()
    second.join()
    assert traced == ["advance", "start"]


def test_what_fails_meanwhile_is_heard_when_all_is_compiled(fresh):
    made, arguments = fresh
    with pytest.raises(ZeroDivisionError):
        made.compile(arguments, lambda: 1 / 0)
    assert made.are_compiled


def test_what_fails_to_compile_is_heard_whatever_fails_meanwhile(fresh, monkeypatch):
    made, arguments = fresh

    def refused(traced):
        raise MemoryError

    monkeypatch.setattr(made._advance, "_compiled", refused)
    with pytest.raises(MemoryError):
        made.compile(arguments, lambda: 1 / 0)
