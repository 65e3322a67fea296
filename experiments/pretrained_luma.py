"""Puts a finished distillation into the package: NAME.weights.h5, NAME.tflite and NAME.json.

    python -m experiments.pretrained_luma --run=DISTILLATION --name=luma-medium \\
        --commit=$(git rev-parse HEAD)

The record holds the flags of the distillation, the commit it was trained at, the hash of its inputs
as the shards have them, and the table of its report. tests/golden gets what the network makes of a
crop of a sample image, for a test to compare. It costs a few seconds.
"""

import dataclasses
import pathlib
from typing import Any

from absl import flags

from experiments import runs
from experiments.pretrained_weights import put_into_package
from rts_tf.distillation.config import DistillationConfig
from rts_tf.errors import ConfigError
from rts_tf.storage import atomic_path, read_json

FLAGS = flags.FlagValues()
flags.DEFINE_string("run", "", "Directory of a finished distillation.", flag_values=FLAGS)
flags.DEFINE_string("name", "", "The name of the weights.", flag_values=FLAGS)
flags.DEFINE_string("commit", "", "The commit that it was trained at.", flag_values=FLAGS)


def command(config: DistillationConfig) -> str:
    """Return the command that distils like this. The folders have names instead of paths."""
    base = dataclasses.asdict(DistillationConfig())
    changed = {k: v for k, v in dataclasses.asdict(config).items() if v != base[k]}
    changed |= {"data": "TRAIN", "validation": "VALID"}
    words = ["python -m rts_tf.distill", *(f"--{key}={value}" for key, value in changed.items())]
    return " ".join(words)


def record(run: pathlib.Path, commit: str) -> dict[str, Any]:
    """Return the record of the finished distillation ``run``.

    Raises:
        RtsError: A file of it is damaged.
    """
    from rts_tf.data.shards import open_set

    summary = read_json(run / "summary.json") or {}
    config = DistillationConfig(**summary["config"])
    training = open_set(run / "source" / "training")
    return {
        "network": config.network,
        "teacher": config.teacher,
        "parameters": summary["parameters"],
        "multiplications_per_pixel": summary["macs_per_pixel"],
        "ranges": summary["ranges"],
        "command": command(config),
        "commit": commit,
        "training_inputs": len(training.sizes),
        "training_sha256": training.fingerprint,
        "rows": [
            {key: round(v, 4) if isinstance(v, float) else v for key, v in row.items()}
            for row in summary["rows"]
        ],
    }


def main() -> None:
    """Write the weights, the integer file, the record and the golden output."""
    if not (FLAGS.run and FLAGS.name and FLAGS.commit):
        raise ConfigError("--run, --name and --commit are all needed.")
    import rts_tf
    from rts_tf import pretrained

    run = pathlib.Path(FLAGS.run)
    if not (run / "summary.json").is_file():
        raise ConfigError(f"--run={run}: is not the directory of a finished distillation.")
    made = record(run, FLAGS.commit)
    model = rts_tf.load(run)
    with atomic_path(pretrained.DIRECTORY / f"{FLAGS.name}.tflite") as temporary:
        temporary.write_bytes((run / "final.tflite").read_bytes())
    put_into_package(FLAGS.name, model, made)


if __name__ == "__main__":
    runs.start(FLAGS, main)
