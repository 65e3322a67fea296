"""The command that trains a network in stages (section 3.1).

Usage: ``python -m rts_tf.main [--data=FOLDER] [--workdir=DIRECTORY] [--stages=4]``.

Every setting of rts_tf.config is a flag. The same command on the same --workdir continues a run
that was stopped.
"""

import dataclasses
import functools
import os
import pathlib
import shlex
from typing import Any

from absl import flags

from rts_tf.cli.command import exit_code_of, run_command
from rts_tf.cli.device import define_device_flag
from rts_tf.cli.settings import define_flag
from rts_tf.cli.startup import load_tensorflow
from rts_tf.cli.trainings import check_call, train_in
from rts_tf.config import PRESETS, Config, preset

FLAGS = flags.FLAGS


def _define_flags() -> None:
    """Define a flag for every field of Config. Without a flag, the preset decides."""
    flags.DEFINE_string("workdir", "rts_run", "Directory of the run; made if it is not there.")
    for field in dataclasses.fields(Config):
        values = (f"{name}: {getattr(PRESETS[name], field.name)!r}" for name in PRESETS)
        default = field.default if field.name == "preset" else None
        define_flag(field, default, f"({', '.join(values)})", FLAGS)
    define_device_flag(FLAGS)


def config_from_flags() -> Config:
    """Return the preset with the flags that were given.

    Folders become absolute, so that the run can be continued from any directory.

    Raises:
        ConfigError: A setting cannot work.
    """
    changes: dict[str, Any] = {
        field.name: FLAGS[field.name].value
        for field in dataclasses.fields(Config)
        if FLAGS[field.name].value is not None
    }
    for name in ("data", "validation", "data_dir"):
        if changes.get(name) and not (name == "data" and changes[name] in ("sample", "div2k")):
            changes[name] = os.path.abspath(changes[name])
    return preset(changes.pop("preset"), **changes)


def main(arguments: list[str]) -> int:
    """Run the command with ``arguments`` (its name and what is no flag); return the exit code."""
    workdir = pathlib.Path(FLAGS.workdir)
    kept = "What was done is kept; solve this and run the command again."
    return exit_code_of(
        lambda: _train(arguments, workdir),
        stopped=f"stopped; {workdir} is whole. The same command continues it.",
        explain=lambda error: f"{workdir}: {error}. {kept}",
    )


def _train(arguments: list[str], workdir: pathlib.Path) -> None:
    check_call(arguments, FLAGS.workdir)
    config = config_from_flags()
    load_tensorflow(FLAGS.device)
    from rts_tf.cli.device_line import DeviceLine
    from rts_tf.networks.precision import resolve_precision
    from rts_tf.training import recurrence

    DeviceLine().floats(resolve_precision(config.precision))
    train = functools.partial(recurrence.train, config, workdir)
    summary, was_finished = train_in(workdir, train)
    if was_finished:
        print(f"{workdir}: this run is finished; nothing to do.")
    _print_results(summary, workdir)


def _print_results(summary: dict, workdir: pathlib.Path) -> None:
    from rts_tf.report.tables import table1, table2

    print(table1(summary))
    if summary["originals"]:
        print(f"\n{table2(summary)}\n")
    print(f"selected: stage {summary['selected_stage']}, {summary['selected_because']}")
    print(f"report:   {workdir / 'report.html'}")
    print(f"network:  {workdir / 'final.keras'}")
    model = shlex.quote(str(workdir))
    print("next, enhance an image of your own:")
    print(f"  python -m rts_tf.enhance photo.jpg --model={model} --output=better.png")


def run() -> None:
    """Entry point of the console script."""
    run_command(main)


_define_flags()

if __name__ == "__main__":
    run()
