"""table3 with --quick, and the 4 x 2 split. VIQET is replaced: it has tests of its own."""

import json
import pathlib

import numpy as np
import pytest
from PIL import Image

from experiments import split, table3
from rts_tf.errors import ConfigError
from rts_tf.metrics import baseline, viqet
from rts_tf.training import mos_validation
from tests.support.commands import set_flags
from tests.support.fake_viqet import fake_measure


@pytest.fixture(scope="module")
def table(small_photographs, photograph, tmp_path_factory):
    """The folder of the results, and the run."""
    root = tmp_path_factory.mktemp("table3")
    (root / "valid").mkdir()
    Image.fromarray(photograph[60:160, 120:250]).save(root / "valid" / "cat.png")
    Image.fromarray(photograph[:64, :64]).save(root / "valid" / "small.png")
    flags = {
        "data": str(small_photographs),
        "validation": str(root / "valid"),
        "runs": str(root / "runs"),
        "quick": True,
        "output": str(root / "results"),
        "training_pictures": 3,
        "pictures": 1,
        "split": ["residual1"],
    }
    with pytest.MonkeyPatch.context() as patch, set_flags(table3.FLAGS, **flags):
        for module in (mos_validation, baseline, viqet):
            patch.setattr(module, "measure", fake_measure)
        table3.experiment()
    return root / "results", root / "runs" / "table3_residual1"


def test_the_table_says_what_the_run_says(table):
    folder, run = table
    result, page = (
        json.loads((folder / "table3.json").read_text()),
        (folder / "table3.md").read_text(),
    )
    summary = json.loads((run / "summary.json").read_text())
    network = result["networks"]["residual1"]
    assert network["mos"][1:] == [stage["mos_raw"] for stage in summary["stages"]]
    assert len(network["mos"]) == 4
    assert network["mos"][0] == summary["originals"]["hr_0"]["mos_raw"]
    assert network["rises"] == (network["mos"][2] > network["mos"][1] > network["mos"][0])
    assert network["macs_per_pixel"] == 40_644 and network["images"]["training_images"] == 3
    assert network["costs"][2]["clipped_percent"] == summary["stages"][2]["clipped_percent"]
    assert "| residual1 | 40,787 | 40,644 |" in page and "Not there: residual3, residual6" in page
    assert (folder / "table3_mos.png").stat().st_size > 10_000
    assert str(folder.parent) not in (page + json.dumps(result)).replace(result["command"], "")


def test_the_smallest_images_are_taken(table, small_photographs):
    """To measure, the smallest of at least a megapixel; where none has one, the smallest of all."""
    folder = next((table[1].parent).glob("table3_photographs_*"))
    assert [p.name for p in sorted((folder / "validation").iterdir())] == ["000_small.png"]
    areas = sorted(np.prod(Image.open(path).size) for path in small_photographs.iterdir())[:3]
    assert [np.prod(Image.open(p).size) for p in sorted((folder / "data").iterdir())] == areas


def test_the_split_differs_beside_the_cuts_alone(table):
    measured = json.loads((table[0] / "table3.json").read_text())["split"]["residual1"]
    assert len(measured["stages"]) == 3
    for stage in measured["stages"]:
        assert 0 < stage["seam_levels"] < stage["most_levels"] and stage["cut"] != stage["alone"]


def test_eighths(photograph):
    parts = split.eighths(photograph)
    assert len(parts) == 8 and sum(part.size for part in parts) == photograph.size
    np.testing.assert_array_equal(split.joined(parts), photograph)
    height, width = photograph.shape[:2]
    near = split.beside_cuts(height, width)
    assert near[150].all() and near[:, 113].all() and not near[0, 0]
    assert near[:, [0, -1]].sum() == 2 * 16


def test_mistakes(tmp_path):
    for flags, error in (
        ({"networks": ["vgg"]}, "choose from"),
        ({"split": ["edsr"], "networks": ["srcnn"]}, "not among"),
        ({"pictures": 0}, "at least 1"),
    ):
        own = {"output": str(tmp_path), "runs": str(tmp_path)}
        with set_flags(table3.FLAGS, **own, **flags), pytest.raises(ConfigError, match=error):
            table3.experiment()
    assert not list(pathlib.Path(tmp_path).iterdir())
