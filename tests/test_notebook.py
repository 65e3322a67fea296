"""The notebook of a Keras user runs from top to bottom."""

import pytest

from tests.support.paths import ROOT

nbclient = pytest.importorskip("nbclient", reason="the extra 'test' is not installed")
nbformat = pytest.importorskip("nbformat", reason="the extra 'test' is not installed")
pytest.importorskip("ipykernel", reason="the extra 'test' is not installed")

NOTEBOOK = ROOT / "notebooks" / "tour.ipynb"


def printed(notebook, cell_id: str) -> str:
    """What the cell of that id printed."""
    (cell,) = (cell for cell in notebook.cells if cell["id"] == cell_id)
    return "".join(output.get("text", "") for output in cell["outputs"])


def test_the_tour_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    where = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=300, resources=where).execute()
    assert printed(notebook, "load") == "(240, 300, 3) -> (240, 300, 3) uint8\n"
    assert printed(notebook, "train").count("differs from HR_0 by") == 3
    losses = [float(loss) for loss in printed(notebook, "tune").split()[1:]]
    assert losses == sorted(losses, reverse=True)
    assert "enhance_float32.tflite" in printed(notebook, "export")
    *_, difference, _ = printed(notebook, "device").split()
    assert float(difference) < 1


def test_the_notebook_is_committed_without_outputs():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    for cell in notebook.cells:
        assert cell.cell_type == "markdown" or (not cell.outputs and cell.execution_count is None)
