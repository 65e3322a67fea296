"""Export a finished run to SavedModel and TFLite: ``python -m rts_tf.export --workdir=rts_run``.

Writes, into the run's directory ``export`` or --output:

    saved_model/rts/1/      for TensorFlow Serving; the next export is version 2
    tflite/HEAD_PRECISION.tflite
    EXPORT.md, export.json  the export card: size, parity, quality, memory and time of each file, measured here

Nothing is published that misses its parity limits, and nothing half-written ever stands under its name.
"""

import importlib.util
import pathlib

from absl import flags

from rts_tf import pretrained
from rts_tf.cli.command import begin, guarded
from rts_tf.cli.startup import load_tensorflow
from rts_tf.errors import ConfigError, RtsError
from rts_tf.export import FORMATS, HEADS, PRECISIONS

_CHOICES = {"formats": FORMATS, "heads": HEADS, "precisions": PRECISIONS}
LARGEST = 8192  # pixels a side

FLAGS = flags.FlagValues()
flags.DEFINE_string(
    "workdir", "", "Run directory; its selected stage is exported. (Or --model.)", flag_values=FLAGS
)
flags.DEFINE_integer(
    "stage", 0, "Stage of the run to export instead of the selected one.", flag_values=FLAGS
)
_TEXT = "A .keras file, or the name of weights that come with rts_tf, to export instead of a run."
flags.DEFINE_string("model", "", _TEXT, flag_values=FLAGS)
_TEXT = "Directory to export to; default: RUN/export, 'export' beside the file, or NAME_export."
flags.DEFINE_string("output", "", _TEXT, flag_values=FLAGS)
for _name, _choices in _CHOICES.items():
    flags.DEFINE_list(
        _name,
        list(_choices),
        f"Which {_name} to export, of: {', '.join(_choices)}.",
        flag_values=FLAGS,
    )
flags.DEFINE_integer(
    "height",
    1080,
    "Height of the frame that comes out of a fixed-size TFLite file.",
    flag_values=FLAGS,
)
flags.DEFINE_integer("width", 1920, "Its width; 'upscale' takes half of both.", flag_values=FLAGS)

KEPT = "What was published before is as it was."


def main(arguments: list[str]) -> int:
    return guarded(
        lambda: _export(*_validated(arguments)),
        "stopped; nothing was published.",
        lambda error: f"{error}. {KEPT}",
    )


def _validated(arguments: list[str]) -> tuple[pathlib.Path, pathlib.Path]:
    """The network's file and the directory to export to. Raises ConfigError naming the flag that cannot work."""
    if len(arguments) > 1:
        raise ConfigError(
            f"unexpected argument {arguments[1]!r}: settings are flags, as in --workdir=rts_run."
        )
    if bool(FLAGS.workdir) == bool(FLAGS.model):
        raise ConfigError(
            "name what to export: either --workdir=RUN, or --model=FILE.keras or weights that come with rts_tf."
        )
    for name, choices in _CHOICES.items():
        for value in FLAGS[name].value or [""]:
            if value not in choices:
                raise ConfigError(f"--{name}={value}: choose from {', '.join(choices)}.")
    for name in ("height", "width"):
        if not 32 <= FLAGS[name].value <= LARGEST or FLAGS[name].value % 2:
            raise ConfigError(f"--{name}={FLAGS[name].value}: must be even, from 32 to {LARGEST}.")
    if "tflite" in FLAGS.formats and importlib.util.find_spec("ai_edge_litert") is None:
        raise ConfigError(
            "--formats=tflite: needs LiteRT, which checks and measures the files: pip install ai-edge-litert (the extra"
            " 'device'), or export --formats=saved_model."
        )
    if FLAGS.model:
        if FLAGS.stage:
            raise ConfigError(
                f"--stage={FLAGS.stage}: is for --workdir; --model is a network already."
            )
        model = pathlib.Path(FLAGS.model)
        output = (
            pathlib.Path(f"{model}_export")
            if FLAGS.model in pretrained.names()
            else model.parent / "export"
        )
    else:
        run = pathlib.Path(FLAGS.workdir)
        model, output = run / "final.keras", run / "export"
        if FLAGS.stage:
            model = run / f"stage_{FLAGS.stage}" / "model.keras"
            if not model.exists():
                raise ConfigError(
                    f"--stage={FLAGS.stage}: {model} is not there; that stage is not trained (yet)."
                )
        elif not model.exists():
            raise ConfigError(
                f"--workdir={run}: has no final.keras; let the run finish, or name a trained stage with --stage."
            )
    return model, pathlib.Path(FLAGS.output) if FLAGS.output else output


def _export(model: pathlib.Path, output: pathlib.Path) -> None:
    load_tensorflow()
    import tensorflow as tf

    from rts_tf.cli.progress import RunProgress
    from rts_tf.export import calibration as photographs
    from rts_tf.export.heads import check_network
    from rts_tf.export.pipeline import Export, Order
    from rts_tf.inference import load

    enhancer = load(model)
    check_network(enhancer.network, FLAGS.formats, FLAGS.precisions)
    crops = (
        photographs.sample_crops()
        if FLAGS.model
        else photographs.crops_of_run(pathlib.Path(FLAGS.workdir))
    )
    ordered = (
        [value for value in choices if value in FLAGS[name].value]
        for name, choices in _CHOICES.items()
    )
    order = Order(*map(tuple, ordered), FLAGS.height, FLAGS.width)
    export = Export(enhancer, crops, order, str(model), output)
    progress = RunProgress({"export": sum(work for _, work, _ in export.steps())})
    try:
        with progress.running(), export.place():
            for name, work, step in export.steps():
                step()
                progress.advance("export", work, name, 1, "steps")
    except (
        OSError,
        tf.errors.ResourceExhaustedError,
        tf.errors.OutOfRangeError,
    ) as error:  # TensorFlow's own of a disk
        reason = getattr(error, "strerror", None) or str(error).strip().splitlines()[0][:200]
        raise RtsError(f"{output}: cannot be written ({reason}). {KEPT}") from None
    print(f"exported to {output}")
    print(f"card:       {output / 'EXPORT.md'}")
    if "saved_model" in FLAGS.formats and not export.warm:
        print(
            "The SavedModel has no warm-up requests; they need: pip install tensorflow-serving-api (the extra 'serving')."
        )


def run() -> None:
    """Entry point of the console script."""
    begin(main, FLAGS)


if __name__ == "__main__":
    run()
