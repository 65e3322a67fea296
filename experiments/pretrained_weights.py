"""Puts a stage of a finished run into the package: NAME.weights.h5 and NAME.json, its record.

    python -m experiments.pretrained_weights --run=RUN --stage=3 --name=residual3 \\
        --commit=$(git rev-parse HEAD)

The record holds the flags of the run, the commit it was trained at, the hash of its training images
as the source shards have them, and the paper's Table 1 on the validation images. It also holds the
figures of the anchored HR_n that the run measured and those of the network's own output
d(SR(HR_0)), each as means and with the number of images for which they are good. tests/golden gets
what the network makes of a crop of a sample image, for a test to compare. Costs the measuring of
the validation images, 1.5 s a megapixel.
"""

import dataclasses
import json
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from absl import flags
from PIL import Image

from experiments import runs
from rts_tf.config import Config, preset
from rts_tf.errors import ConfigError
from rts_tf.storage import atomic_path, read_json, write_text

FLAGS = flags.FlagValues()
flags.DEFINE_string("run", "", "Directory of a finished run.", flag_values=FLAGS)
flags.DEFINE_integer("stage", 0, "The stage to take.", flag_values=FLAGS)
flags.DEFINE_string("name", "", "The name of the weights.", flag_values=FLAGS)
flags.DEFINE_string("commit", "", "The commit that the run was trained at.", flag_values=FLAGS)
flags.DEFINE_string(
    "table", "coded", "The experiment that compares the weights with others.", flag_values=FLAGS
)

TABLE_1 = (
    "stage",
    "steps",
    "difference_ratio_percent",
    "delta_percent",
    "step_difference_percent",
    "network_drift_levels",
    "mos",
)
ANCHORED = (
    "mos_gain",
    "clipped_percent",
    "unsharp_clipped_percent",
    "flat_noise_gain",
    "corner_gain_db",
    "brightness_drift_levels",
)
EXAMPLES = pathlib.Path(__file__).parents[1] / "tests" / "golden"
JPEG_QUALITY = 75  # it loses as much MOS as the LR row of the paper's Table 2


def example() -> np.ndarray:
    """Return the image that the golden test enhances, uint8 [64, 96, 3]."""
    from skimage import data

    return data.chelsea()[90:154, 120:216]


def command(config: Config) -> str:
    """Return the command that trains like this. The folders have names instead of paths."""
    base = dataclasses.asdict(preset(config.preset))
    changed = {k: v for k, v in dataclasses.asdict(config).items() if v != base[k]}
    changed |= {"data": "TRAIN", "validation": "VALID"}
    words = ["python -m rts_tf.main", f"--preset={config.preset}"]
    return " ".join([*words, *(f"--{k}={v}" for k, v in changed.items())])


def counts(rows: list[dict[str, float]]) -> dict[str, int]:
    """Count the images that gain MOS, and those that are clipped less than by unsharp masking.

    The keys, like others of the record, are those of the records that the package has already.
    """
    clipped = [row["clipped_percent"] <= 0.85 * row["unsharp_clipped_percent"] for row in rows]
    gained = sum(row["mos_gain"] > 0 for row in rows)
    return {
        "pictures_with_a_gain": gained,
        "pictures_clipped_at_most_0.85_of_the_mask": sum(clipped),
    }


def measure_output(enhancer, config: Config) -> dict[str, float]:
    """Measure d(SR(HR_0)) of the validation images, without an anchor.

    Args:
        enhancer: The network, an :class:`rts_tf.inference.Enhancer`.
        config: The settings of the run.
    """
    from rts_tf.data.codecs import jpeg
    from rts_tf.data.datasets import training_and_validation
    from rts_tf.images.dtypes import to_float
    from rts_tf.metrics.enhancement import measure_enhancement
    from rts_tf.metrics.parallel import in_parallel
    from rts_tf.metrics.viqet import measure
    from rts_tf.report.metric_table import means

    _, source = training_and_validation(config)

    def images() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for name in source.names:
            original = source.read(name)
            yield enhancer.enhance(to_float(original)), original

    def measured(image: tuple[np.ndarray, np.ndarray]) -> tuple[dict[str, float], float]:
        enhanced, original = image
        row = measure_enhancement(enhanced, original)
        return row, row["mos_raw_before"] - measure(jpeg(original, JPEG_QUALITY)).mos_raw

    rows, losses = map(list, zip(*in_parallel(measured, images()), strict=True))
    mean, loss = means(rows), float(np.mean(losses))
    return {
        "pictures": len(rows),
        **mean,
        **counts(rows),
        "mos_loss_of_jpeg_75": loss,
        "gain_over_that_loss": mean["mos_gain"] / loss,
    }


def record(run: pathlib.Path, stage: int, commit: str, table: str) -> dict[str, Any]:
    """Return the record of ``stage`` of the finished ``run``.

    Raises:
        RtsError: The network or the images cannot be read.
    """
    import rts_tf
    from rts_tf import networks
    from rts_tf.data.shards import open_set

    config = Config.from_json((run / "config.json").read_text(encoding="utf-8"))
    summary, directory = runs.summary(run), run / f"stage_{stage}"
    enhancer = rts_tf.load(directory / "model.keras", precision="auto")
    rows = read_json(directory / "quality.json") or {}
    training = open_set(run / "source" / "training")
    stages = summary["stages"][:stage]
    # A run that was judged by delta has no MOS.
    anchored = {key: _rounded(stages[-1][key]) for key in ANCHORED if key in stages[-1]}
    output = measure_output(enhancer, config)
    return {
        "network": config.network,
        "stage": stage,
        "parameters": networks.parameters(enhancer.network),
        "multiplications_per_pixel": networks.macs_per_pixel(enhancer.network),
        "command": command(config),
        "commit": commit,
        "training_pictures": len(training.sizes),
        "training_sha256": training.fingerprint,
        "table_1": [
            {key: _rounded(metrics[key]) for key in TABLE_1 if key in metrics} for metrics in stages
        ],
        "mos_of_hr_0": _rounded(output["mos_raw_before"]),
        "hr_n_as_judged": anchored | (counts(list(rows.values())) if rows else {}),
        "table": f"experiments/results/{table}.md",
        "network_itself": {key: _rounded(value) for key, value in output.items()},
    }


def _rounded(value):
    return round(value, 4) if isinstance(value, float) else value


def put_into_package(name: str, model, made: dict[str, Any]) -> None:
    """Write the weights ``name``, their record and the golden output, and print the record.

    Args:
        model: What :func:`rts_tf.load` returns.
        made: The record.
    """
    from rts_tf import pretrained

    with atomic_path(pretrained.DIRECTORY / f"{name}.weights.h5") as temporary:
        # Keras wants this suffix, which the temporary name does not have.
        model.network.save_weights(temporary.with_name("new.weights.h5"))
        temporary.with_name("new.weights.h5").rename(temporary)
    with atomic_path(EXAMPLES / f"pretrained_{name}.png") as temporary:
        Image.fromarray(model.enhance(example())).save(temporary)
    write_text(pretrained.DIRECTORY / f"{name}.json", json.dumps(made, indent=1) + "\n")
    print(json.dumps(made, indent=1))


def main() -> None:
    """Write the weights, their record and the golden output."""
    if not (FLAGS.run and FLAGS.stage and FLAGS.name and FLAGS.commit):
        raise ConfigError("--run, --stage, --name and --commit are all needed.")
    import rts_tf

    run = pathlib.Path(FLAGS.run)
    if not (run / "summary.json").is_file():
        raise ConfigError(f"--run={run}: is not the directory of a finished run.")
    made = record(run, FLAGS.stage, FLAGS.commit, FLAGS.table)
    enhancer = rts_tf.load(run / f"stage_{FLAGS.stage}" / "model.keras")
    put_into_package(FLAGS.name, enhancer, made)


if __name__ == "__main__":
    runs.start(FLAGS, main)
