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
import sys
from typing import TYPE_CHECKING, Any

from absl import flags

from rts_tf import pretrained
from rts_tf.cli.command import exit_code_of, run_command
from rts_tf.cli.descriptions.enhance import ENHANCE
from rts_tf.cli.descriptions.train import TRAIN
from rts_tf.cli.device import define_device_flag
from rts_tf.cli.engine import define_engine_flags, in_beam
from rts_tf.cli.interrupts import stopped_at_once
from rts_tf.cli.json_output import Report, define_json_flag, reported
from rts_tf.cli.limits_flag import define_limits_flag
from rts_tf.cli.program import in_same_form
from rts_tf.cli.settings import define_flag
from rts_tf.cli.startup import load_tensorflow
from rts_tf.cli.tables import define_wide_flag, print_table
from rts_tf.cli.trainings import check_workdir, train_in
from rts_tf.cli.verbosity import inform, is_quiet
from rts_tf.config import PRESETS, Config, preset
from rts_tf.workers import task_of

if TYPE_CHECKING:
    from rts_tf.training.targets_job import Engine

FLAGS = flags.FlagValues()


def _define_flags() -> None:
    """Define a flag for every field of Config. Without a flag, the preset decides."""
    text = "Directory of the run; made if it is not there."
    flags.DEFINE_string("workdir", "rts_run", text, flag_values=FLAGS)
    for field in dataclasses.fields(Config):
        if field.name == "preset":
            define_flag(field, field.default, {}, FLAGS)
        else:
            values = {name: getattr(PRESETS[name], field.name) for name in PRESETS}
            define_flag(field, None, values, FLAGS)
    define_wide_flag(FLAGS)
    define_json_flag(FLAGS)
    define_device_flag(FLAGS)
    define_limits_flag(FLAGS)
    define_engine_flags(FLAGS, "targets_engine", "makes the targets of Phase B: ")


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
    if changes.get("init") and pretrained.resolved(changes["init"]) not in pretrained.names():
        changes["init"] = os.path.abspath(changes["init"])
    return preset(changes.pop("preset"), **changes)


def main(arguments: list[str]) -> int:
    """Run the command with ``arguments`` (its name and what is no flag); return the exit code."""
    workdir = pathlib.Path(FLAGS.workdir)
    kept = "What was done is kept; solve this and run the command again."

    def train() -> None:
        with reported("train", FLAGS.json) as report:
            _train(workdir, report)

    return exit_code_of(
        train,
        stopped=f"stopped; {workdir} is whole. The same command continues it.",
        explain=lambda error: f"{workdir}: {error}. {kept}",
        command_flags=FLAGS,
    )


def _train(workdir: pathlib.Path, report: Report) -> None:
    check_workdir(FLAGS.workdir)
    config = config_from_flags()
    if ":" in config.network:
        # A module in the current folder: only ``python -m`` looks there by itself.
        sys.path.append(os.getcwd())
    task_of()  # refuses a TF_CONFIG that cannot work
    beam = in_beam(FLAGS, "targets_engine")
    load_tensorflow(FLAGS.device)
    from rts_tf.cli.device_line import DeviceLine
    from rts_tf.networks.precision import resolve_precision
    from rts_tf.training import cluster, recurrence

    with stopped_at_once():
        workers = cluster.connect(inform)
    DeviceLine().floats(resolve_precision(config.precision))
    train = functools.partial(
        recurrence.train, config, workdir, workers=workers, engine=_engine() if beam else None
    )
    summary, was_finished = train_in(workdir, train, workers)
    if not workers.is_chief:
        inform(f"{workers.name}: the run is over; the chief has printed the results")
        return
    if was_finished:
        inform(f"{workdir}: this run is finished; nothing to do.")
    _print_results(summary, workdir)
    _report(summary, workdir, report)


def _engine() -> "Engine":
    """Makes target shards in Beam, one an item."""
    from rts_tf.beam.options import parsed
    from rts_tf.beam.targets import write_targets

    parsed(FLAGS.beam_args)  # refuses what Beam cannot read
    load = functools.partial(load_tensorflow, FLAGS.device)
    beam_args = FLAGS.beam_args
    return lambda job, numbers, on_shard: write_targets(
        job, numbers, beam_args, load=load, on_shard=on_shard
    )


def _print_results(summary: dict, workdir: pathlib.Path) -> None:
    from rts_tf.report.tables import table1, table2

    if not is_quiet():
        print_table(f"{table1(summary, FLAGS.wide)}\n")
        if summary["originals"]:
            print_table(f"{table2(summary, FLAGS.wide)}\n")
    inform(f"selected: stage {summary['selected_stage']}, {summary['selected_because']}")
    inform(f"report:   {workdir / 'report.html'}")
    inform(f"network:  {workdir / 'final.keras'}")
    model = shlex.quote(str(workdir))
    inform("next, enhance an image of your own:")
    inform(f"  {in_same_form(ENHANCE)} photo.jpg --model={model} --output=better.png")


def _report(summary: dict, workdir: pathlib.Path, report: Report) -> None:
    """The results for scripts: a line for each stage."""
    selected = summary["selected_stage"]
    for stage in summary["stages"]:
        report.item(f"stage {stage['stage']}", stage | {"selected": stage["stage"] == selected})
    report.add(
        selected_stage=selected,
        selected_because=summary["selected_because"],
        stopped_because=summary["stopped_because"],
        report=workdir / "report.html",
        network=workdir / "final.keras",
    )


def run() -> None:
    """Entry point of the console script."""
    run_command(main, FLAGS, TRAIN)


_define_flags()

if __name__ == "__main__":
    run()
