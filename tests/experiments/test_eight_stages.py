"""table1, table2, alpha and figure5 with --quick, on the two runs that they share.

VIQET is replaced: it has tests of its own.
"""

import json

import numpy as np
import pytest
from PIL import Image

from experiments import alpha, figure5, table1, table2
from experiments.images import middle
from rts_tf.errors import ConfigError
from rts_tf.metrics import baseline
from rts_tf.metrics.difference import least_squares_factor
from rts_tf.training import mos_validation
from tests.support.commands import set_flags
from tests.support.fake_viqet import fake_measure

MANIFEST = "file,source_set,source_file,licence\ncat.png,Cats,chelsea.png,CC0 1.0\n"


@pytest.fixture(scope="module")
def results(small_photographs, photograph, tmp_path_factory):
    """The folder that the four wrote to, and by anchor the directory of each run."""
    root = tmp_path_factory.mktemp("eight")
    (root / "valid").mkdir()
    Image.fromarray(photograph[60:160, 120:250]).save(root / "valid" / "cat.png")
    (root / "valid" / "MANIFEST.csv").write_text(MANIFEST)
    flags = {
        "data": str(small_photographs),
        "validation": str(root / "valid"),
        "runs": str(root / "runs"),
        "output": str(root / "results"),
        "quick": True,
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mos_validation, "measure", fake_measure)
        patch.setattr(baseline, "measure", fake_measure)
        for experiment in (table1, table2, alpha, figure5):
            with set_flags(experiment.FLAGS, **flags):
                experiment.experiment()
    return root / "results", {
        anchor: root / "runs" / f"eight_stages_{anchor}" for anchor in ("low", "none")
    }


def read(results, name: str) -> tuple[dict, str, dict[str, dict]]:
    """The JSON and the Markdown of an experiment, and the summary of each run."""
    folder, directories = results
    page = (folder / f"{name}.md").read_text()
    summaries = {
        anchor: json.loads((path / "summary.json").read_text())
        for anchor, path in directories.items()
    }
    return json.loads((folder / f"{name}.json").read_text()), page, summaries


@pytest.mark.parametrize("name", ["table1", "table2", "alpha", "figure5"])
def test_results_do_not_say_where_they_lie(results, name):
    result, page, summaries = read(results, name)
    assert result["command"].startswith(f"python -m experiments.{name} --data=.")
    assert "--quick" in result["command"]
    assert result["settings"].keys() == ({"low"} if name == "figure5" else {"low", "none"})
    assert result["settings"]["low"]["anchor"] == "low" and len(summaries["low"]["stages"]) == 2
    assert result["images"] == {"training_images": 5, "validation_images": 1}
    assert str(results[0]) not in page + json.dumps(result)


def test_table_1(results):
    result, page, summaries = read(results, "table1")
    for anchor, stages in result["stages"].items():
        assert stages == [
            {key: row[key] for key in stages[0]} for row in summaries[anchor]["stages"]
        ]
    masks = result["unsharp_ratio_percent"]
    first = result["stages"]["low"][0]["difference_ratio_percent"]
    assert masks["repeated"] == pytest.approx(
        [row["unsharp_ratio_percent"] for row in summaries["low"]["stages"]]
    )
    assert masks["accumulated"] == pytest.approx([first, 2 * first], rel=1e-4)
    assert " | 1.35 | " in page and (results[0] / "table1_figure4.png").stat().st_size < 300_000
    assert table1.falls_until([3, 2, 1, 1.5]) == 3 and table1.falls_until([3, 2]) == 2


def none_alone(result: dict, *keys: str) -> dict:
    """``result`` as it would be with --anchors=none; ``keys`` hold something for each anchor."""
    return result | {key: {"none": result[key]["none"]} for key in ("settings", "seconds", *keys)}


def test_one_run_alone(results):
    with (
        set_flags(table1.FLAGS, anchors=["no"]),
        pytest.raises(ConfigError, match="--anchors=no: must be of low, none"),
    ):
        table1.experiment()
    alone = none_alone(read(results, "table1")[0], "stages")
    assert "anchor low" not in table1.markdown(alone) and len(table1.figure(alone).axes) == 3
    alone = none_alone(read(results, "table2")[0], "rows", "by_image")
    assert "anchor low" not in table2.markdown(alone) and len(table2.figure(alone).axes) == 6
    alone = none_alone(read(results, "alpha")[0], "alpha", "ratio_percent")
    assert "anchor low" not in alpha.markdown(alone) and len(alpha.figure(alone).axes) == 2


def test_table_2(results):
    result, page, summaries = read(results, "table2")
    rows, summary = result["rows"]["none"], summaries["none"]
    assert [row["name"] for row in rows] == ["LR, half size", "LR, JPEG", "HR0", "HR1", "HR2"]
    assert rows[1]["mos_raw"] == summary["originals"]["lr_jpeg"]["mos_raw"]
    assert rows[4]["mos_gain"] == pytest.approx(summary["stages"][1]["mos_gain"])
    assert rows[4]["unsharp_amount"] == summary["stages"][1]["unsharp_amount"]
    of_images = result["by_image"]["none"][1]  # one image
    assert of_images["least_gain"] == pytest.approx(rows[4]["mos_gain"])
    assert of_images["images"] == 1
    assert " / +0.203 |" in page and " / 1.63 |" in page
    assert (results[0] / "table2_figure6.png").exists()


def test_alpha(results):
    result, page, summaries = read(results, "alpha")
    for anchor, summary in summaries.items():
        measured = [alpha.summary(stage["eq. 12"])[0] for stage in result["alpha"][anchor]]
        assert measured == pytest.approx([row["alpha_mean"] for row in summary["stages"]], abs=2e-3)
    assert set(result["alpha"]["low"][1]) == set(alpha.DEFINITIONS)
    assert "| eq. 13, step |  |" in page
    assert alpha.predicted(0.5, 3) == [1, 1.5, 1.75]
    b = np.array([1.0, -2.0])
    assert least_squares_factor(0.3 * b + [0.2, 0.1], b) == pytest.approx(0.3)
    assert least_squares_factor(b, 0 * b) == 0


def test_figure_5(results):
    """The crops are those that the run kept; each of their pixels is three by three in the PNG."""
    folder, directories = results
    result, page, _ = read(results, "figure5")
    kept = [
        np.load(path)["strip cat.png"]
        for path in (
            directories["low"] / "originals.npz",
            *(directories["low"] / f"stage_{n}" / "crops.npz" for n in (1, 2)),
        )
    ]
    with Image.open(folder / "figure5_1.png") as image:
        drawn = np.asarray(image.convert("RGB"))[-192:].astype(int)
    for j, crop in enumerate(kept):
        enlarged = drawn[:, j * 198 : j * 198 + 192]
        assert np.abs(enlarged[1::3, 1::3] - crop).max() <= 1
        np.testing.assert_array_equal(enlarged[::3, ::3], enlarged[2::3, 2::3])
    assert "Cats, chelsea.png; CC0 1.0" in page and list(result["crops"]) == ["cat.png"]


@pytest.mark.parametrize("crop", ["cat.png", "dog.png:0:0", "cat.png:1:-2", "cat.png:37:0"])
def test_crops_that_are_not_there(results, crop):
    _, directories = results
    run = figure5.Run(directories["low"], {})
    assert figure5.positions(run, ["cat.png:36:66"]) == {"cat.png": (36, 66)}
    with pytest.raises(ConfigError, match=f"--crops={crop}: "):
        figure5.positions(run, [crop])


def test_middle():
    image = np.arange(7 * 4).reshape(7, 4, 1)
    np.testing.assert_array_equal(middle(image, 5), image[1:6])
    np.testing.assert_array_equal(middle(image, 2), image[2:4, 1:3])
