"""Fig. 5: crops of six photographs through the stages, each pixel enlarged, so that one sees what the figures speak of.

The paper shows crops of 64 x 64 of five photographs, original and HR_1 to HR_4, and finds the texture clearer from stage to
stage and little difference between HR_3 and HR_4::

    python -m experiments.figure5 --data=../shared/photos/train --validation=../shared/photos/valid \\
        --crops=valid_006.jpg:1056:440,valid_008.jpg:400:490,valid_015.jpg:140:320,valid_004.png:1470:640,valid_022.jpg:600:760,valid_024.jpg:540:420

``--crops`` names pictures and the upper left corners of their crops; without it, six pictures spread over the set and the place
in each where the mean gradient is largest. The Markdown page gives the source and the licence of each picture from the
folder's ``MANIFEST.csv`` if it has one. Costs the anchored run of ``eight_stages`` and seconds.

What came out: most of it happens in the first two stages; HR_3, HR_4 and HR_8 are hard to tell apart, as the paper says. Print,
cracks and fur gain contrast pixel by pixel (mean gradient x1.1 to x1.9); bold letters get a lighter rim, a pixel wide.
"""

import csv
import pathlib

import numpy as np
from absl import flags
from matplotlib.figure import Figure

from experiments import eight_stages, results, runs
from experiments.eight_stages import Run
from rts_tf.errors import ConfigError

FLAGS = runs.experiment_flags()
flags.DEFINE_list(
    "crops", [], "NAME:ROW:COLUMN of the crops; empty: chosen by their gradient.", flag_values=FLAGS
)

CROP, ENLARGED = 64, 3  # pixels as in the paper, and times
PICTURES, IN_A_FIGURE = 6, 3
STAGES = (0, 1, 2, 3, 4, 8)  # those shown, of those that there are
AROUND = 64  # pixels about a crop, more than network, d() and anchor see together
GAP, TITLE = 6, 26  # pixels


def places(run: Run, wanted: list[str]) -> dict[str, tuple[int, int]]:
    """Row and column of the upper left corner of each crop, by the picture's name.

    Raises:
        ConfigError: one of ``wanted`` is not NAME:ROW:COLUMN, or not in the pictures.
    """
    from rts_tf.training.validation import most_detailed

    sizes = {name: hr_0.shape[:2] for name, hr_0 in run.originals()}
    if not wanted:
        names = list(sizes)
        chosen = {
            names[round(i)] for i in np.linspace(0, len(names) - 1, min(PICTURES, len(names)))
        }
        windows = {
            name: most_detailed(hr_0, CROP, CROP)
            for name, hr_0 in run.originals()
            if name in chosen
        }
        return {
            name: (int(rows.start), int(columns.start)) for name, (rows, columns) in windows.items()
        }
    found = {}
    for crop in wanted:
        name, *corner = crop.rsplit(":", 2)
        if (
            len(corner) != 2
            or not all(number.isdecimal() for number in corner)
            or name not in sizes
        ):
            raise ConfigError(
                f"--crops={crop}: is NAME:ROW:COLUMN of one of the {len(sizes)} validation pictures."
            )
        row, column = map(int, corner)
        if row + CROP > sizes[name][0] or column + CROP > sizes[name][1]:
            raise ConfigError(
                f"--crops={crop}: leaves the picture, which has {sizes[name][1]}x{sizes[name][0]} pixels."
            )
        found[name] = row, column
    return found


def strips(
    run: Run, crops: dict[str, tuple[int, int]], stages: list[int]
) -> dict[str, list[np.ndarray]]:
    """For each picture its crop at each of ``stages``, as people would see it: uint8 [CROP, CROP, 3]."""
    from rts_tf.images.dtypes import to_uint8
    from rts_tf.training.phase_b import anchored

    found = {}
    networks = {stage: run.network(stage) for stage in stages if stage}
    for name, hr_0 in run.originals():
        if name not in crops:
            continue
        row, column = crops[name]
        top, left = (
            max(0, corner - AROUND) // 4 * 4 for corner in (row, column)
        )  # the anchor works at quarter size
        y = hr_0[top : row + CROP + AROUND, left : column + CROP + AROUND]
        anchor = run.summary["config"]["anchor"]
        views = [
            anchored(networks[n].enhance(y)[None], y[None], anchor)[0] if n else y for n in stages
        ]
        inner = slice(row - top, row - top + CROP), slice(column - left, column - left + CROP)
        found[name] = [to_uint8(np.asarray(view)[inner]) for view in views]
    return {name: found[name] for name in crops}


def figure(rows: dict[str, list[np.ndarray]], stages: list[int]) -> Figure:
    """A row a picture, a column a stage; every pixel ENLARGED x ENLARGED, none in between."""
    side = CROP * ENLARGED
    width, height = len(stages) * (side + GAP) - GAP, len(rows) * (side + GAP) - GAP + TITLE
    drawing = Figure(figsize=(width / results.DPI, height / results.DPI), dpi=results.DPI)
    for j, stage in enumerate(stages):
        x = j * (side + GAP)
        drawing.text(
            (x + side / 2) / width,
            1 - TITLE / 2 / height,
            f"HR{stage}" if stage else "HR0, the original",
            ha="center",
            va="center",
            fontsize=10,
        )
        for i, crops in enumerate(reversed(rows.values())):  # from below
            drawing.figimage(
                crops[j].repeat(ENLARGED, axis=0).repeat(ENLARGED, axis=1), x, i * (side + GAP)
            )
    return drawing


def credits(folder: str, names: list[str]) -> dict[str, str]:
    """What the folder's MANIFEST.csv says of each picture's source and licence."""
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


def markdown(result: dict, figures: list[str]) -> str:
    rows = [
        [name, f"{row}, {column}", f"{result['gain'][name]:.2f}", result["credits"].get(name, "")]
        for name, (row, column) in result["crops"].items()
    ]
    stages = ", ".join(f"HR{stage}" for stage in result["stages"])
    pictures = "\n".join(f"![Fig. 5](figure5_{name}.png)" for name in figures)
    return (
        "# Fig. 5: crops through the stages\n\n"
        + eight_stages.heading(result)
        + f"{CROP} x {CROP} pixels of each photograph at {stages}, anchor `low`, every pixel {ENLARGED} x {ENLARGED}.\n\n"
        + pictures
        + "\n\n"
        + results.table(
            ["picture, in this order", "row, column", "gradient x", "source; licence"], rows
        )
        + f"\nGradient: factor on the mean gradient of the crop at HR{result['stages'][-1]}. Altered versions: the"
        " photographs were made smaller, cropped and enhanced.\n"
    )


def gradient(crop: np.ndarray) -> float:
    """Mean of the absolute differences of neighbours, in levels."""
    return float(
        np.mean([np.abs(np.diff(crop.astype(float), axis=axis)).mean() for axis in (0, 1)])
    )


def experiment() -> None:
    found = eight_stages.trained(FLAGS, ["low"])
    run = found["low"]
    stages = [stage for stage in STAGES if stage <= len(run.stages)]
    crops = places(run, FLAGS.crops)
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
