"""A cell shows one display, from any thread, as belonging to what the cell's own context says."""

import contextvars
import sys
import threading
import types

import pytest

from exmc_actors.cell import current_cell

WHICH = contextvars.ContextVar("which", default="no cell")


class ZMQInteractiveShell:
    """What a kernel's shell is called."""


class Kernel(ZMQInteractiveShell):
    """Some kernels have one of their own kind."""


class TerminalInteractiveShell:
    pass


@pytest.fixture
def shown(monkeypatch):
    """Stand in for IPython, and return what it was asked to show, with the context it was asked in."""
    calls = []

    def display(bundle, *, raw, display_id, update):
        assert raw
        calls.append((WHICH.get(), bundle, display_id, update))

    package, module = types.ModuleType("IPython"), types.ModuleType("IPython.display")
    package.get_ipython = Kernel
    module.display = display
    monkeypatch.setitem(sys.modules, "IPython", package)
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    return calls


def test_what_is_shown_later_takes_the_place_of_what_was_shown_before(shown):
    cell = current_cell()
    cell.show("<b>1</b>", "1")
    cell.show("<b>2</b>", "2")
    (_, first, name, is_update), (_, second, same_name, is_update_too) = shown
    assert first == {"text/html": "<b>1</b>", "text/plain": "1"}
    assert second == {"text/html": "<b>2</b>", "text/plain": "2"}
    assert name == same_name
    assert (is_update, is_update_too) == (False, True)


def test_two_cells_are_two_displays(shown):
    for _ in range(2):
        current_cell().show("", "")
    assert shown[0][2] != shown[1][2]


def test_another_thread_shows_in_the_cell_that_called(shown):
    WHICH.set("this cell")
    thread = threading.Thread(target=current_cell().show, args=("", ""))
    WHICH.set("the next cell")
    thread.start()
    thread.join()
    assert [which for which, *_ in shown] == ["this cell"]


@pytest.mark.parametrize("shell", [None, TerminalInteractiveShell()])
def test_a_terminal_has_no_cell(shown, monkeypatch, shell):
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: shell)
    assert current_cell() is None


def test_without_ipython_there_is_no_cell_and_it_is_not_imported(monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert current_cell() is None
    assert "IPython" not in sys.modules
