"""The example of a notebook runs from its first cell to its last in a real kernel."""

from pathlib import Path

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


def test_the_notebook_is_kept_without_its_outputs():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(cell.outputs for cell in notebook.cells if cell.cell_type == "code")
