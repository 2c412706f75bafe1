"""Notebooks run in a real kernel: the example from its first cell to its last, and cells that show a run."""

from pathlib import Path
from textwrap import dedent

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[1] / "examples" / "08_notebook.ipynb"


def printed(cell):
    return "".join(output.text for output in cell.outputs if output.get("name") == "stdout")


def value(cell):
    (found,) = (output for output in cell.outputs if output.output_type == "execute_result")
    return found.data["text/plain"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_notebook_runs_and_shows_what_it_should():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    summary, watched, paused, kept = (
        cell for cell in notebook.cells if cell.cell_type == "code" and cell.outputs
    )
    assert "mu" in value(summary)
    assert printed(watched).startswith("80000 draws, mean 5.1")
    assert value(paused) == "'asked to'"
    assert printed(kept) == "kept some draws: True\n"


MODEL = """
import os, signal, warnings
import exmc_actors as ex
import exmc_actors.asyncio as exa
warnings.simplefilter("ignore", ex.SamplingWarning)
b = ex.Builder()
b.rv("mu", ex.Normal(0.0, 1.0))
model = b.model()
"""


def displays(source):
    """Run a cell after the model's, and return all its outputs."""
    cells = [nbformat.v4.new_code_cell(text) for text in (MODEL, dedent(source))]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return notebook.cells[1].outputs


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_cell_is_left_with_one_picture_of_each_run_in_it(tmp_path):
    # The front end drops whatever the kernel does not say to be this cell's.
    first, second = displays(
        f"""
        tree = ex.sample(model, draws=5000, random_seed=1, store="{tmp_path}/run")
        tree = ex.resume("{tmp_path}/run", draws=5100)
        """
    )
    assert (first.output_type, second.output_type) == ("display_data", "display_data")
    assert first.data["text/plain"].startswith("finished: 20000/20000 draws, 4 chains, 0 divergences")
    assert second.data["text/plain"].startswith("finished: 20400/20400 draws")
    assert "<b>Finished</b>" in first.data["text/html"]
    assert "Estimates of 20,000 draws." in first.data["text/html"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_interrupted_cell_is_left_with_the_picture_of_its_last_moment():
    (shown,) = displays(
        """
        from exmc_actors.cell import Cell

        show, seen = Cell.show, []

        def show_and_interrupt(self, html, text):
            show(self, html, text)
            if "Estimates of" in html and not seen:
                seen.append(text)
                os.kill(os.getpid(), signal.SIGINT)

        Cell.show = show_and_interrupt
        tree = ex.sample(model, draws=100_000_000, random_seed=1)
        """
    )
    assert shown.data["text/plain"].startswith("stopped: ")
    assert "Estimates of" in shown.data["text/html"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_run_behind_the_cells_is_the_value_of_a_cell():
    (shown,) = displays(
        """
        async with exa.open_run(model, draws=200, random_seed=1) as run:
            await run.result()
        run
        """
    )
    assert shown.output_type == "execute_result"
    assert "<b>Finished</b>" in shown.data["text/html"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_cell_that_asks_for_no_progress_shows_none():
    assert displays("tree = ex.sample(model, draws=200, random_seed=1, progressbar=False)") == []


def test_the_notebook_is_kept_without_its_outputs():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(cell.outputs for cell in notebook.cells if cell.cell_type == "code")
