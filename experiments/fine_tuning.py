"""Fine-tunes residual3 on a few images, beside a training from nothing on the same images.

The paper does not fine-tune. People do, when their images are few or their time is short::

    python -m experiments.fine_tuning --data=../shared/photos/valid \\
        --validation=../shared/photos/valid_div2k_crops

The first ``--images`` images of ``--data`` train; the weights of the package have not been trained
on them. All runs have the preset ``quick`` with other numbers of steps: the same images,
degradation and seed. In the first table every figure is that of a run of one stage on the
originals, with a whole schedule of its own, so that a short run also ends at a low learning rate.

The second table says how much networks enhance: how far HR_n of the validation images is from HR_0.
It has the weights of the package themselves, a training from nothing, and trainings from the
weights, on the originals and on what the weights make of them (``first_targets``).

The thirteen runs took 23 minutes on one of two busy cores (bfloat16). What came out: 50 steps from
the weights are ahead of 1200 from nothing. On the originals stage 1 falls back to what a first
stage does to images, and the later stages bring the enhancement back. On enhanced targets one stage
does as much as three.

``--quick`` trains residual1 for a few steps.
"""

import pathlib
import shutil
from typing import Any

from absl import flags

from experiments import results, runs
from rts_tf.config import Config
from rts_tf.errors import ConfigError
from rts_tf.images.listing import listing

STEPS = (1200, 400, 200, 100, 50)  # of 8 patches of 96 x 96
SHORT, LATER_STEPS = 400, 200  # of the second table: a run from weights, and each later stage
FIT = ("validation_loss", "validation_psnr_db")
STARTS = {"nothing": "", "the weights": "init"}

FLAGS = runs.experiment_flags()
flags.DEFINE_integer("images", 20, "How many images of --data train.", flag_values=FLAGS)


def weights(own: flags.FlagValues) -> str:
    """Return the name of the weights that are fine-tuned."""
    return "residual1" if own.quick else "residual3"


def chosen_images(own: flags.FlagValues) -> str:
    """Copy the first ``--images`` images of ``--data`` to a folder beside the runs; return it.

    Raises:
        ConfigError: There are fewer.
    """
    root, folder = pathlib.Path(own.data), pathlib.Path(own.runs, "fine_tuning_images")
    names = listing(root).images[: own.images] if root.is_dir() else ()
    if len(names) < own.images:
        raise ConfigError(f"--data={own.data}: is not a folder with {own.images} images or more.")
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        shutil.copy(root / name, folder / name.replace("/", "_"))
    return str(folder.resolve())


def stages(own: flags.FlagValues, name: str, data: str, **settings: Any) -> list[dict[str, Any]]:
    """Return the metrics of the stages of a run, after training what is left of it."""
    base = {"network": weights(own), "data": data, "later_steps": LATER_STEPS, "patch": 96}
    base |= {"warmup": 30, "stop_early": False, "judge": "delta"}
    config: Config = runs.configuration(own, **(base | settings))
    return runs.summary(runs.trained(own, f"fine_tuning_{name}", config))["stages"]


def by_steps(own: flags.FlagValues, data: str) -> list[dict[str, Any]]:
    """Train one stage from nothing and from the weights, for each number of steps."""
    rows = []
    for steps in STEPS[:2] if own.quick else STEPS:
        row: dict[str, Any] = {"steps": steps}
        for start, kind in STARTS.items():
            settings = {"stages": 1, "first_steps": steps, "init": kind and weights(own)}
            (stage,) = stages(own, f"{kind or 'fresh'}_{steps}", data, **settings)
            row[start] = {key: stage[key] for key in FIT}
        rows.append(row)
    return rows


def by_targets(own: flags.FlagValues, data: str) -> dict[str, list[float]]:
    """Return by training the difference ratio of each of its stages in percent."""
    short = {"init": weights(own), "first_steps": SHORT}
    fresh = stages(own, "stages_fresh", data, stages=3, first_steps=STEPS[0])
    originals = stages(own, "stages_originals", data, stages=3, **short)
    enhanced = stages(own, "stages_enhanced", data, stages=2, first_targets="enhanced", **short)
    found = {
        "from nothing": fresh,
        "from the weights, originals": originals,
        "from the weights, enhanced": enhanced,
    }
    ratios = {name: [row["difference_ratio_percent"] for row in of] for name, of in found.items()}
    # The run itself measures the weights: its first delta is the difference to theirs.
    own_ratio = enhanced[0]["difference_ratio_percent"] - enhanced[0]["delta_percent"]
    return {"the weights as they are": [own_ratio]} | ratios


def untrained(own: flags.FlagValues) -> dict[str, float]:
    """Return what ``FIT`` is of the weights as they are."""
    import rts_tf
    from rts_tf.data.shards import open_set
    from rts_tf.training.fit_metrics import measure_fit

    run = pathlib.Path(own.runs, f"fine_tuning_init_{STEPS[0]}")
    return measure_fit(rts_tf.load(weights(own)), open_set(run / "source" / "validation"), None)


def needed(rows: list[dict[str, Any]]) -> int | None:
    """Return the fewest steps from the weights that reach the longest run from nothing, if any."""
    goal = max(rows, key=lambda row: row["steps"])["nothing"]["validation_loss"]
    reached = [row for row in rows if row["the weights"]["validation_loss"] <= goal]
    return min((row["steps"] for row in reached), default=None)


def markdown(record: dict[str, Any]) -> str:
    """Return the page of a record."""
    rows, network = record["by_steps"], record["weights"]
    most, least = max(row["steps"] for row in rows), needed(rows)

    def cells(fit: dict[str, float]) -> list[str]:
        return [f"{1e4 * fit['validation_loss']:.3f}", f"{fit['validation_psnr_db']:.2f}"]

    body = [["0", "", "", *cells(record["untrained"])]]
    body += [
        [str(row["steps"]), *cells(row["nothing"]), *cells(row["the weights"])]
        for row in reversed(rows)
    ]
    goal = next(row["nothing"] for row in rows if row["steps"] == most)["validation_loss"]
    finding = f"From `{network}`, no number of steps here reaches the loss of {most} from nothing."
    if least:
        finding = (
            f"From `{network}`, {least} steps reach the loss of {most} steps from nothing:"
            f" {least / most:.0%} of them."
        )
    if record["untrained"]["validation_loss"] <= goal:
        finding += " The weights have it before their first step."
    header = ["steps", "from nothing: loss / 10^-4", "PSNR", f"from `{network}`: loss / 10^-4"]
    images = record["images"]
    targets = [
        [name, *(f"{ratio:.2f}" for ratio in ratios), *[""] * (3 - len(ratios))]
        for name, ratios in record["by_targets"].items()
    ]
    return "\n".join(
        (
            f"`{record['command']}`\n",
            f"`{network}`, stage 1 on {images['training_images']} images,"
            f" {images['validation_images']} validation images. Loss: the mean squared error of"
            " SR(LR) on the validation images, values in [0, 1]; PSNR in dB. 0 steps: the weights"
            " as they are, which were trained on enhanced targets.\n",
            results.table([*header, "PSNR"], body),
            f"{finding}\n",
            "How far HR_n of the validation images is from HR_0, in percent, by stage (from"
            f" nothing {record['first_steps']} + 2 x {LATER_STEPS} steps, from the weights"
            f" {SHORT} + {LATER_STEPS} a later stage):\n",
            results.table(["", "stage 1", "stage 2", "stage 3"], targets),
        )
    )


def experiment() -> None:
    """Train what is missing, and write the results."""
    data = chosen_images(FLAGS)
    rows, targets = by_steps(FLAGS, data), by_targets(FLAGS, data)
    summary = runs.summary(pathlib.Path(FLAGS.runs, f"fine_tuning_init_{STEPS[0]}"))
    record = {
        "command": runs.command(FLAGS, "fine_tuning"),
        "weights": weights(FLAGS),
        "images": runs.image_counts(summary),
        "settings": runs.settings(summary["config"]),
        "first_steps": STEPS[0],
        "by_steps": rows,
        "untrained": untrained(FLAGS),
        "by_targets": targets,
    }
    results.save(FLAGS.output, "fine_tuning", record, markdown(record))


if __name__ == "__main__":
    runs.start(FLAGS, experiment)
