"""Export a finished run to SavedModel and TFLite: ``python -m rts_tf.export --workdir=rts_run``.

The command writes, into the run's directory ``export`` or --output:

    saved_model/rts/1/      for TensorFlow Serving; the next export is version 2
    tflite/HEAD_PRECISION.tflite
    EXPORT.md, export.json  the export card: size, parity, quality, memory and time of each file,
                            measured on this machine

With --bundle=DIR it also writes a folder for a device, where neither TensorFlow nor rts_tf is
needed.

A file that misses its parity limits is withheld, and a half-written file never has its final name.
"""

import pathlib

from absl import flags

from rts_tf import pretrained
from rts_tf.cli.command import exit_code_of, in_flags, print_note, run_command
from rts_tf.cli.descriptions.export import EXPORT
from rts_tf.cli.device import define_device_flag
from rts_tf.cli.json_output import Report, define_json_flag, reported
from rts_tf.cli.startup import load_tensorflow
from rts_tf.cli.tables import define_wide_flag, print_table
from rts_tf.cli.verbosity import inform, is_quiet
from rts_tf.errors import ConfigError, RtsError
from rts_tf.export import FORMATS, HEADS, PRECISIONS, USUAL_FORMATS
from rts_tf.export.bundle import check_bundle, write_bundle
from rts_tf.export.files_table import files_table
from rts_tf.export.spec import UNCHANGED, ExportSpec, NetworkSource, find_network
from rts_tf.storage import read_json

FLAGS = flags.FlagValues()

ALL, ZOO = "all", "zoo"  # --model for all weights that come with rts_tf, and where these go


def _define_flags() -> None:
    text = "Run directory; its selected stage is exported. (Or --model.)"
    flags.DEFINE_string("workdir", "", text, flag_values=FLAGS)
    text = "Stage of the run to export instead of the selected one."
    flags.DEFINE_integer("stage", 0, text, flag_values=FLAGS)
    text = f"A .keras file or the name of weights, instead of a run; '{ALL}': all weights."
    flags.DEFINE_string("model", "", text, flag_values=FLAGS)
    text = (
        "Directory to export to; default: RUN/export, 'export' beside the file, NAME_export, zoo."
    )
    flags.DEFINE_string("output", "", text, flag_values=FLAGS)
    for name, choices, usual in (
        ("formats", FORMATS, USUAL_FORMATS),
        ("heads", HEADS, HEADS),
        ("precisions", PRECISIONS, PRECISIONS),
    ):
        text = f"Which {name} to export, of: {', '.join(choices)}."
        flags.DEFINE_list(name, list(usual), text, flag_values=FLAGS)
    text = "Height of the frame that comes out of a fixed-size TFLite file."
    flags.DEFINE_integer("height", ExportSpec.height, text, flag_values=FLAGS)
    text = "Width of that frame; the input of 'upscale' is half of both."
    flags.DEFINE_integer("width", ExportSpec.width, text, flag_values=FLAGS)
    define_wide_flag(FLAGS)
    define_json_flag(FLAGS)
    define_device_flag(FLAGS)
    text = "Write a folder for a device too: the TFLite files, the card, and a program to run them."
    flags.DEFINE_string("bundle", "", text, flag_values=FLAGS)


def main(arguments: list[str]) -> int:
    """Run the command with ``arguments`` (its name and what is no flag); return the exit code."""

    def export() -> None:
        with reported("export", FLAGS.json) as report:
            _export(report)

    return exit_code_of(
        export,
        stopped="stopped; nothing was published.",
        explain=lambda error: f"{error}. {UNCHANGED}",
        command_flags=FLAGS,
    )


def _export(report: Report) -> None:
    spec = ExportSpec(
        formats=tuple(FLAGS.formats),
        heads=tuple(FLAGS.heads),
        precisions=tuple(FLAGS.precisions),
        height=FLAGS.height,
        width=FLAGS.width,
    )
    sources = _sources()
    bundle = pathlib.Path(FLAGS.bundle) if FLAGS.bundle else None
    if bundle:
        if len(sources) > 1:
            raise ConfigError("`bundle`: is a folder for one network; name it with `model`.")
        check_bundle(bundle, spec)
    load_tensorflow(FLAGS.device)

    from rts_tf.cli.device_line import DeviceLine

    DeviceLine().floats("float32", *(["LiteRT"] if "tflite" in spec.formats else []))
    for source in sources:
        try:
            _export_one(source, spec, report)
        except ConfigError as error:  # not every network has every format
            if len(sources) == 1:
                raise
            print_note(f"{source.model}: {error}")
    if bundle:
        write_bundle(sources[0].output, spec, bundle)
        inform(f"for a box:  {bundle}; its README.md says how to run it there")


def _sources() -> list[NetworkSource]:
    """The networks to export, with the directory that each is exported to."""
    if FLAGS.model != ALL:
        source = find_network(FLAGS.workdir, FLAGS.stage, FLAGS.model)
        return [source._replace(output=pathlib.Path(FLAGS.output or source.output))]
    folder = pathlib.Path(FLAGS.output or ZOO)
    found = (find_network(FLAGS.workdir, FLAGS.stage, name) for name in pretrained.names())
    return [source._replace(output=folder / source.model) for source in found]


def _export_one(source: NetworkSource, spec: ExportSpec, report: Report) -> None:
    from rts_tf.cli.progress import RunProgress
    from rts_tf.export.pipeline import export_network

    output = source.output
    notes = export_network(source, spec, lambda work: RunProgress(work).running())
    card = read_json(output / "export.json") or {}
    files, withheld = card["files"], card["withheld"]
    if not is_quiet():
        print_table(f"{files_table(files, FLAGS.wide)}\n")
    inform(f"exported to {output}")
    inform(f"card:       {output / 'EXPORT.md'}")
    for file in withheld:
        print_note(f"withheld: {file['file']} {file['reason']}")
    if withheld and FLAGS["precisions"].present:
        raise RtsError("`precisions`: a file that it names was withheld; the others are published.")
    for note in notes:
        print(in_flags(note))
    for entry in files:
        name = f"{source.model}/{entry['file']}" if FLAGS.model == ALL else entry["file"]
        report.item(name, {key: entry[key] for key in entry if key != "file"})
    if FLAGS.model != ALL:
        report.add(output=output, card=output / "EXPORT.md", withheld=withheld, notes=notes)


def run() -> None:
    """Entry point of the console script."""
    run_command(main, FLAGS, EXPORT)


_define_flags()

if __name__ == "__main__":
    run()
