"""The notebook docs/tutorial.ipynb, run with small numbers."""

import pathlib
import re

import pytest

from tools import site_pages

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")

NOTEBOOK = pathlib.Path(__file__).parents[2] / "docs" / "tutorial.ipynb"
SMALL = {
    "STEPS = 300": "STEPS = 2",
    "FINE_TUNING_STEPS = 150": "FINE_TUNING_STEPS = 1",
    "NUM_SHAPES = 1000": "NUM_SHAPES = 40",
    "in range(60)": "in range(3)",
    "batch_size=16": "batch_size=4",
    "epochs=3": "epochs=1",
    "steps_per_epoch=10": "steps_per_epoch=1",
}


def outputs(notebook):
    """All outputs, among them pictures and no errors."""
    found = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert sum("image/png" in output.get("data", {}) for output in found) >= 4
    assert not any(output.output_type == "error" for output in found)
    return found


def test_stored_outputs_are_small_and_without_errors():
    assert outputs(nbformat.read(NOTEBOOK, as_version=4))
    assert NOTEBOOK.stat().st_size < 600_000
    assert not re.search(r"/(home|root|work)/", NOTEBOOK.read_text())  # of somebody's machine


def test_colab_opens_it_and_installs_the_package_from_our_repository():
    text, repository = NOTEBOOK.read_text(), site_pages.repository()
    opened = repository.replace("github.com", "colab.research.google.com/github")
    assert f"]({opened}/blob/main/docs/{NOTEBOOK.name})" in text
    assert f'SOURCE = \\"git+{repository}\\"' in text


@pytest.mark.slow
def test_notebook_runs():
    text = NOTEBOOK.read_text()
    for long, short in SMALL.items():
        assert text.count(long) == 1, long
        text = text.replace(long, short)
    notebook = nbformat.reads(text, as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3")
    client.execute(cwd=str(NOTEBOOK.parent))
    said = "\n".join(output.get("text", "") for output in outputs(notebook))
    assert "mean_hull" in said and "Traceback" not in said
