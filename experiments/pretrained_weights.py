"""Take a stage of a finished run into the package: NAME.weights.h5, and NAME.json, the record of its training.

    python -m experiments.pretrained_weights --run=RUN --stage=3 --name=residual3 --commit=$(git rev-parse HEAD)

The record holds the flags of the run, the commit it was trained at, the hash of its training pictures as the source shards
have them, the paper's Table 1 on the validation pictures, and the figures of HR_n as judged, anchor included, and of what the
network itself, d(SR(HR_0)) without anchor, makes of them: means, and on how many pictures it holds. tests/data gets what the
network makes of a crop of a photograph inside scikit-image, for a test to compare. Costs the judging of the validation
pictures, 1.5 s a megapixel.
"""

import dataclasses
import json
import pathlib

import numpy as np
from absl import flags
from PIL import Image

from experiments import runs
from rts_tf.config import Config, preset
from rts_tf.errors import ConfigError, RtsError
from rts_tf.storage import atomic_path, write_text

FLAGS = flags.FlagValues()
flags.DEFINE_string("run", "", "Directory of a finished run.", flag_values=FLAGS)
flags.DEFINE_integer("stage", 0, "The stage to take.", flag_values=FLAGS)
flags.DEFINE_string("name", "", "What the weights are called.", flag_values=FLAGS)
flags.DEFINE_string("commit", "", "The commit that the run was trained at.", flag_values=FLAGS)

TABLE_1 = (
    "stage",
    "steps",
    "difference_ratio_percent",
    "delta_percent",
    "step_difference_percent",
    "network_drift_levels",
    "mos",
)
JUDGED = (
    "mos_gain",
    "clipped_percent",
    "unsharp_clipped_percent",
    "flat_noise_gain",
    "corner_gain_db",
    "brightness_drift_levels",
)
EXAMPLES = pathlib.Path(__file__).parents[1] / "tests" / "golden"
JPEG_QUALITY = 75  # whose loss of MOS is that of the LR row of the paper's Table 2


def example() -> np.ndarray:
    """What the golden test enhances: uint8 [64, 96, 3]."""
    from skimage import data

    return data.chelsea()[90:154, 120:216]


def command(config: Config) -> str:
    """What to type to train like this; the folders have names instead of paths."""
    base = dataclasses.asdict(preset(config.preset))
    changed = {k: v for k, v in dataclasses.asdict(config).items() if v != base[k]} | {
        "data": "TRAIN",
        "validation": "VALID",
    }
    return " ".join(
        [
            "python -m rts_tf.main",
            f"--preset={config.preset}",
            *(f"--{k}={v}" for k, v in changed.items()),
        ]
    )


def counts(rows: list[dict]) -> dict[str, int]:
    """On how many pictures it holds."""
    clipped = [row["clipped_percent"] <= 0.85 * row["unsharp_clipped_percent"] for row in rows]
    gained = sum(row["mos_gain"] > 0 for row in rows)
    return {
        "pictures_with_a_gain": gained,
        "pictures_clipped_at_most_0.85_of_the_mask": sum(clipped),
    }


def measured(enhancer, config: Config) -> dict:
    """What the network itself does to the validation pictures."""
    from rts_tf.data.datasets import training_and_validation
    from rts_tf.data.degradation import jpeg
    from rts_tf.evaluate import evaluate
    from rts_tf.metrics.viqet import measure
    from rts_tf.report.image_table import means

    photos = training_and_validation(config)[1]
    rows, errors = evaluate(enhancer, photos, "", "", mos=True)
    if errors:
        raise RtsError(errors[0])
    losses = [
        rows[name]["mos_raw_before"] - measure(jpeg(photos.read(name), JPEG_QUALITY)).mos_raw
        for name in photos.names
    ]
    mean = means(list(rows.values()))
    return {
        "pictures": len(rows),
        **mean,
        **counts(list(rows.values())),
        "mos_loss_of_jpeg_75": float(np.mean(losses)),
        "gain_over_that_loss": mean["mos_gain"] / float(np.mean(losses)),
    }


def record(run: pathlib.Path, stage: int, commit: str) -> dict:
    """The record of ``stage`` of the run. Raises RtsError, and OSError for a run that is not finished."""
    import rts_tf
    from rts_tf import networks
    from rts_tf.data.shards import open_set

    config = Config.from_json((run / "config.json").read_text(encoding="utf-8"))
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    directory = run / f"stage_{stage}"
    enhancer = rts_tf.load(directory / "model.keras", precision="auto")
    judged = json.loads((directory / "quality.json").read_text(encoding="utf-8"))
    training = open_set(run / "source" / "training")
    return {
        "network": config.network,
        "stage": stage,
        "parameters": networks.parameters(enhancer.network),
        "macs_per_pixel": networks.macs_per_pixel(enhancer.network),
        "command": command(config),
        "commit": commit,
        "training_pictures": len(training.sizes),
        "training_sha256": training.fingerprint,
        "table_1": [
            {key: _rounded(row[key]) for key in TABLE_1} for row in summary["stages"][:stage]
        ],
        "mos_of_hr_0": _rounded(summary["originals"]["hr_0"]["mos"]),
        "hr_n_as_judged": {key: _rounded(summary["stages"][stage - 1][key]) for key in JUDGED}
        | counts(list(judged.values())),
        "network_itself": {
            key: _rounded(value) for key, value in measured(enhancer, config).items()
        },
    }


def _rounded(value):
    return round(value, 4) if isinstance(value, float) else value


def main() -> None:
    if not (FLAGS.run and FLAGS.stage and FLAGS.name and FLAGS.commit):
        raise ConfigError("give --run, --stage, --name and --commit.")
    import rts_tf
    from rts_tf import pretrained

    run = pathlib.Path(FLAGS.run)
    made = record(run, FLAGS.stage, FLAGS.commit)
    network = rts_tf.load(run / f"stage_{FLAGS.stage}" / "model.keras")
    with atomic_path(pretrained.DIRECTORY / f"{FLAGS.name}.weights.h5") as temporary:
        network.network.save_weights(temporary.with_name("new.weights.h5"))
        temporary.with_name("new.weights.h5").rename(temporary)
    with atomic_path(EXAMPLES / f"pretrained_{FLAGS.name}.png") as temporary:
        Image.fromarray(network.enhance(example())).save(temporary)
    write_text(pretrained.DIRECTORY / f"{FLAGS.name}.json", json.dumps(made, indent=1) + "\n")
    print(json.dumps(made, indent=1))


if __name__ == "__main__":
    runs.start(FLAGS, main)
