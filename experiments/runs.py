"""What the experiments share: the flags of their runs, and the runs themselves, trained once and kept.

An experiment that needs a trained network asks :func:`trained` for it. The run lies below ``--runs`` under a name of the
experiment's choice; what is finished there is taken as it is, what was stopped is continued.
"""

import dataclasses
import os
import pathlib
import time
from collections.abc import Callable

from absl import flags

from rts_tf.cli.command import begin, guarded
from rts_tf.cli.startup import load_tensorflow
from rts_tf.config import Config, preset
from rts_tf.errors import ConfigError

# Small enough for a test: a network of one layer, crops of the sample photographs, a few steps.
QUICK = {
    "network": "residual1",
    "first_steps": 4,
    "later_steps": 2,
    "patch": 32,
    "batch": 2,
    "warmup": 0,
}
QUICK_FOLDERS = {"runs": "rts_experiments/quick", "output": "rts_experiments/quick/results"}


def experiment_flags() -> flags.FlagValues:
    """The flags that every experiment has; it may define more on what this returns."""
    own = flags.FlagValues()
    flags.DEFINE_string(
        "data", "sample", "Training photographs: 'sample' or a folder.", flag_values=own
    )
    flags.DEFINE_string(
        "validation",
        "",
        "Folder of photographs to measure; empty: as rts_tf.main does.",
        flag_values=own,
    )
    flags.DEFINE_string(
        "runs",
        "rts_experiments",
        "Folder of the runs; what is there is not trained again.",
        flag_values=own,
    )
    flags.DEFINE_string(
        "output", "experiments/results", "Folder to write the results to.", flag_values=own
    )
    flags.DEFINE_integer("seed", 1, "Seed of everything drawn at random.", flag_values=own)
    flags.DEFINE_boolean(
        "quick",
        False,
        "A few training steps, to see that it works, not what comes out; in other folders.",
        flag_values=own,
    )
    return own


def configuration(own: flags.FlagValues, **changes) -> Config:
    """``standard`` with the folders and the seed of the flags and with ``changes``; QUICK goes over all of it."""
    folders = {name: own[name].value for name in ("data", "validation")}
    absolute = {
        name: f if f in ("", "sample") else str(pathlib.Path(f).resolve())
        for name, f in folders.items()
    }
    settings = absolute | {"seed": own.seed} | changes
    return preset("standard", **(settings | QUICK if own.quick else settings))


def trained(own: flags.FlagValues, name: str, config: Config) -> pathlib.Path:
    """The directory of the finished run ``name``; it is trained, or trained on, if it is not finished.

    Raises:
        RtsError: as :func:`rts_tf.training.recurrence.run`.
    """
    from rts_tf.training import recurrence

    directory, began = pathlib.Path(own.runs, name), time.monotonic()
    if not (directory / "summary.json").exists():
        print(f"run {name}: {_changes(config)}", flush=True)
    recurrence.run(config, directory)
    if time.monotonic() - began > 1:
        print(f"run {name}: {time.monotonic() - began:.0f} s", flush=True)
    return directory


def command(own: flags.FlagValues, experiment: str) -> str:
    """The command to type again: flags that are not the defaults, folders as seen from here; not where runs and results lie."""
    words = ["python", "-m", f"experiments.{experiment}"]
    for name in own:
        flag, value = own[name], own[name].value
        if value == flag.default or name in ("runs", "output"):
            continue
        if name in ("data", "validation"):
            value = os.path.relpath(value)
        words.append(
            f"--{name}"
            if value is True
            else f"--{name}={','.join(value) if isinstance(value, list) else value}"
        )
    return " ".join(words)


def settings(config: dict) -> dict:
    """A run's ``config`` (of its summary) without the folders, which are other ones elsewhere."""
    return {
        key: value for key, value in config.items() if key not in ("data", "validation", "data_dir")
    }


def start(own: flags.FlagValues, experiment: Callable[[], None]) -> None:
    """Entry point of an experiment's command: parse the flags ``own``, run it, tell errors in a line."""
    stopped = "stopped; the runs are whole. The same command continues them."
    begin(lambda arguments: guarded(lambda: _run(own, experiment, arguments), stopped, str), own)


def _run(own: flags.FlagValues, experiment: Callable[[], None], arguments: list[str]) -> None:
    if len(arguments) > 1:
        raise ConfigError(
            f"unexpected argument {arguments[1]!r}: settings are flags, as in --data=FOLDER."
        )
    if own.quick:
        for name, folder in QUICK_FOLDERS.items():
            if own[name].using_default_value:
                own[name].value = folder
    load_tensorflow()
    experiment()


def _changes(config: Config) -> str:
    """The settings that are not the preset's, as flags; no folders."""
    base = dataclasses.asdict(preset(config.preset))
    changed = {
        k: v
        for k, v in dataclasses.asdict(config).items()
        if v != base[k] and k not in ("data", "validation")
    }
    return " ".join(
        [f"--preset={config.preset}", *(f"--{key}={value}" for key, value in changed.items())]
    )
