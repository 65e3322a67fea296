"""Fig. 5: crops of six images through the stages, enlarged pixel by pixel, to see what changes.

The paper shows crops of 64 x 64 of five images, the original and HR_1 to HR_4. It finds that the
texture becomes clearer from stage to stage, and little difference between HR_3 and HR_4::

    python -m experiments.figure5 --data=../shared/photos/train --validation=../shared/photos/valid

``--crops`` names images and the upper left corners of their crops. Without it, the crops are taken
from six images spread over the set, where the mean gradient of each is largest. The committed
figures have ``--crops=valid_006.jpg:1056:440,valid_008.jpg:400:490,valid_015.jpg:140:320,``
``valid_004.png:1470:640,valid_022.jpg:600:760,valid_024.jpg:540:420``. The Markdown page names the
source and the licence of each image if the folder has a ``MANIFEST.csv``. Costs the anchored run of
``eight_stages`` and seconds.

What came out: most of the change happens in the first two stages; HR_3, HR_4 and HR_8 are hard to
tell apart, as the paper says. Print, cracks and fur gain contrast pixel by pixel (mean gradient
x1.1 to x1.9); bold letters get a lighter rim, one pixel wide.
"""

import csv
import pathlib
from typing import Any

import numpy as np
from absl import flags
from matplotlib.figure import Figure

from experiments import eight_stages, results, runs
from experiments.crop_grid import crop_grid
from experiments.eight_stages import Run
from rts_tf.errors import ConfigError

FLAGS = runs.experiment_flags()
flags.DEFINE_list(
    "crops", [], "NAME:ROW:COLUMN of the crops; empty: chosen by their gradient.", flag_values=FLAGS
)

CROP, ENLARGED = 64, 3  # pixels, as in the paper, and how much larger each is drawn
IMAGES, IN_A_FIGURE = 6, 3
STAGES = (0, 1, 2, 3, 4, 8)  # to show, as far as the run has them
AROUND = 64  # pixels around a crop, more than the receptive radius of network, d() and anchor


def positions(run: Run, wanted: list[str]) -> dict[str, tuple[int, int]]:
    """Return row and column of the upper left corner of each crop, by the name of the image.

    Args:
        run: The run whose validation images are shown.
        wanted: NAME:ROW:COLUMN of each crop; empty: chosen by their gradient.

    Raises:
        ConfigError: One of ``wanted`` is not NAME:ROW:COLUMN, or not inside an image.
    """
    if not wanted:
        return _most_detailed(run)
    sizes = {name: hr_0.shape[:2] for name, hr_0 in run.originals()}
    found = {}
    for crop in wanted:
        name, *corner = crop.rsplit(":", 2)
        numbers = len(corner) == 2 and all(number.isdecimal() for number in corner)
        if not numbers or name not in sizes:
            raise ConfigError(
                f"--crops={crop}: must be NAME:ROW:COLUMN of one of the {len(sizes)} validation"
                " images."
            )
        row, column = map(int, corner)
        height, width = sizes[name]
        if row + CROP > height or column + CROP > width:
            raise ConfigError(
                f"--crops={crop}: leaves the image, which has {width}x{height} pixels."
            )
        found[name] = row, column
    return found


def _most_detailed(run: Run) -> dict[str, tuple[int, int]]:
    """The crop with the largest gradient of each of IMAGES images, spread over the set."""
    from rts_tf.training.crops import most_detailed

    names = [name for name, _ in run.originals()]
    chosen = {names[round(i)] for i in np.linspace(0, len(names) - 1, min(IMAGES, len(names)))}
    windows = {
        name: most_detailed(hr_0, CROP, CROP) for name, hr_0 in run.originals() if name in chosen
    }
    return {
        name: (int(rows.start), int(columns.start)) for name, (rows, columns) in windows.items()
    }


def strips(
    run: Run, crops: dict[str, tuple[int, int]], stages: list[int]
) -> dict[str, list[np.ndarray]]:
    """Make the crop of each image at each of ``stages``, uint8 [CROP, CROP, 3]."""
    from rts_tf.images.dtypes import to_uint8
    from rts_tf.training.anchors import anchored

    found = {}
    anchor = run.summary["config"]["anchor"]
    networks = {stage: run.network(stage) for stage in stages if stage}
    for name, hr_0 in run.originals():
        if name not in crops:
            continue
        row, column = crops[name]
        # The anchor works at quarter size.
        top, left = (max(0, corner - AROUND) // 4 * 4 for corner in (row, column))
        y = hr_0[top : row + CROP + AROUND, left : column + CROP + AROUND]
        views = [
            anchored(networks[n].enhance(y)[None], y[None], anchor)[0] if n else y for n in stages
        ]
        inner = slice(row - top, row - top + CROP), slice(column - left, column - left + CROP)
        found[name] = [to_uint8(np.asarray(view)[inner]) for view in views]
    return {name: found[name] for name in crops}


def figure(rows: dict[str, list[np.ndarray]], stages: list[int]) -> Figure:
    """Draw a row for each image and a column for each stage."""
    titles = [f"HR{stage}" if stage else "HR0, the original" for stage in stages]
    return crop_grid(list(rows.values()), titles, ENLARGED)


def credits(folder: str, names: list[str]) -> dict[str, str]:
    """Return what ``MANIFEST.csv`` in ``folder`` says of each image's source and licence."""
    manifest = pathlib.Path(folder, "MANIFEST.csv")
    if not folder or not manifest.exists():
        return {}
    with open(manifest, encoding="utf-8", newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    return {
        n: f"{rows[n]['source_set']}, {rows[n]['source_file']}; {rows[n]['licence']}"
        for n in names
        if n in rows
    }


def markdown(result: dict[str, Any], figures: list[str]) -> str:
    """Return the page; ``figures`` are the names of the figures, in their order."""
    rows = [
        [name, f"{row}, {column}", f"{result['gain'][name]:.2f}", result["credits"].get(name, "")]
        for name, (row, column) in result["crops"].items()
    ]
    header = ["image, from above", "row, column", "gradient x", "source; licence"]
    stages = ", ".join(f"HR{stage}" for stage in result["stages"])
    shown = "\n".join(f"![Fig. 5](figure5_{name}.png)" for name in figures)
    return (
        f"# Fig. 5: crops through the stages\n\n{eight_stages.heading(result)}\n"
        f"{CROP} x {CROP} pixels of each image at {stages}, anchor `low`. Every pixel is drawn as"
        f" {ENLARGED} x {ENLARGED} pixels.\n\n{shown}\n\n{results.table(header, rows)}\n"
        f"Gradient is the factor on the mean gradient of the crop at HR{result['stages'][-1]}."
        " These are altered versions: the images were made smaller, cropped and enhanced.\n"
    )


def gradient(crop: np.ndarray) -> float:
    """Return the mean absolute difference of neighbouring pixels, in levels."""
    crop = crop.astype(float)
    return float(np.mean([np.abs(np.diff(crop, axis=axis)).mean() for axis in (0, 1)]))


def experiment() -> None:
    """Draw the crops, and write the results."""
    found = eight_stages.trained(FLAGS, ["low"])
    run = found["low"]
    stages = [stage for stage in STAGES if stage <= len(run.stages)]
    crops = positions(run, FLAGS.crops)
    shown = strips(run, crops, stages)
    names = list(shown)
    figures = {
        f"{i // IN_A_FIGURE + 1}": figure({n: shown[n] for n in names[i : i + IN_A_FIGURE]}, stages)
        for i in range(0, len(names), IN_A_FIGURE)
    }
    result = eight_stages.record(FLAGS, "figure5", found) | {
        "stages": stages,
        "crops": crops,
        "gain": {name: gradient(views[-1]) / gradient(views[0]) for name, views in shown.items()},
        "credits": credits(run.summary["config"]["validation"], names),
    }
    results.save(FLAGS.output, "figure5", result, markdown(result, list(figures)), figures)


if __name__ == "__main__":
    runs.start(FLAGS, experiment)
