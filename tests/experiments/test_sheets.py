"""The sheets of crops: what they show, and that the committed ones are small."""

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("av", reason="the extra 'video' is not installed")

from experiments import sheets  # noqa: E402
from tests.support.commands import command_of  # noqa: E402
from tests.support.paths import ROOT  # noqa: E402

NETWORKS = {
    "clean": "residual3",
    "JPEG 50": "residual3-jpeg",
    "H.264 CRF 28": "residual3-video",
}


@pytest.fixture
def ways(monkeypatch):
    """Replaces every way by one that changes nothing; returns the names that were asked for."""
    asked = []
    monkeypatch.setattr(sheets, "way_of", lambda name: asked.append(name) or (lambda image: image))
    return asked


@pytest.mark.parametrize("detail", [*sheets.DETAILS, sheets.README_DETAIL])
def test_every_detail_is_inside_its_image(detail):
    height, width = sheets.read(detail.file).shape[:2]
    size = sheets.README_SIZE if detail is sheets.README_DETAIL else sheets.SIZE
    assert detail.top + size[0] <= height and detail.left + size[1] <= width


@pytest.mark.parametrize("sheet", sheets.SHEETS, ids=lambda sheet: sheet.title)
def test_views_show_the_same_in_the_state_of_the_sheet(sheet, ways):
    original, source, network = sheets.row(sheets.DETAILS[2], sheets.SIZE, sheet, sheet.network)
    assert np.array_equal(original, source) == (sheet.title == "clean")
    np.testing.assert_array_equal(network, source)
    assert ways == [NETWORKS[sheet.title]]
    assert original.shape == (*sheets.SIZE, 3)
    assert np.corrcoef(source.ravel(), original.ravel())[0, 1] > 0.8


def test_the_unsharp_mask_sharpens():
    _, source, sharpened = sheets.row(
        sheets.DETAILS[2], sheets.SIZE, sheets.SHEETS[0], sheets.UNSHARP
    )
    gradients = [np.abs(np.diff(view.astype(int), axis=1)).mean() for view in (source, sharpened)]
    assert gradients[1] > 1.1 * gradients[0]


def test_the_command_writes_all(ways, tmp_path):
    code, printed, errors = command_of(sheets, f"--output={tmp_path}")
    assert code == 0, errors
    files = [sheet.file for sheet in sheets.SHEETS] + ["before_after.jpg"]
    assert printed.split() == [str(tmp_path / file) for file in files]
    sizes, committed = (
        [Image.open(folder / file).size for file in files] for folder in (tmp_path, ROOT / "docs")
    )
    np.testing.assert_allclose(sizes, committed, atol=1)  # Matplotlib 3.8 rounds to one pixel less


def test_mistakes(tmp_path):
    for flag, reason in (("--peer=none", "--peer=none: choose one of"), ("more", "unexpected")):
        code, _, errors = command_of(sheets, flag)
        assert code == 1 and reason in errors


@pytest.mark.parametrize("path", sorted((ROOT / "docs").glob("*.jpg")), ids=lambda path: path.name)
def test_committed_sheets_are_small(path):
    assert path.stat().st_size < 300_000
