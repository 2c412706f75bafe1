"""Ctrl-C in a blocking call: what was committed is returned or in the store, and nothing new is begun."""

import os
import signal
import threading
from dataclasses import dataclass, field

import numpy as np
import pytest

import exmc_actors as ex
from exmc_actors.runtime.executables import Executables
from tests.runtime.conftest import schools

SETTINGS = {"draws": 400, "tune": 100, "chains": 3, "cores": 2, "random_seed": 5, "progressbar": False}
PATIENCE = 60
# So few draws are nothing to rely on.
pytestmark = pytest.mark.filterwarnings("ignore::exmc_actors.errors.SamplingWarning")


@pytest.fixture(autouse=True)
def _heeding():
    """Let Ctrl-C interrupt, even where the tests run in a shell's background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press_ctrl_c():
    os.kill(os.getpid(), signal.SIGINT)


@dataclass
class Pressing:
    """Press Ctrl-C in the first block from ``transitions`` on, and count the blocks that begin after it."""

    transitions: int
    begun_after: int = 0
    _is_pressed: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def around(self, advance):
        def advanced(executables, chains, *rest):
            with self._lock:
                self.begun_after += self._is_pressed
                is_time = not self._is_pressed and any(
                    int(state.transitions) >= self.transitions for state, _ in chains
                )
                self._is_pressed |= is_time
            if is_time:
                press_ctrl_c()
            return advance(executables, chains, *rest)

        return advanced


@pytest.fixture
def pressing(monkeypatch):
    def press_at(transitions):
        pressing = Pressing(transitions)
        monkeypatch.setattr(Executables, "advance", pressing.around(Executables.advance))
        return pressing

    return press_at


def test_in_the_midst_of_compiling_it_is_raised_at_once_and_what_compiles_goes_on_for_the_next_run(
    monkeypatch,
):
    is_compiling, gate, compile_advance = threading.Event(), threading.Event(), Executables.compile_advance

    def held(executables, arguments):
        is_compiling.set()
        press_ctrl_c()
        assert gate.wait(PATIENCE)
        return compile_advance(executables, arguments)

    b = ex.Builder()
    b.rv("of_this_test_alone", ex.Normal(0.0, 1.0), shape=3)
    model = b.model()
    monkeypatch.setattr(Executables, "compile_advance", held)
    with pytest.raises(KeyboardInterrupt):
        ex.sample(model, **SETTINGS)
    assert is_compiling.is_set()
    assert not gate.is_set()
    gate.set()
    monkeypatch.undo()
    assert ex.sample(model, **SETTINGS)["posterior"].sizes["draw"] == SETTINGS["draws"]


def test_in_warmup_what_was_committed_is_in_the_store_and_goes_on_to_the_same_bits(
    pressing, tmp_path, monkeypatch
):
    whole = ex.sample(schools(), **SETTINGS, save_warmup=True)
    pressed = pressing(50)
    with pytest.raises(KeyboardInterrupt):
        ex.sample(schools(), **SETTINGS, store=tmp_path)
    assert pressed.begun_after <= SETTINGS["chains"]
    monkeypatch.undo()
    again = ex.resume(tmp_path, save_warmup=True, progressbar=False)
    for group in ("posterior", "warmup_posterior"):
        for name in ("mu", "tau", "theta"):
            np.testing.assert_array_equal(again[group][name], whole[group][name])


def test_in_sampling_what_was_committed_is_returned_and_marked_as_interrupted(pressing):
    whole = ex.sample(schools(), **SETTINGS | {"draws": 40_000})
    pressed = pressing(20_000)
    with pytest.warns(ex.SamplingWarning, match="interrupted: "):
        tree = ex.sample(schools(), **SETTINGS | {"draws": 40_000})
    assert pressed.begun_after <= SETTINGS["chains"]
    assert tree.attrs["interrupted"] == 1
    kept = tree["posterior"].sizes["draw"]
    assert 0 < kept < 40_000
    np.testing.assert_array_equal(tree["posterior"]["mu"], whole["posterior"]["mu"][:, :kept])
