"""Trains the runs that experiments need, each once, and defines the flags that experiments share.

An experiment that needs a trained network asks :func:`trained` for it. The run lies below
``--runs`` under a name of the experiment's choice. A finished run is used as it is, a stopped run
is continued.
"""

import dataclasses
import os
import pathlib
import time
from collections.abc import Callable
from typing import Any

from absl import flags

from rts_tf.cli.command import exit_code_of, in_flags, run_command
from rts_tf.cli.startup import load_tensorflow
from rts_tf.config import Config, preset
from rts_tf.errors import ConfigError
from rts_tf.storage import read_json

# Small enough for a test: a network of one residual layer, small patches and a few steps.
QUICK = {
    "network": "residual1",
    "first_steps": 4,
    "later_steps": 2,
    "patch": 32,
    "batch": 2,
    "warmup": 0,
}
# The experiments study the paper's degradation, in stages so long that a difference shows.
LONG = {
    "first_steps": 4000,
    "later_steps": 1500,
    "patch": 128,
    "warmup": 100,
    "checkpoint_every": 250,
}
QUICK_FOLDERS = {"runs": "rts_experiments/quick", "output": "rts_experiments/quick/results"}
FOLDERS = ("data", "validation", "data_dir")  # settings that differ from machine to machine
# Keys of summary.json in runs of earlier versions, and what they are called now.
OLD_KEYS = {"training_pictures": "training_images", "validation_pictures": "validation_images"}


def experiment_flags() -> flags.FlagValues:
    """Define the flags that every experiment has. An experiment may define more on the result."""
    own = flags.FlagValues()
    texts = {
        "data": ("sample", "Training images: 'sample' or a folder."),
        "validation": ("", "Folder of validation images; empty: chosen as rts_tf.main does."),
        "runs": ("rts_experiments", "Folder of the runs. Finished runs are not trained again."),
        "output": ("experiments/results", "Folder for the results."),
    }
    for name, (default, meaning) in texts.items():
        flags.DEFINE_string(name, default, meaning, flag_values=own)
    flags.DEFINE_integer("seed", 1, "Seed of everything that is drawn at random.", flag_values=own)
    flags.DEFINE_boolean(
        "quick",
        False,
        "Train a few steps in other folders, to see that the experiment works.",
        flag_values=own,
    )
    return own


def configuration(own: flags.FlagValues, **changes: Any) -> Config:
    """Return the defaults with LONG, the folders and the seed of the flags, and ``changes``.

    With ``--quick``, QUICK takes precedence over all of these.
    """
    folders = {name: own[name].value for name in ("data", "validation")}
    absolute = {
        name: f if f in ("", "sample") else str(pathlib.Path(f).resolve())
        for name, f in folders.items()
    }
    settings = LONG | absolute | {"seed": own.seed} | changes
    return preset("quick", **(settings | QUICK if own.quick else settings))


def trained(own: flags.FlagValues, name: str, config: Config) -> pathlib.Path:
    """Return the directory of the finished run ``name``, after training what is left of it.

    Raises:
        RtsError: See :func:`rts_tf.training.recurrence.train`.
    """
    from rts_tf.training import recurrence

    directory, began = pathlib.Path(own.runs, name), time.monotonic()
    if not (directory / "summary.json").exists():
        print(f"run {name}: {_changes(config)}", flush=True)
    recurrence.train(config, directory, lambda line: print(in_flags(line), flush=True))
    if time.monotonic() - began > 1:
        print(f"run {name}: {time.monotonic() - began:.0f} s", flush=True)
    return directory


def summary(run: pathlib.Path) -> dict[str, Any]:
    """Read ``summary.json`` of a finished run, of this version or of an earlier one."""
    found = read_json(run / "summary.json") or {}
    return {OLD_KEYS.get(key, key): value for key, value in found.items()}


def image_counts(summary: dict[str, Any]) -> dict[str, int]:
    """Return the numbers of images from a run's summary, for the record of an experiment."""
    return {key: summary[key] for key in OLD_KEYS.values()}


def command(own: flags.FlagValues, experiment: str) -> str:
    """Return the command that repeats an experiment.

    It has the flags that differ from their defaults, with folders relative to the working
    directory, but neither ``--runs`` nor ``--output``.
    """
    words = ["python", "-m", f"experiments.{experiment}"]
    for name in own:
        flag, value = own[name], own[name].value
        if value == flag.default or name in ("runs", "output"):
            continue
        if value is True:
            words.append(f"--{name}")
            continue
        if name in FOLDERS:
            value = os.path.relpath(value)
        words.append(f"--{name}={','.join(value) if isinstance(value, list) else value}")
    return " ".join(words)


def settings(config: dict[str, Any]) -> dict[str, Any]:
    """Return the ``config`` of a run's summary without its folders."""
    return {key: value for key, value in config.items() if key not in FOLDERS}


def start(
    own: flags.FlagValues,
    experiment: Callable[[], None],
    stopped: str = "stopped; the runs are whole. The same command continues them.",
) -> None:
    """Be the command of an experiment: parse the flags ``own``, run it and report errors.

    Args:
        stopped: What is printed after Ctrl-C.
    """

    def main(arguments: list[str]) -> int:
        return exit_code_of(
            lambda: _run(own, experiment, arguments), stopped=stopped, command_flags=own
        )

    run_command(main, own)


def _run(own: flags.FlagValues, experiment: Callable[[], None], arguments: list[str]) -> None:
    if len(arguments) > 1:
        raise ConfigError(
            f"unexpected argument {arguments[1]!r}: settings are flags, as in --data=FOLDER."
        )
    if "quick" in own and own.quick:
        for name, folder in QUICK_FOLDERS.items():
            if own[name].using_default_value:
                own[name].value = folder
    load_tensorflow()
    experiment()


def _changes(config: Config) -> str:
    """The settings that differ from the preset, as flags, without the folders."""
    base = dataclasses.asdict(preset(config.preset))
    changed = {
        k: v
        for k, v in dataclasses.asdict(config).items()
        if v != base[k] and k not in ("data", "validation")
    }
    return " ".join([f"--preset={config.preset}", *(f"--{k}={v}" for k, v in changed.items())])
