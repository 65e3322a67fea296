"""The command that distils a trained network into a small one for luma (docs/realtime.md).

Usage: ``python -m rts_tf.distill [--teacher=NAME] [--network=luma4-32-32] [--data=FOLDER]``.

Every setting of rts_tf.distillation.config is a flag. The same command on the same --workdir
continues a distillation that was stopped.
"""

import dataclasses
import functools
import os
import pathlib
import shlex
from typing import Any

from absl import flags

from rts_tf.cli.command import exit_code_of, run_command
from rts_tf.cli.descriptions.distill import DISTILL
from rts_tf.cli.descriptions.enhance import ENHANCE
from rts_tf.cli.device import define_device_flag
from rts_tf.cli.json_output import Report, define_json_flag, reported
from rts_tf.cli.program import in_same_form
from rts_tf.cli.settings import define_flag
from rts_tf.cli.startup import load_tensorflow
from rts_tf.cli.tables import define_wide_flag, print_table
from rts_tf.cli.trainings import check_workdir, train_in
from rts_tf.cli.verbosity import inform, is_quiet
from rts_tf.distillation.config import DistillationConfig
from rts_tf.workers import check_alone

FLAGS = flags.FlagValues()


def _define_flags() -> None:
    text = "Directory of the distillation; made if it is not there."
    flags.DEFINE_string("workdir", "rts_distilled", text, flag_values=FLAGS)
    for field in dataclasses.fields(DistillationConfig):
        define_flag(field, field.default, {}, FLAGS)
    define_wide_flag(FLAGS)
    define_json_flag(FLAGS)
    define_device_flag(FLAGS)


def config_from_flags() -> DistillationConfig:
    """Return the settings that the flags give. Folders become absolute.

    Raises:
        ConfigError: A setting cannot work.
    """
    values: dict[str, Any] = {
        field.name: FLAGS[field.name].value for field in dataclasses.fields(DistillationConfig)
    }
    for name in ("data", "validation", "data_dir", "teacher"):
        named = values[name] in ("", "sample", "div2k")
        if not named and (name != "teacher" or os.path.exists(values[name])):
            values[name] = os.path.abspath(values[name])
    return DistillationConfig(**values).validate()


def main(arguments: list[str]) -> int:
    """Run the command with ``arguments`` (its name and what is no flag); return the exit code."""
    workdir = pathlib.Path(FLAGS.workdir)

    def distill() -> None:
        with reported("distill", FLAGS.json) as report:
            _distill(workdir, report)

    return exit_code_of(
        distill,
        stopped=f"stopped; {workdir} is whole. The same command continues it.",
        explain=lambda error: (
            f"{workdir}: {error}. What was done is kept; solve this and run the command again."
        ),
        command_flags=FLAGS,
    )


def _distill(workdir: pathlib.Path, report: Report) -> None:
    check_workdir(FLAGS.workdir)
    check_alone(in_same_form(DISTILL))
    config = config_from_flags()
    load_tensorflow(FLAGS.device)
    from rts_tf.cli.device_line import DeviceLine
    from rts_tf.distillation.distillation import distill
    from rts_tf.report.distillation_page import distillation_table

    DeviceLine().floats("float32")
    summary, was_finished = train_in(workdir, functools.partial(distill, config, workdir))
    if was_finished:
        inform(f"{workdir}: this distillation is finished; nothing to do.")
    if not is_quiet():
        print_table(f"{distillation_table(summary, FLAGS.wide)}\n")
    inform(f"report:   {workdir / 'report.html'}")
    inform(f"network:  {workdir / 'final.keras'}")
    inform(f"integers: {workdir / 'final.tflite'}")
    inform("next, enhance a video of your own:")
    model = shlex.quote(str(workdir))
    inform(f"  {in_same_form(ENHANCE)} video.mp4 --model={model} --output=better.mp4")
    for row in summary["rows"]:
        report.item(row["name"], {key: value for key, value in row.items() if key != "name"})
    files = {"report": "report.html", "network": "final.keras", "integers": "final.tflite"}
    report.add(**{name: workdir / file for name, file in files.items()})


def run() -> None:
    """Entry point of the console script."""
    run_command(main, FLAGS, DISTILL)


_define_flags()

if __name__ == "__main__":
    run()
